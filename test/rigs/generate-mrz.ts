/**
 * Valid machine readable zones by the hundred thousand: faster and plainer than the generators of `mrz.ts`, and like
 * them written by a second hand.
 */
export type GeneratedFormat = 'TD1' | 'TD2' | 'TD3' | 'MRV-A' | 'MRV-B' | 'FRA-ID';

export interface Generated {
  readonly format: GeneratedFormat;
  readonly lines: readonly string[];
  readonly state: string;
  readonly number: string;
}

export const generatedFormats: readonly GeneratedFormat[] = ['TD1', 'TD2', 'TD3', 'MRV-A', 'MRV-B', 'FRA-ID'];
export const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
export const digits = '0123456789';
/** All characters of a zone. */
export const alphabet = `${digits}${letters}<`;

/** Values by character code: ICAO Doc 9303 part 3 § 4.9. */
const values = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, `${digits}${letters}`.indexOf(String.fromCharCode(code))),
);

/** What the check digit of a text must be, 0 to 9. */
export function sumOf(text: string): number {
  let sum = 0;
  for (let at = 0; at < text.length; at++) {
    const value = values[text.charCodeAt(at)] ?? 0;
    sum += at % 3 === 0 ? value * 7 : at % 3 === 1 ? value * 3 : value;
  }
  return sum % 10;
}

export type Random = () => number;

export const below = (random: Random, end: number): number => Math.floor(random() * end);
export const oneOf = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)] as T;

/** So many random characters of these. */
export function textOf(random: Random, characters: string, length: number): string {
  let text = '';
  for (let at = 0; at < length; at++) text += characters.charAt(below(random, characters.length));
  return text;
}

/** Those of a number. */
const characters = alphabet.slice(0, 36);
const states = ['UTO', 'D', 'UZB', 'KGZ', 'FRA', 'GBD', 'RKS', 'XXA', 'CHE', 'TJK', 'KAZ', 'UNO', 'ROM'];
const codes: Readonly<Record<GeneratedFormat, readonly string[]>> = {
  TD1: ['I', 'ID', 'A', 'AC', 'C', 'IR'],
  TD2: ['I', 'ID', 'A', 'C'],
  TD3: ['P', 'PD', 'PS', 'PO'],
  'MRV-A': ['V', 'VC'],
  'MRV-B': ['V', 'VC'],
  'FRA-ID': ['ID'],
};
const fill = (text: string, length: number): string => text.padEnd(length, '<').slice(0, length);
const withDigit = (text: string): string => text + sumOf(text);

/** One valid document of this format. */
export function generateMrz(random: Random, format: GeneratedFormat): Generated {
  if (format === 'FRA-ID') return frenchCard(random);
  const state = oneOf(random, states);
  const begin = fill(oneOf(random, codes[format]), 2) + fill(state, 3);
  const room = { TD1: 15, TD2: 7, TD3: 14, 'MRV-A': 16, 'MRV-B': 8 }[format];
  const long = (format === 'TD1' || format === 'TD2') && random() < 0.2;
  const number = long ? textOf(random, characters, 10 + below(random, room - 2)) : shortNumber(random);
  const [field, optional] = long
    ? longNumber(random, number, room)
    : [withDigit(fill(number, 9)), optionalOf(random, room)];
  const birth = withDigit(dateOf(random));
  const expiry = withDigit(dateOf(random));
  const nationality = fill(oneOf(random, states), 3);
  const dates = birth + oneOf(random, ['M', 'F', '<', 'X']) + expiry;
  const made = { format, state, number };
  if (format === 'TD1') {
    const more = optionalOf(random, 11);
    const composite = sumOf(field + optional + birth + expiry + more);
    const lines = [begin + field + optional, dates + nationality + more + composite, namesOf(random, 30)];
    return { ...made, lines };
  }
  const width = format === 'TD3' || format === 'MRV-A' ? 44 : 36;
  const body = field + nationality + dates + optional;
  const first = begin + namesOf(random, width - 5);
  if (format === 'TD2') return { ...made, lines: [first, body + sumOf(field + birth + expiry + optional)] };
  if (format !== 'TD3') return { ...made, lines: [first, body] };
  const bare = /^<+$/.test(optional) && random() < 0.5;
  const personal = bare ? '<' : String(sumOf(optional));
  return { ...made, lines: [first, body + personal + sumOf(field + birth + expiry + optional + personal)] };
}

function frenchCard(random: Random): Generated {
  // Year and month of issue, department, and a number of the day.
  const number = dateOf(random, 0).slice(0, 4) + textOf(random, characters, 3) + textOf(random, digits, 5);
  const first = `IDFRA${fill(textOf(random, letters, 1 + below(random, 25)), 25)}${fill(textOf(random, digits, 6), 6)}`;
  const given = fill(textOf(random, letters, 1 + below(random, 14)), 14);
  const second = withDigit(number) + given + withDigit(dateOf(random)) + oneOf(random, ['M', 'F']);
  return { format: 'FRA-ID', state: 'FRA', number, lines: [first, second + sumOf(first + second)] };
}

/** Up to nine characters, now and then a filler among them. */
function shortNumber(random: Random): string {
  const inside = textOf(random, random() < 0.1 ? alphabet : characters, below(random, 8));
  const number = textOf(random, characters, 1) + inside + textOf(random, characters, below(random, 2));
  return number.replace(/<+$/, '');
}

/** A number that goes on in the optional data, its digit counted with the filler in between or without it. */
function longNumber(random: Random, number: string, room: number): [string, string] {
  const first = `${number.slice(0, 9)}<`;
  const more = number.slice(9);
  const digit = sumOf(random() < 0.5 ? first + more : number);
  return [first, fill(`${more}${digit}<${random() < 0.3 ? textOf(random, letters, 3) : ''}`, room)];
}

function optionalOf(random: Random, room: number): string {
  const kind = random();
  if (kind < 0.4) return '<'.repeat(room);
  return fill(textOf(random, characters, kind < 0.5 ? room : 1 + below(random, room - 1)), room);
}

/** @param unknown how often day, or all of it, is unknown */
function dateOf(random: Random, unknown = 0.02): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const kind = random();
  if (kind < unknown / 2) return '<<<<<<';
  const day = kind < unknown ? '<<' : two(1 + below(random, 28));
  return two(below(random, 100)) + two(1 + below(random, 12)) + day;
}

function namesOf(random: Random, room: number): string {
  const primary = textOf(random, letters, 1 + below(random, 14));
  const kind = random();
  if (kind < 0.05) return fill(primary, room);
  const second = textOf(random, letters, kind < 0.1 ? room : 1 + below(random, 10));
  return fill(`${primary}<<${second}${kind < 0.4 ? `<${textOf(random, letters, 4)}` : ''}`, room);
}

import { sumOf } from './generate-mrz.ts';

/** What a zone says that is right in every digit. */
export interface Judged {
  readonly state: string;
  readonly number: string;
  /** How many check digits speak for it. */
  readonly digits: number;
}

/**
 * Says of lines of a right shape whether they are a document all of whose check digits hold as they are printed,
 * nothing put right: ICAO Doc 9303 parts 3 to 7, written by a second hand, to say what chance alone must bring about.
 *
 * @param lines two of 44 or 36 characters or three of 30, of the characters of a zone
 */
export function judge(lines: readonly string[]): Judged | undefined {
  const [first = '', second = ''] = lines;
  if (!isLetter(first.charCodeAt(0)) || isDigit(first.charCodeAt(1))) return undefined;
  for (let at = 2; at < 5; at++) if (isDigit(first.charCodeAt(at))) return undefined;
  const state = bare(first.slice(2, 5));
  const visa = first.startsWith('V');
  if (lines.length === 3) return visa ? undefined : card(first, second, state);
  if (first.length === 36 && first.startsWith('IDFRA') && /\d/.test(second.slice(10, 13)))
    return french(first, second);
  const field = second.slice(0, 10);
  const birth = second.slice(13, 20);
  const expiry = second.slice(21, 28);
  if (!dateHolds(birth) || !dateHolds(expiry)) return undefined;
  const rest = second.slice(28);
  const mayGoOn = first.length === 36 && !visa;
  const number = numberOf(field, mayGoOn ? rest.slice(0, 7) : '');
  if (number === undefined) return undefined;
  if (visa) return { state, number, digits: 3 };
  if (!endsRight(field + birth + expiry + rest)) return undefined;
  if (first.length === 36) return { state, number, digits: 4 };
  const personal = rest.slice(0, 15);
  return /^<+$/.test(personal) || endsRight(personal) ? { state, number, digits: 5 } : undefined;
}

function card(first: string, second: string, state: string): Judged | undefined {
  const birth = second.slice(0, 7);
  const expiry = second.slice(8, 15);
  if (!dateHolds(birth) || !dateHolds(expiry)) return undefined;
  const number = numberOf(first.slice(5, 15), first.slice(15));
  const whole = first.slice(5) + birth + expiry + second.slice(18);
  return number === undefined || !endsRight(whole) ? undefined : { state, number, digits: 4 };
}

function french(first: string, second: string): Judged | undefined {
  const number = second.slice(0, 13);
  const right = endsRight(number) && dateHolds(second.slice(27, 34)) && endsRight(first + second);
  return right && /[^<]/.test(number.slice(0, 12))
    ? { state: 'FRA', number: bare(number.slice(0, 12)), digits: 3 }
    : undefined;
}

/** The number, if its check digit holds; `more` is where it may go on. */
function numberOf(field: string, more: string): string | undefined {
  const number = bare(field.slice(0, 9));
  if (number === '') return undefined;
  if (!field.endsWith('<') || more === '' || more.startsWith('<') || number.length < 9) {
    return endsRight(field) ? number : undefined;
  }
  const run = more.split('<', 1)[0] ?? '';
  const right = endsRight(number + run) || endsRight(field + run);
  return right ? number + run.slice(0, -1) : undefined;
}

/** Whether the last character is the check digit of what stands before it. */
function endsRight(text: string): boolean {
  return text.charCodeAt(text.length - 1) - 0x30 === sumOf(text.slice(0, -1));
}

/** The same of a date; one that holds also with its letters read as digits would be put right, and is not counted. */
function dateHolds(text: string): boolean {
  if (!endsRight(text)) return false;
  if (!/[OIZSB]/.test(text)) return true;
  const asDigits = text.replace(/[OIZSB]/g, (letter) => '01258'.charAt('OIZSB'.indexOf(letter)));
  return !/^[0-9<]+$/.test(asDigits) || !endsRight(asDigits);
}

const bare = (text: string): string => text.replace(/<+$/, '');
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isLetter = (code: number): boolean => code >= 0x41 && code <= 0x5a;

import fc from 'fast-check';

/** Generated, valid machine readable zones, written by a second hand: nothing here uses the code that reads them. */

export interface MrzFields {
  readonly format: 'TD1' | 'TD2' | 'TD3' | 'MRV-A' | 'MRV-B';
  readonly code: string;
  readonly state: string;
  /** Up to nine characters; more in a TD1 (to 22) or TD2 (to 14), where they go on in the optional data. */
  readonly number: string;
  /** Whether the digit of a number that goes on is counted with the filler in the place of its digit. */
  readonly countsFiller: boolean;
  readonly nationality: string;
  readonly birth: string;
  readonly sex: 'M' | 'F' | '<';
  readonly expiry: string;
  readonly primary: string;
  readonly secondary: string;
  readonly optional: string;
  readonly optional2: string;
}

/** A passport of the specimen state without anything odd: for tests that change one thing. */
export const plainPassport: MrzFields = {
  format: 'TD3',
  code: 'P',
  state: 'UTO',
  number: 'L898902C3',
  countsFiller: false,
  nationality: 'UTO',
  birth: '740812',
  sex: 'F',
  expiry: '300415',
  primary: 'ERIKSSON',
  secondary: 'ANNA',
  optional: '',
  optional2: '',
};
/** The same of a card of three lines. */
export const plainCard: MrzFields = { ...plainPassport, format: 'TD1', code: 'ID', number: 'AB1234567' };

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

export function digitOf(text: string): string {
  let sum = 0;
  let weight = 7;
  for (const character of text) {
    sum += Math.max(0, alphabet.indexOf(character)) * weight;
    weight = weight === 7 ? 3 : weight === 3 ? 1 : 7;
  }
  return String(sum % 10);
}

const fill = (text: string, length: number): string => text.slice(0, length).padEnd(length, '<');
const withDigit = (text: string): string => text + digitOf(text);

/** The lines of a document. */
export function writeMrz(fields: MrzFields): string[] {
  const { format, primary, secondary, birth, sex, expiry } = fields;
  const begin = fill(fields.code, 2) + fill(fields.state, 3);
  const names = `${primary}<<${secondary}`;
  const nationality = fill(fields.nationality, 3);
  const dates = `${withDigit(birth)}${sex}${withDigit(expiry)}`;
  const room = { TD1: 15, TD2: 7, TD3: 14, 'MRV-A': 16, 'MRV-B': 8 }[format];
  const { number, optional } = writeNumber(fields, room);
  const covered = withDigit(birth) + withDigit(expiry);
  switch (format) {
    case 'TD1': {
      const last = fill(fields.optional2, 11);
      const composite = digitOf(number + optional + covered + last);
      return [begin + number + optional, dates + nationality + last + composite, fill(names, 30)];
    }
    case 'TD2':
      return [
        begin + fill(names, 31),
        number + nationality + dates + optional + digitOf(number + covered + optional),
      ];
    case 'TD3':
      return [
        begin + fill(names, 39),
        number + nationality + dates + withDigit(optional) + digitOf(number + covered + withDigit(optional)),
      ];
    case 'MRV-A':
      return [begin + fill(names, 39), number + nationality + dates + optional];
    default:
      return [begin + fill(names, 31), number + nationality + dates + optional];
  }
}

function writeNumber(fields: MrzFields, room: number): { number: string; optional: string } {
  const { number, optional, countsFiller } = fields;
  if (number.length <= 9) return { number: withDigit(fill(number, 9)), optional: fill(optional, room) };
  const first = `${number.slice(0, 9)}<`;
  const more = number.slice(9);
  const digit = digitOf(countsFiller ? first + more : number);
  return { number: first, optional: fill(`${more}${digit}<${optional}`, room) };
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const text = (unit: string, min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...unit.split('')), minLength: min, maxLength: max });
/** Ends in no filler and begins with none. */
const number = (max: number) =>
  fc
    .tuple(text(alphabet, 1, 1), text(`${alphabet}<`, 0, max - 2), text(alphabet, 0, 1))
    .map(([first, inside, last]) => (first + inside + last).replace(/<+$/, ''));
const day = fc
  .date({
    min: new Date('1930-01-01T00:00:00Z'),
    max: new Date('2069-12-31T00:00:00Z'),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString().slice(2, 10).replaceAll('-', ''));
const state = fc.constantFrom('UTO', 'D', 'UZB', 'KGZ', 'FRA', 'GBD', 'RKS', 'XXA');
const codes = { TD1: ['I', 'ID', 'AC', 'C', 'IR'], TD2: ['I', 'ID', 'A', 'C'], TD3: ['P', 'PD', 'PS'] };

export type MrzOptions = {
  readonly format: MrzFields['format'];
  /** At most so many characters in a number; 9 where it must not go on. */
  readonly longest?: number;
  readonly states?: fc.Arbitrary<string>;
};

/** Any valid document of a format. */
export function validMrz({ format, longest = 9, states = state }: MrzOptions): fc.Arbitrary<MrzFields> {
  const code = format === 'MRV-A' || format === 'MRV-B' ? ['V', 'VC'] : codes[format];
  return fc.record({
    format: fc.constant(format),
    code: fc.constantFrom(...code),
    state: states,
    number:
      longest <= 9
        ? number(9)
        : fc.oneof(
            number(9),
            fc.tuple(text(alphabet, 9, 9), text(alphabet, 1, longest - 9)).map(([a, b]) => a + b),
          ),
    countsFiller: fc.boolean(),
    nationality: states,
    birth: day,
    sex: fc.constantFrom('M', 'F', '<'),
    expiry: day,
    primary: text(letters, 1, 12),
    secondary: text(letters, 1, 12),
    optional: longest <= 9 ? text(alphabet, 0, 7) : fc.constant(''),
    optional2: text(alphabet, 0, 11),
  });
}

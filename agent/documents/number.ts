import { checkDigit, valueOf, weightAt } from './check-digits.ts';
import { cut, type Layout } from './layouts.ts';
import { asDigits } from './repair.ts';

/**
 * One way of counting the number's check digit. A number that goes on in the optional data has a filler where its
 * check digit would stand; some states count the digit with that filler (gap 1), some without it (gap 0), and both
 * are in use.
 */
export interface Way {
  readonly gap: 0 | 1;
  /** What the sum lacks, modulo 10, for the digit printed to hold: 0 where it holds; absent where none is printed. */
  readonly lacks: number | undefined;
}

export interface NumberReading {
  /** The number without the fillers at its end; those inside stay. */
  readonly number: string;
  /** How many characters the field itself has: what follows comes from the optional data. */
  readonly field: number;
  readonly holds: boolean;
  /** The ways that hold, or, where none does, all that are possible. */
  readonly ways: readonly Way[];
  /** The number's field alone, where the number seems to go on: a digit that holds there may do so by chance. */
  readonly short: string | undefined;
  /** The optional data that does not belong to the number. */
  readonly rest: string | undefined;
}

/** Place of a character in the text whose check digit is taken. */
export function placeOf(at: number, field: number, gap: 0 | 1): number {
  return at < field ? at : at + gap;
}

/**
 * Reads the document number: ICAO Doc 9303 part 3 § 4.6 and, for numbers of more than nine characters, part 5
 * § 4.2.2.1 and part 6 § 4.2.2.1: the first nine stand in the number's field, a filler where its check digit would
 * be, and the others at the beginning of the optional data, followed by the check digit and a filler.
 */
export function readNumber(lines: readonly string[], layout: Layout): NumberReading {
  const printed = cut(lines, layout.number);
  const digit = cut(lines, layout.numberDigit);
  const more = layout.continuation === undefined ? '' : cut(lines, layout.continuation);
  if (digit === '<' && more !== '' && !more.startsWith('<') && !printed.endsWith('<')) {
    const filler = more.indexOf('<');
    const end = filler < 0 ? more.length : filler;
    const rest = withoutTail(more.slice(end + 1));
    const long = readLong(printed, more.slice(0, end - 1), more.charAt(end - 1), rest);
    return { ...long, short: withoutTail(printed) };
  }
  return readShort(printed, digit);
}

/**
 * A number and its check digit as they were typed: up to nine characters as in their field, more as in a number that
 * goes on, with the digit after its last character.
 *
 * @param digit `''` where none was typed
 */
export function readTyped(number: string, digit: string): NumberReading {
  if (number.length <= fieldLength) return readShort(number.padEnd(fieldLength, '<'), digit);
  return readLong(number.slice(0, fieldLength), number.slice(fieldLength), digit, '');
}

/** What the number's field has room for in all formats of the standard. */
const fieldLength = 9;

function readShort(printed: string, digit: string): NumberReading {
  // A letter in the digit's place that could not be put right still says which digit was probably printed: enough to
  // look for other numbers, not to say that it holds.
  const way: Way = { gap: 0, lacks: lacking(checkDigit(printed), asDigits(digit)) };
  return {
    number: withoutTail(printed),
    field: printed.length,
    holds: lacking(checkDigit(printed), digit) === 0,
    ways: [way],
    short: undefined,
    rest: undefined,
  };
}

/** @param digit the check digit printed behind the last character; `''` where there is none */
function readLong(printed: string, more: string, digit: string, rest: string): NumberReading {
  const number = printed + more;
  const ways: Way[] = [
    { gap: 0, lacks: lacking(checkDigit(number), digit) },
    { gap: 1, lacks: lacking(checkDigit(`${printed}<${more}`), digit) },
  ];
  const holding = ways.filter(({ lacks }) => lacks === 0);
  const holds = holding.length > 0;
  return {
    number,
    field: printed.length,
    holds,
    ways: holds ? holding : ways,
    short: holds || digit === '' ? undefined : withoutTail(printed),
    rest,
  };
}

/** What a sum lacks for the digit printed, modulo 10; undefined where no digit is printed. */
export function lacking(sum: number, printed: string): number | undefined {
  return /^\d$/.test(printed) ? (Number(printed) - sum + 10) % 10 : undefined;
}

/** What a sum gains, modulo 10, when one character of it becomes another. */
export function gain(from: string, to: string, place: number): number {
  return ((((valueOf(to) - valueOf(from)) * weightAt(place)) % 10) + 10) % 10;
}

/** Without the fillers at its end. */
export function withoutTail(text: string): string {
  return text.replace(/<+$/, '');
}

import type { DocumentFormat } from '#contracts/documents.ts';

/**
 * Where each field stands, format by format. Lines and columns are counted as the standard counts them: from 1, both
 * ends included.
 */
export interface Span {
  readonly line: number;
  readonly from: number;
  readonly to: number;
}

export interface Layout {
  readonly format: DocumentFormat;
  readonly lines: 2 | 3;
  readonly length: 30 | 36 | 44;
  readonly code: Span;
  readonly state: Span;
  /** Primary and secondary identifier: in one field, divided by `<<`, or in two; none in a line that was typed alone. */
  readonly names: readonly Span[];
  readonly number: Span;
  readonly numberDigit: Span;
  /** Where a number that is longer than its field goes on, where the format allows it. */
  readonly continuation?: Span;
  readonly nationality?: Span;
  readonly birth?: Span;
  readonly birthDigit?: Span;
  readonly sex?: Span;
  readonly expiry?: Span;
  readonly expiryDigit?: Span;
  readonly optional: readonly Span[];
  readonly optionalDigit?: Span;
  /** The composite check digit, and what it covers in this order. */
  readonly composite?: { readonly digit: Span; readonly covers: readonly Span[] };
  /** No lookup needs this and no digit covers it: a character that was not read here spoils nothing. */
  readonly dispensable: readonly Span[];
}

function at(line: number, from: number, to = from): Span {
  return { line, from, to };
}

/** Passports: ICAO Doc 9303 part 4 § 4.2.2. */
const td3: Layout = {
  format: 'TD3',
  lines: 2,
  length: 44,
  code: at(1, 1, 2),
  state: at(1, 3, 5),
  names: [at(1, 6, 44)],
  number: at(2, 1, 9),
  numberDigit: at(2, 10),
  nationality: at(2, 11, 13),
  birth: at(2, 14, 19),
  birthDigit: at(2, 20),
  sex: at(2, 21),
  expiry: at(2, 22, 27),
  expiryDigit: at(2, 28),
  optional: [at(2, 29, 42)],
  optionalDigit: at(2, 43),
  composite: { digit: at(2, 44), covers: [at(2, 1, 10), at(2, 14, 20), at(2, 22, 43)] },
  dispensable: [at(1, 6, 44)],
};

/** Cards of the larger size: ICAO Doc 9303 part 6 § 4.2.2. */
const td2: Layout = {
  format: 'TD2',
  lines: 2,
  length: 36,
  code: at(1, 1, 2),
  state: at(1, 3, 5),
  names: [at(1, 6, 36)],
  number: at(2, 1, 9),
  numberDigit: at(2, 10),
  continuation: at(2, 29, 35),
  nationality: at(2, 11, 13),
  birth: at(2, 14, 19),
  birthDigit: at(2, 20),
  sex: at(2, 21),
  expiry: at(2, 22, 27),
  expiryDigit: at(2, 28),
  optional: [at(2, 29, 35)],
  composite: { digit: at(2, 36), covers: [at(2, 1, 10), at(2, 14, 20), at(2, 22, 35)] },
  dispensable: [at(1, 6, 36)],
};

/** Cards of the size of a bank card: ICAO Doc 9303 part 5 § 4.2.2. */
const td1: Layout = {
  format: 'TD1',
  lines: 3,
  length: 30,
  code: at(1, 1, 2),
  state: at(1, 3, 5),
  names: [at(3, 1, 30)],
  number: at(1, 6, 14),
  numberDigit: at(1, 15),
  continuation: at(1, 16, 30),
  nationality: at(2, 16, 18),
  birth: at(2, 1, 6),
  birthDigit: at(2, 7),
  sex: at(2, 8),
  expiry: at(2, 9, 14),
  expiryDigit: at(2, 15),
  optional: [at(1, 16, 30), at(2, 19, 29)],
  composite: { digit: at(2, 30), covers: [at(1, 6, 30), at(2, 1, 7), at(2, 9, 15), at(2, 19, 29)] },
  dispensable: [at(3, 1, 30)],
};

/** Visas, ICAO Doc 9303 part 7 § 4 and § 5: a passport's or a card's lines without the last check digits. */
const { optionalDigit: _, composite: __, ...passportLines } = td3;
const mrvA: Layout = { ...passportLines, format: 'MRV-A', optional: [at(2, 29, 44)] };
const { continuation: ___, composite: ____, ...cardLines } = td2;
const mrvB: Layout = { ...cardLines, format: 'MRV-B', optional: [at(2, 29, 36)] };

/**
 * The French identity card made until 2021, many of which are valid still: a national scheme that has a TD2's lines
 * but not its fields. A number of twelve characters, no date of expiry, no nationality, the given names in line 2, and
 * a composite digit over both lines. Read as a TD2 it would have a wrong number.
 */
const frenchCard: Layout = {
  format: 'FRA-ID',
  lines: 2,
  length: 36,
  code: at(1, 1, 2),
  state: at(1, 3, 5),
  names: [at(1, 6, 30), at(2, 14, 27)],
  number: at(2, 1, 12),
  numberDigit: at(2, 13),
  birth: at(2, 28, 33),
  birthDigit: at(2, 34),
  sex: at(2, 35),
  optional: [at(1, 31, 36)],
  composite: { digit: at(2, 36), covers: [at(1, 1, 36), at(2, 1, 35)] },
  dispensable: [],
};

/** Every layout; where several fit, the commoner one comes first. */
export const layouts: readonly Layout[] = [td3, mrvA, td2, mrvB, frenchCard, td1];

/** The layout of this format. */
export function layoutNamed(format: Layout['format']): Layout {
  return layouts.find((layout) => layout.format === format) ?? td3;
}

/** The characters of a field; `''` where its line is absent. */
export function cut(lines: readonly string[], { line, from, to }: Span): string {
  return (lines[line - 1] ?? '').slice(from - 1, to);
}

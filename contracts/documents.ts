import Type, { type Static } from 'typebox';

/** What an MRZ says (ICAO Doc 9303 parts 3 to 7). */

export const DocumentFormat = Type.Union([
  Type.Literal('TD1'),
  Type.Literal('TD2'),
  Type.Literal('TD3'),
  Type.Literal('MRV-A'),
  Type.Literal('MRV-B'),
  /** The French identity card made until 2021: as large as a TD2, with fields of its own. */
  Type.Literal('FRA-ID'),
  /** No zone was read: an officer typed the state and the number. */
  Type.Literal('typed'),
]);
export type DocumentFormat = Static<typeof DocumentFormat>;

export const DocumentTypeName = Type.Union([
  Type.Literal('passport'),
  Type.Literal('identity-card'),
  Type.Literal('visa'),
  Type.Literal('other'),
]);

/** Something about the document itself, apart from the search's result. */
export const DocumentWarning = Type.Union([
  Type.Literal('expired'),
  Type.Literal('specimen'),
  Type.Literal('number-check-digit'),
  Type.Literal('birth-check-digit'),
  Type.Literal('expiry-check-digit'),
  Type.Literal('optional-check-digit'),
  Type.Literal('composite-check-digit'),
  Type.Literal('birth-date-impossible'),
  Type.Literal('expiry-date-impossible'),
  Type.Literal('expiry-implausible'),
  Type.Literal('birth-after-expiry'),
  Type.Literal('state-unlisted'),
  Type.Literal('repaired'),
  /** Two lines of 36 may be what is left of two of 44: a check digit behind the number does not hold. */
  Type.Literal('maybe-cut'),
]);
export type DocumentWarning = Static<typeof DocumentWarning>;

/** A date as printed: `iso` where it is a real day, with the century decided; parts may be unknown (`<`). */
export interface MrzDate {
  /** The six characters as read, YYMMDD. */
  readonly raw: string;
  /** ISO 8601 day, where year, month and day are known and exist in the calendar. */
  readonly iso?: string;
}

export type CheckDigits = Readonly<
  Partial<Record<'number' | 'birth' | 'expiry' | 'optional' | 'composite', boolean>>
>;

/** A character that the reader took for another and that only one character can have been, with where and what. */
export interface Repair {
  /** 1 is the first. */
  readonly line: number;
  /** 1 is the first. */
  readonly column: number;
  readonly from: string;
  readonly to: string;
}

/** One travel document as its MRZ says it. Personal data: never logged; names are never stored and never sent. */
export interface TravelDocument {
  readonly format: DocumentFormat;
  /** Two characters, fillers removed: `P`, `ID`, `V` … */
  readonly documentCode: string;
  /** Up to three characters, fillers removed: `UTO`, `D`. */
  readonly issuingState: string;
  /** The whole number, fillers inside kept, trailing ones removed, a long TD1 or TD2 number joined. */
  readonly documentNumber: string;
  /**
   * Other numbers that the reader may have confused with this one and whose check digit holds as well, the likeliest
   * first; never the number itself. They are searched too, and a match on one of them is `possible`.
   */
  readonly variants: readonly string[];
  /**
   * Places in `documentNumber`, from 0, whose characters are in doubt: its check digit does not hold, and another
   * character there would make it hold. Empty where the check digit holds.
   */
  readonly doubtful: readonly number[];
  /** What was put right in the lines as read, each one proven; never in the number. */
  readonly repairs: readonly Repair[];
  /** `truncated` where the names fill their field to its last character, so that some of them may be missing. */
  readonly names: { readonly primary: string; readonly secondary: string; readonly truncated: boolean };
  readonly nationality: string;
  readonly sex: 'M' | 'F' | 'X' | 'unspecified';
  readonly birth: MrzDate;
  readonly expiry: MrzDate;
  readonly optional: readonly string[];
  /** Which check digits hold; a missing key means that this format has no such digit. */
  readonly checks: CheckDigits;
}

/** Why a frame is not a document. */
export const UnreadableReason = Type.Union([
  Type.Literal('empty'),
  Type.Literal('line-count'),
  Type.Literal('line-length'),
  Type.Literal('characters'),
  Type.Literal('not-read'),
  Type.Literal('document-code'),
  Type.Literal('number-missing'),
  /** The reader's own check of its transmission does not hold. */
  Type.Literal('damaged'),
]);
export type UnreadableReason = Static<typeof UnreadableReason>;

/** Where reading failed: line (1 is the first) and columns (1 is the first, both ends included). */
export const UnreadableSpot = Type.Object(
  {
    line: Type.Integer({ minimum: 1 }),
    from: Type.Integer({ minimum: 1 }),
    to: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type UnreadableSpot = Static<typeof UnreadableSpot>;

/**
 * What was read of the line that holds the number, for an officer who types what is missing: `_` stands for each
 * character that was not read. Never a line with names. Kept in memory only.
 */
export const PartialRead = Type.Object(
  {
    line: Type.Integer({ minimum: 1, maximum: 2 }),
    text: Type.String({ pattern: '^[A-Z0-9<_]{30,44}$' }),
    /** Of the other line, where it was read. */
    issuingState: Type.Optional(Type.String({ pattern: '^[A-Z]{1,3}$' })),
    documentType: DocumentTypeName,
  },
  { additionalProperties: false },
);
export type PartialRead = Static<typeof PartialRead>;

/** What a frame says: a document, or why it is none. */
export type Reading =
  | {
      readonly kind: 'document';
      readonly document: TravelDocument;
      readonly warnings: readonly DocumentWarning[];
    }
  | {
      readonly kind: 'unreadable';
      readonly reason: UnreadableReason;
      readonly spots: readonly UnreadableSpot[];
      readonly partial?: PartialRead;
    };

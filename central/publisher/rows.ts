/** Rows of a collection as bytes, wherever they come from: a CSV (csv.ts) or a query (database.ts). */

/** What is wrong with a row before its fields are looked at: in this field, or in the row as a whole. */
export interface WrongField {
  /** Position, from 0. */
  readonly at?: number;
  readonly problem: string;
}

/** One row's fields in UTF-8, where they lie; good until the next one is asked for. */
export interface RowBytes {
  readonly number: number;
  readonly bytes: Buffer;
  /** Where field `i` begins and ends in `bytes`; of the first `fieldsKept` fields only. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly count: number;
  readonly wrong: readonly WrongField[];
  /** No row after this one can be told apart, and why. */
  readonly broken: string | undefined;
}

/** Fields of a row that are kept; those beyond, which no collection has, are counted only. */
export const fieldsKept = 64;

/** The first row holds the names of the columns. */
export interface RowSource {
  /** What a person calls that first row. */
  readonly heading: string;
  /** The next row that is at hand; undefined where more must be fetched first. */
  next(): RowBytes | undefined;
  /** Fetches more; false at the end. Throws what the system says where it cannot. */
  more(): Promise<boolean>;
  close(): Promise<void>;
}

export function fieldText(row: RowBytes, at: number): string {
  return row.bytes.toString('utf8', row.from[at], row.to[at]);
}

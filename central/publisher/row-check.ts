import { type EditionRow, type Places, QuickRows } from './edition-row.ts';
import type { Heading } from './heading.ts';
import type { ProblemList } from './problems.ts';
import type { RecordIds } from './record-ids.ts';
import { type CollectionRecord, toRecord } from './record.ts';
import { fieldText, type RowBytes } from './rows.ts';

/** What a caller wants to have of a row that is right. */
export interface Shape<R> {
  /** A short way for rows that are plainly right; undefined is no verdict. */
  readonly quick: (row: RowBytes, places: Places) => R | undefined;
  readonly of: (record: CollectionRecord) => R;
}

/** All that the centre keeps. */
export const wholeRecords: Shape<CollectionRecord> = { quick: () => undefined, of: (record) => record };

/** What an edition needs. */
export function editionRows(): Shape<EditionRow> {
  const rows = new QuickRows();
  return {
    quick: (row, places) => rows.read(row, places),
    of: ({ key, documentType, kindOfLoss, reportedOn, reportedBy }) => {
      return { key, documentType, kindOfLoss, reportedOn, reportedBy };
    },
  };
}

/** Looks at one row after the other: all that is wrong goes to the list. */
export class RowCheck<R> {
  readonly #heading: Heading;
  readonly #shape: Shape<R>;
  readonly #ids: RecordIds;
  readonly #problems: ProblemList;

  constructor(
    heading: Heading,
    parts: { readonly shape: Shape<R>; readonly ids: RecordIds; readonly problems: ProblemList },
  ) {
    this.#heading = heading;
    this.#shape = parts.shape;
    this.#ids = parts.ids;
    this.#problems = parts.problems;
  }

  /** The record, or undefined where something is wrong. Throws FILE_REFUSED where ids can no longer be compared. */
  look(row: RowBytes): R | undefined {
    const { places, columns } = this.#heading;
    if (row.broken !== undefined || row.wrong.length > 0 || row.count !== columns.length) {
      this.#refuse(row);
      return undefined;
    }
    let record = this.#shape.quick(row, places);
    let id: Uint8Array = row.bytes;
    let from = row.from[places.record] as number;
    let to = row.to[places.record] as number;
    if (record === undefined) {
      const values = Object.fromEntries(columns.map((column, at) => [column, fieldText(row, at)]));
      const whole = toRecord(values);
      if (!('record' in whole)) {
        for (const { column, allowed } of whole) {
          this.#problems.add({ row: row.number, column, problem: `allowed is ${allowed}` });
        }
        return undefined;
      }
      record = this.#shape.of(whole);
      id = Buffer.from(whole.record);
      from = 0;
      to = id.length;
    }
    const earlier = this.#ids.add(id, from, to, row.number);
    if (earlier === undefined) return record;
    this.#problems.addRepeated(row.number, earlier);
    return undefined;
  }

  #refuse({ number: row, broken, wrong, count }: RowBytes): void {
    const { columns } = this.#heading;
    if (broken !== undefined) {
      this.#problems.add({ row, problem: `${broken}; nothing after it could be read` });
    } else if (wrong.length > 0) {
      for (const { at, problem } of wrong) {
        const column = at === undefined ? undefined : columns[at];
        this.#problems.add({ row, problem, ...(column !== undefined && { column }) });
      }
    } else {
      this.#problems.add({ row, problem: `has ${count} fields; the header has ${columns.length}` });
    }
  }
}

import type { ErrorCode } from '#contracts/errors.ts';
import type { Fault, Result } from '#contracts/result.ts';
import { ok } from '#contracts/result.ts';
import { CheckpostError, toFault } from '#runtime/errors.ts';
import type { SqlValue } from '../store/index.ts';

export type Row = readonly SqlValue[];

/** A table as the catalogue of its database has it. */
export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Its rows in this order are the same on either database. */
  readonly order: readonly string[];
  /** The column that counts up by itself, and the highest number that it ever gave. */
  readonly counted: { readonly column: string; readonly last: number } | undefined;
}

/**
 * One end of a copy: one connection to either database, with one transaction. Every member throws a CheckpostError;
 * `attempt` makes its fault of it.
 */
export interface Side {
  readonly kind: 'sqlite' | 'postgres';
  /** For messages; without a password. */
  readonly name: string;
  /** Keeps the centre off for as long as this is open. Throws STORE_LOCKED where one runs. */
  hold(): Promise<void>;
  /** Reading: everything is seen as it was at this moment. Writing: nothing of it is kept before `commit`. */
  begin(what: 'read' | 'write'): Promise<void>;
  commit(): Promise<void>;
  /** Statements without values. */
  run(sql: string): Promise<void>;
  all<T>(sql: string, ...values: Row): Promise<T[]>;
  /** All tables but `schemas`, by name. Throws STORE_FAILED where one has a column that a backup cannot carry. */
  tables(): Promise<Table[]>;
  /** All rows in order, some at a time. */
  rows(table: Table): AsyncIterable<readonly Row[]>;
  insert(table: Table, rows: readonly Row[]): Promise<void>;
  /** The column that counts goes on above this number. */
  countOn(table: Table, last: number): Promise<void>;
  /** Ends it; what was not committed is undone. */
  close(): Promise<void>;
}

/** Rows that are held at a time: so many, or so many characters. */
export const rowsAtOnce = 500;
export const charactersAtOnce = 1_000_000;

/** Schema versions of the rooms; undefined where this is no database of a centre, or an empty one. */
export async function roomsOf(side: Side): Promise<Map<string, number>> {
  const rows = await side.all<{ room: string; version: number }>('SELECT room, version FROM schemas');
  return new Map(rows.map(({ room, version }) => [room, version]));
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** What is thrown in a copy becomes its fault; a defect is thrown on. Every side is closed in any case. */
export async function attempt<T>(
  sides: readonly (Side | undefined)[],
  work: () => Promise<T>,
): Promise<Result<T>> {
  let fault: Fault | undefined;
  try {
    return ok(await work());
  } catch (thrown) {
    if (!(thrown instanceof CheckpostError)) throw thrown;
    fault = toFault(thrown);
  } finally {
    for (const side of sides) await side?.close();
  }
  return { ok: false, fault };
}

export function refuse(code: ErrorCode, detail: string, cause?: unknown): never {
  throw new CheckpostError(code, detail, cause);
}

/** Cuts rows into batches of a bounded size. */
export class Batch {
  #rows: Row[] = [];
  #characters = 0;

  /** The batch that this row makes full. */
  add(row: Row): readonly Row[] | undefined {
    this.#rows.push(row);
    for (const value of row) this.#characters += typeof value === 'string' ? value.length : 8;
    return this.#rows.length >= rowsAtOnce || this.#characters >= charactersAtOnce ? this.take() : undefined;
  }

  take(): readonly Row[] {
    const rows = this.#rows;
    this.#rows = [];
    this.#characters = 0;
    return rows;
  }
}

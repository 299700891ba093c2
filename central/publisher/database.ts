import Database from 'better-sqlite3';
import { fail, type Result } from '#contracts/result.ts';
import { CheckpostError, systemCode } from '#runtime/errors.ts';
import { type CollectionOrder, type CollectionRead, readRows } from './collection.ts';
import { fieldsKept, type RowBytes, type RowSource, type WrongField } from './rows.ts';

export interface DatabaseQuery {
  /** A SQLite database; it is opened for reading only. */
  readonly file: string;
  /** One statement whose columns are called as those of the CSV (docs/collection.md). */
  readonly query: string;
}

type Value = string | bigint | number | Uint8Array | null;

const longestRow = 65_536;
const noWrong: readonly WrongField[] = [];

/**
 * Reads a collection from a query of a SQLite database; its first row is row 1. NULL is nothing, text and whole numbers
 * are what they say, anything else is wrong. Faults: FILE_REFUSED (the database cannot be opened or read),
 * COLLECTION_INVALID (the query, its columns, or all that is wrong in its rows).
 */
export async function readDatabase<R>(
  { file, query }: DatabaseQuery,
  order: CollectionOrder<R>,
): Promise<Result<CollectionRead>> {
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { readonly: true, fileMustExist: true });
    const statement = database.prepare<[], Value[]>(query);
    if (!statement.reader) {
      return fail('COLLECTION_INVALID', `${order.name}: the query is none that gives rows.`);
    }
    const names = statement.columns().map(({ name }) => name);
    // Only so can 3 be told from 3.0.
    const values = statement.raw().safeIntegers().iterate();
    return await readRows(new QueryRows(names, values), order);
  } catch (cause) {
    return refused(order.name, cause);
  } finally {
    database?.close();
  }
}

/** Of preparing a query: SQLite's words name what stands in the query, and hold no values. */
function refused(name: string, cause: unknown): Result<never> {
  const code = systemCode(cause);
  if (code !== 'SQLITE_ERROR' && code?.startsWith('SQLITE_') === true) {
    return fail('FILE_REFUSED', `${name} cannot be read (${code}).`, cause);
  }
  // More than one statement, or one with parameters, is a RangeError without a code; a folder that is not there is a TypeError.
  if (cause instanceof TypeError) return fail('FILE_REFUSED', `${name} cannot be opened.`, cause);
  if (code === undefined && !(cause instanceof RangeError)) throw cause;
  return fail('COLLECTION_INVALID', `${name}: the query cannot be read: ${(cause as Error).message}.`, cause);
}

/** The rows of a query, each written out as bytes, so that they are looked at as those of a CSV are. */
class QueryRows implements RowSource {
  readonly heading = 'The columns of the query';
  readonly #rows: IterableIterator<Value[]>;
  readonly #names: readonly string[];
  readonly #bytes = Buffer.alloc(longestRow);
  readonly #from = new Int32Array(fieldsKept);
  readonly #to = new Int32Array(fieldsKept);
  #end = 0;
  #number = -1;

  constructor(names: readonly string[], rows: IterableIterator<Value[]>) {
    this.#names = names;
    this.#rows = rows;
  }

  next(): RowBytes | undefined {
    this.#number++;
    if (this.#number === 0) return this.#row(this.#names);
    const next = this.#step();
    return next.done === true ? undefined : this.#row(next.value);
  }

  more(): Promise<boolean> {
    return Promise.resolve(false);
  }

  close(): Promise<void> {
    this.#rows.return?.();
    return Promise.resolve();
  }

  #step(): IteratorResult<Value[], unknown> {
    try {
      return this.#rows.next();
    } catch (cause) {
      const code = systemCode(cause);
      if (code !== 'SQLITE_ERROR') throw cause;
      // In the midst of the rows SQLite's words may hold values.
      throw new CheckpostError('COLLECTION_INVALID', `The query fails at row ${this.#number}.`, cause);
    }
  }

  #row(values: readonly Value[]): RowBytes {
    this.#end = 0;
    let wrong = noWrong;
    const kept = Math.min(values.length, fieldsKept);
    for (let at = 0; at < kept; at++) {
      const problem = this.#write(at, values[at] as Value);
      if (problem !== undefined) wrong = [...wrong, { at, problem }];
    }
    return {
      number: this.#number,
      bytes: this.#bytes,
      from: this.#from,
      to: this.#to,
      count: values.length,
      wrong,
      broken: undefined,
    };
  }

  /** Writes a value behind the one before; what is wrong where that cannot be done. */
  #write(at: number, value: Value): string | undefined {
    const from = this.#end;
    this.#from[at] = from;
    this.#to[at] = from;
    if (value === null) return undefined;
    if (typeof value !== 'string' && typeof value !== 'bigint') {
      return 'allowed is text, a whole number, or nothing';
    }
    const text = typeof value === 'string' ? value : value.toString();
    // Three bytes is the most that a UTF-16 unit takes.
    if (from + text.length * 3 > longestRow) return 'the row is longer than any record';
    this.#end = from + this.#bytes.write(text, from, 'utf8');
    this.#to[at] = this.#end;
    return undefined;
  }
}

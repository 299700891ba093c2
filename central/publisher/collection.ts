import { setImmediate as rest } from 'node:timers/promises';
import { fail, ok, type Result } from '#contracts/result.ts';
import { CheckpostError, systemCode } from '#runtime/errors.ts';
import { type Chunks, CsvRows } from './csv.ts';
import { readHeading } from './heading.ts';
import { ProblemList } from './problems.ts';
import { RecordIds } from './record-ids.ts';
import type { RowSource } from './rows.ts';
import { RowCheck, type Shape } from './row-check.ts';

/** What is read, and what becomes of it. */
export interface CollectionOrder<R> {
  /** How faults call the collection: its file, or where else it comes from. */
  readonly name: string;
  /** What the caller needs of a record: `wholeRecords`, or `editionRows()`. */
  readonly shape: Shape<R>;
  /** A folder for a nameless file of hashed ids, where there are millions of records. */
  readonly work: string;
  /**
   * Gets what is right, in order, after at most `batchRows` rows, perhaps nothing; the next rows are read when it has
   * ended. All of it is only worth something once the whole reading is ok. What it throws goes through.
   */
  readonly take: (records: readonly R[]) => void | Promise<void>;
  /** So many ids are compared in memory. */
  readonly idsInMemory?: number;
}

export interface CollectionRead {
  readonly records: number;
}

export const batchRows = 1000;

/**
 * Reads the CSV of a collection (docs/collection.md) from any chunks of bytes: a file (`readFileChunks`), a pipe. Faults:
 * COLLECTION_INVALID with all that is wrong, by row and column, never with what stands there; FILE_REFUSED where the
 * chunks end in an error, or the work folder is full.
 */
export function readCollection<R>(
  chunks: Chunks,
  order: CollectionOrder<R>,
): Promise<Result<CollectionRead>> {
  return readRows(new CsvRows(chunks), order);
}

/** Reads a collection from any source of rows, and closes it. Faults as `readCollection`. */
export async function readRows<R>(
  source: RowSource,
  order: CollectionOrder<R>,
): Promise<Result<CollectionRead>> {
  const ids = new RecordIds({
    folder: order.work,
    ...(order.idsInMemory !== undefined && { inMemory: order.idsInMemory }),
  });
  try {
    return await read(source, ids, order);
  } finally {
    ids.close();
    await source.close().catch(() => {});
  }
}

async function read<R>(
  source: RowSource,
  ids: RecordIds,
  order: CollectionOrder<R>,
): Promise<Result<CollectionRead>> {
  const { name, shape, take } = order;
  const places = await attempt(name, () => readHeading(source));
  if (!places.ok) return places;
  if (!places.value.ok) return fail(places.value.fault.code, `${name}: ${places.value.fault.detail}`);
  const problems = new ProblemList();
  const check = new RowCheck(places.value.value, { shape, ids, problems });
  let records = 0;
  for (;;) {
    const batch = await attempt(name, () => gather(source, check));
    if (!batch.ok) return batch;
    if (batch.value === undefined) break;
    records += batch.value.length;
    await take(batch.value);
  }
  const compared = await attempt(name, async () => {
    for (const repeated of ids.repeated()) {
      for (const { row, earlier } of repeated) problems.addRepeated(row, earlier);
      await rest();
    }
  });
  if (!compared.ok) return compared;
  return problems.fault(name) ?? ok({ records });
}

/** The records of the next rows; undefined at the end. */
async function gather<R>(source: RowSource, check: RowCheck<R>): Promise<R[] | undefined> {
  const records: R[] = [];
  for (let rows = 0; rows < batchRows;) {
    const row = source.next();
    if (row === undefined) {
      if (await source.more()) continue;
      return rows === 0 ? undefined : records;
    }
    rows++;
    const record = check.look(row);
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** Makes a fault of what the system throws; a mistake of ours goes through. */
async function attempt<T>(name: string, act: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await act());
  } catch (cause) {
    if (cause instanceof CheckpostError) return fail(cause.code, cause.detail, cause.cause);
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    return fail('FILE_REFUSED', `${name} cannot be read (${code}).`, cause);
  }
}

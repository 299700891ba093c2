import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as rest } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { SearchKey } from '#contracts/search-key.ts';
import { type WallTime, wall } from '#contracts/units.ts';
import type { CollectionState, MatchedRecord } from '#contracts/verdict.ts';
import { instant } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import {
  type Chunks,
  type CollectionRecord,
  readCollection,
  readFileChunks,
  wholeRecords,
} from '../publisher/index.ts';
import { type Connections, failed, openDatabase } from './database.ts';

/** What one question found, and in which state of the collection: both of the same moment. */
export interface Found {
  readonly source: CollectionState;
  /** In the order of the keys asked for. */
  readonly records: readonly { readonly key: SearchKey; readonly record: MatchedRecord }[];
}

interface Kept extends CollectionState {
  readonly sha256: string;
}

interface Row {
  readonly record: string;
  readonly document_type: MatchedRecord['documentType'];
  readonly kind_of_loss: MatchedRecord['kindOfLoss'];
  readonly reported_on: string;
  readonly reported_by: string;
  readonly lost_on: string | null;
  readonly reference: string | null;
  readonly remark: string | null;
}

/** The collection in SQLite, as the centre answers from it. */
export class CollectionStore {
  readonly #file: string;
  readonly #db: Connections;
  readonly #select: Database.Statement<[string], Row>;

  private constructor(file: string, db: Connections) {
    this.#file = file;
    this.#db = db;
    this.#select = db.reader.prepare('SELECT * FROM records WHERE key = ? ORDER BY record');
  }

  /** Opens the database in this file; see `begunAnew`. Faults: STORE_NEWER, STORE_FAILED. */
  static open(file: string): Result<CollectionStore> {
    const db = openDatabase(file);
    if (!db.ok) return db;
    try {
      return ok(new CollectionStore(file, db.value));
    } catch (cause) {
      close(db.value);
      return failed(file, cause);
    }
  }

  /** The database was damaged when it was opened, and is empty until the collection has been loaded again. */
  get begunAnew(): boolean {
    return this.#db.begunAnew;
  }

  /** What is loaded; undefined where nothing ever was. */
  state(): CollectionState | undefined {
    const kept = this.#kept(this.#db.reader);
    if (kept === undefined) return undefined;
    const { collection, version, date, count } = kept;
    return { collection, version, date, count };
  }

  /** All records under these keys. Faults: STORE_FAILED, also where nothing was ever loaded: never an empty answer. */
  find(keys: readonly SearchKey[]): Result<Found> {
    try {
      return this.#db.reader.transaction((): Result<Found> => {
        const source = this.state();
        if (source === undefined) return fail('STORE_FAILED', 'The collection has not been loaded yet.');
        const records = keys.flatMap((key) => {
          return this.#select.all(key).map((row) => ({ key, record: toMatched(row) }));
        });
        return ok({ source, records });
      })();
    } catch (cause) {
      return failed(this.#file, cause);
    }
  }

  /**
   * Loads a collection's CSV if it is not the one that is loaded: all of it becomes visible at once, or nothing. The
   * collection's date is that of the file, for that is how old its knowledge is; a file written again with the same
   * content makes the same version younger. Faults: FILE_REFUSED, COLLECTION_INVALID, STORE_FAILED.
   */
  async load(csv: string, now: WallTime): Promise<Result<'loaded' | 'unchanged'>> {
    let handle: FileHandle;
    try {
      handle = await open(csv, 'r');
    } catch (cause) {
      return unreadable(csv, cause);
    }
    const { writer } = this.#db;
    try {
      return await this.#loadFrom({ csv, handle, now });
    } catch (cause) {
      return failed(this.#file, cause);
    } finally {
      if (writer.open && writer.inTransaction) writer.exec('ROLLBACK');
      await handle.close();
    }
  }

  async #loadFrom(from: LoadOrder): Promise<Result<'loaded' | 'unchanged'>> {
    const { csv, handle, now } = from;
    const { writer } = this.#db;
    const known = await describe(from);
    if (!known.ok) return known;
    const { sha256, date } = known.value;
    const kept = this.#kept(writer);
    if (kept?.sha256 === sha256) {
      if (date > kept.date) writer.prepare('UPDATE collection SET date = ?').run(date);
      return ok('unchanged');
    }
    writer.exec('BEGIN IMMEDIATE');
    writer.exec('DELETE FROM records');
    const insert = insertInto(writer);
    // Once more, of what is really loaded: the file may be written over meanwhile.
    const hash = createHash('sha256');
    const loaded = await readCollection(hashed(readFileChunks(handle), hash), {
      name: csv,
      shape: wholeRecords,
      work: dirname(this.#file),
      take: async (records) => {
        for (const record of records) insert(record);
        // Lookups that wait get their turn.
        await rest();
      },
    });
    if (!loaded.ok) return loaded;
    const version = Math.max(Math.floor(now / 1000), (kept?.version ?? 0) + 1);
    writer
      .prepare(
        `INSERT OR REPLACE INTO collection (name, version, date, count, sha256) VALUES ('sltd', ?, ?, ?, ?)`,
      )
      .run(version, date, loaded.value.records, hash.digest('hex'));
    writer.exec('COMMIT');
    writer.pragma('wal_checkpoint(TRUNCATE)');
    return ok('loaded');
  }

  close(): void {
    close(this.#db);
  }

  #kept(db: Database.Database): Kept | undefined {
    return db.prepare('SELECT name AS collection, version, date, count, sha256 FROM collection').get() as
      | Kept
      | undefined;
  }
}

function close(db: Connections): void {
  db.reader.close();
  db.writer.close();
}

function insertInto(db: Database.Database): (record: CollectionRecord) => void {
  const insert = db.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  return (record) => {
    insert.run(
      record.key,
      record.record,
      record.documentType,
      record.kindOfLoss,
      record.reportedOn,
      record.reportedBy,
      record.lostOn ?? null,
      record.reference ?? null,
      record.remark ?? null,
    );
  };
}

function toMatched(row: Row): MatchedRecord {
  return {
    documentType: row.document_type,
    kindOfLoss: row.kind_of_loss,
    reportedOn: row.reported_on,
    reportedBy: row.reported_by,
    record: row.record,
    ...(row.lost_on !== null && { lostOn: row.lost_on }),
    ...(row.reference !== null && { reference: row.reference }),
    ...(row.remark !== null && { remark: row.remark }),
  };
}

interface LoadOrder {
  readonly csv: string;
  readonly handle: FileHandle;
  readonly now: WallTime;
}

/** The hash of a file and when it was last written; never later than now, whatever its time stamp says. */
async function describe({ csv, handle, now }: LoadOrder): Promise<Result<{ sha256: string; date: string }>> {
  try {
    const { mtimeMs } = await handle.stat();
    const hash = createHash('sha256');
    for await (const chunk of readFileChunks(handle)) hash.update(chunk);
    return ok({ sha256: hash.digest('hex'), date: instant(wall(Math.floor(Math.min(mtimeMs, now)))) });
  } catch (cause) {
    return unreadable(csv, cause);
  }
}

async function* hashed(chunks: Chunks, hash: Hash): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

function unreadable(file: string, cause: unknown) {
  return fail('FILE_REFUSED', `${file} cannot be read (${systemCode(cause) ?? 'unknown'}).`, cause);
}

import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode } from '#runtime/errors.ts';

/** Two connections to one database: what is being loaded through the one is not seen through the other until it is done. */
export interface Connections {
  readonly writer: Database.Database;
  readonly reader: Database.Database;
  /** The file was damaged, and a new one was begun. */
  readonly begunAnew: boolean;
}

const schemaVersion = 1;
const schema = `
  CREATE TABLE records (
    key TEXT NOT NULL,
    record TEXT NOT NULL,
    document_type TEXT NOT NULL,
    kind_of_loss TEXT NOT NULL,
    reported_on TEXT NOT NULL,
    reported_by TEXT NOT NULL,
    lost_on TEXT,
    reference TEXT,
    remark TEXT,
    PRIMARY KEY (key, record)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE collection (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    date TEXT NOT NULL,
    count INTEGER NOT NULL,
    sha256 TEXT NOT NULL
  ) STRICT;
`;

/**
 * Opens the database of the collection, or makes it. It holds nothing but what the CSV says: a damaged one is thrown
 * away and loaded again. Faults: STORE_NEWER, STORE_FAILED.
 */
export function openDatabase(file: string): Result<Connections> {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    return connect(file, false);
  } catch (first) {
    if (!isDamage(first)) return failed(file, first);
  }
  try {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    return connect(file, true);
  } catch (cause) {
    return failed(file, cause);
  }
}

function connect(file: string, begunAnew: boolean): Result<Connections> {
  const writer = new Database(file, { timeout: 2000 });
  try {
    writer.pragma('journal_mode = WAL');
    writer.pragma('synchronous = FULL');
    const version = writer.pragma('user_version', { simple: true }) as number;
    if (version > schemaVersion) {
      writer.close();
      return fail('STORE_NEWER', `${file} has schema ${version}; this release knows ${schemaVersion}.`);
    }
    if (version < schemaVersion) {
      writer.transaction(() => {
        writer.exec(schema);
        writer.pragma(`user_version = ${schemaVersion}`);
      })();
    }
    if (writer.pragma('quick_check(1)', { simple: true }) !== 'ok') throw new DamagedError();
    return ok({ writer, reader: new Database(file, { readonly: true, timeout: 2000 }), begunAnew });
  } catch (thrown) {
    writer.close();
    throw thrown;
  }
}

class DamagedError extends Error {
  readonly code = 'SQLITE_CORRUPT';
}

function isDamage(thrown: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(systemCode(thrown) ?? '');
}

export function failed(file: string, cause: unknown) {
  return fail('STORE_FAILED', `${file} (${systemCode(cause) ?? 'unknown'}).`, cause);
}

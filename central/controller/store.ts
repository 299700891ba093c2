import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { ErrorCode } from '#contracts/errors.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';
import { CheckpostError, systemCode } from '#runtime/errors.ts';
import { migrations } from './schema.ts';

export type SqlValue = string | number | null;

/** The controller's one database; this process is its only writer. */
export interface ControllerStore {
  run(sql: string, ...values: SqlValue[]): number;
  get<T>(sql: string, ...values: SqlValue[]): T | undefined;
  all<T>(sql: string, ...values: SqlValue[]): T[];
  /** One durable transaction: when this is ok, the change was synced to disk; on any failure nothing of it is kept. */
  transaction<T>(work: () => T): Result<T>;
  /** Transactions that failed since the start. */
  errors(): number;
  close(): void;
}

const name = 'controller.db';

/**
 * Opens `controller.db` in `folder`. A damaged one is set aside, unchanged, and a new one is begun: terminals send
 * again what they still owe, and what they no longer keep is recorded as lost. Faults: STORE_LOCKED, STORE_NEWER,
 * STORE_FAILED, FILE_REFUSED.
 */
export function openControllerStore(
  folder: string,
  now: WallTime,
): Result<{ store: ControllerStore; setAside?: string }> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    return fail('FILE_REFUSED', `${folder} cannot be made (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
  const file = join(folder, name);
  const lock = takeLock(`${file}.lock`);
  if (!lock.ok) return lock;
  const first = open(file, lock.value);
  if (first.ok) return ok({ store: first.value });
  if (first.fault.code !== 'STORE_CORRUPT') {
    lock.value.close();
    return first;
  }
  const setAside = `${name}.damaged-${new Date(now).toISOString().replace(/[:.]/g, '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    try {
      renameSync(`${file}${suffix}`, `${join(folder, setAside)}${suffix}`);
    } catch (thrown) {
      if (systemCode(thrown) !== 'ENOENT') throw thrown;
    }
  }
  const second = open(file, lock.value);
  if (second.ok) return ok({ store: second.value, setAside });
  lock.value.close();
  return second;
}

/** A lock that the system gives up with the process, however it ends. */
function takeLock(file: string): Result<Database.Database> {
  let lock: Database.Database | undefined;
  try {
    lock = new Database(file, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return ok(lock);
  } catch (cause) {
    lock?.close();
    return faultOf(cause, file);
  }
}

function open(file: string, lock: Database.Database): Result<ControllerStore> {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { timeout: 1000 });
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    const check = db.pragma('quick_check(1)', { simple: true });
    if (check !== 'ok') throw new CheckpostError('STORE_CORRUPT', `${file} fails its own check.`);
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version > migrations.length) {
      throw new CheckpostError(
        'STORE_NEWER',
        `${file} has schema ${version}; this release knows ${migrations.length}.`,
      );
    }
    const migrated = db;
    migrated.transaction(() => {
      for (const migration of migrations.slice(version)) migrated.exec(migration);
      migrated.pragma(`user_version = ${migrations.length}`);
    })();
    return ok(new SqliteStore(migrated, file, lock));
  } catch (cause) {
    db?.close();
    return faultOf(cause, file);
  }
}

class SqliteStore implements ControllerStore {
  readonly #db: Database.Database;
  readonly #file: string;
  readonly #lock: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  #errors = 0;
  #broken: Fault | undefined;

  constructor(db: Database.Database, file: string, lock: Database.Database) {
    this.#db = db;
    this.#file = file;
    this.#lock = lock;
  }

  run(sql: string, ...values: SqlValue[]): number {
    return this.#prepare(sql).run(...values).changes;
  }

  get<T>(sql: string, ...values: SqlValue[]): T | undefined {
    return this.#prepare(sql).get(...values) as T | undefined;
  }

  all<T>(sql: string, ...values: SqlValue[]): T[] {
    return this.#prepare(sql).all(...values) as T[];
  }

  transaction<T>(work: () => T): Result<T> {
    const done = this.#attempt(work);
    if (!done.ok) this.#errors++;
    return done;
  }

  errors(): number {
    return this.#errors;
  }

  close(): void {
    this.#db.close();
    this.#lock.close();
  }

  #attempt<T>(work: () => T): Result<T> {
    if (this.#broken !== undefined) return { ok: false, fault: this.#broken };
    try {
      return ok(this.#db.transaction(work).immediate());
    } catch (cause) {
      const failed = faultOf(cause, this.#file);
      // After a sync that failed, one that succeeds proves nothing: the kernel may have dropped the pages.
      if (/^SQLITE_IOERR.*FSYNC/.test(systemCode(cause) ?? '')) this.#broken = failed.fault;
      return failed;
    }
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** What SQLite and we ourselves throw becomes a fault; anything else is a defect and is thrown on. */
function faultOf(cause: unknown, file: string): { ok: false; fault: Fault } {
  if (cause instanceof CheckpostError) return fail(cause.code, cause.detail, cause.cause);
  const sqlite = systemCode(cause) ?? '';
  if (
    !sqlite.startsWith('SQLITE_') &&
    !/^(The database connection is not open|Cannot open database)/.test(messageOf(cause))
  )
    throw cause;
  return fail(codeOf(sqlite), `${file}: ${messageOf(cause)}`, cause);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function codeOf(sqlite: string): ErrorCode {
  if (sqlite.startsWith('SQLITE_CORRUPT') || sqlite === 'SQLITE_NOTADB') return 'STORE_CORRUPT';
  if (sqlite.startsWith('SQLITE_BUSY') || sqlite.startsWith('SQLITE_LOCKED')) return 'STORE_LOCKED';
  if (sqlite === 'SQLITE_FULL') return 'STORE_FULL';
  return 'STORE_FAILED';
}

import Database from 'better-sqlite3';
import type { ErrorCode } from '#contracts/errors.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { CheckpostError, systemCode } from '#runtime/errors.ts';
import type { Reserve } from './reserve.ts';
import { migrations } from './schema.ts';

export type SqlValue = string | number | bigint | Buffer | null;

/** The terminal's one database: this process is its only writer. Every call is synchronous and fast. */
export interface Store {
  /** Runs a statement; the number of rows changed. */
  run(sql: string, ...values: SqlValue[]): number;
  get<T>(sql: string, ...values: SqlValue[]): T | undefined;
  all<T>(sql: string, ...values: SqlValue[]): T[];
  /**
   * Runs `work` as one durable transaction: when this returns ok, the change has been synced to disk (one append to
   * the write-ahead log and one sync). On any failure nothing of it is kept.
   */
  transaction<T>(work: () => T): Result<T>;
  /** A value of the `meta` table. */
  meta(key: string): string | undefined;
  setMeta(key: string, value: string): void;
  /** Whether writing has failed in a way that only a restart can mend. */
  broken(): boolean;
  /** Moves the write-ahead log into the database; called when nothing waits, never on the way of a frame. */
  checkpoint(): void;
  close(): void;
}

export interface StoreOptions {
  /** Given up when the disk is full, so that recording goes on. */
  readonly reserve?: Reserve;
}

/**
 * Opens the database as its one writer and brings it to the present schema. A second writer on the same file is refused
 * (STORE_LOCKED); readers such as `checkpost audit verify` are not.
 */
export function openStore(file: string, options: StoreOptions = {}): Result<Store> {
  const lock = takeLock(`${file}.lock`);
  if (!lock.ok) return lock;
  const store = openDatabase(file, lock.value, options);
  if (!store.ok) lock.value.close();
  return store;
}

/** A lock that the system gives up with the process, however it ends: a transaction on a file of its own. */
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

function openDatabase(file: string, lock: Database.Database, options: StoreOptions): Result<Store> {
  let db: Database.Database;
  try {
    db = new Database(file, { timeout: 1000 });
  } catch (cause) {
    return faultOf(cause, file);
  }
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('wal_autocheckpoint = 0');
    db.pragma('cache_size = -2048');
    db.pragma('journal_size_limit = 4194304');
    if (db.pragma('quick_check(1)', { simple: true }) !== 'ok') {
      db.close();
      return fail('STORE_CORRUPT', `${file} fails its own check.`);
    }
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version > migrations.length) {
      db.close();
      return fail('STORE_NEWER', `${file} has schema ${version}; this release knows ${migrations.length}.`);
    }
    db.transaction(() => {
      for (const migration of migrations.slice(version)) db.exec(migration);
      db.pragma(`user_version = ${migrations.length}`);
    })();
  } catch (cause) {
    db.close();
    return faultOf(cause, file);
  }
  return ok(new SqliteStore(db, file, lock, options.reserve));
}

class SqliteStore implements Store {
  readonly #db: Database.Database;
  readonly #file: string;
  readonly #lock: Database.Database;
  readonly #reserve: Reserve | undefined;
  readonly #statements = new Map<string, Database.Statement>();

  #broken: Fault | undefined;
  #written = false;

  constructor(db: Database.Database, file: string, lock: Database.Database, reserve: Reserve | undefined) {
    this.#reserve = reserve;
    this.#db = db;
    this.#lock = lock;
    this.#file = file;
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
    if (this.#broken !== undefined) return { ok: false, fault: this.#broken };
    const first = this.#attempt(work);
    if (first.ok || first.fault.code !== 'STORE_FULL' || this.#reserve?.release() !== true) return first;
    return this.#attempt(work);
  }

  broken(): boolean {
    return this.#broken !== undefined;
  }

  #attempt<T>(work: () => T): Result<T> {
    this.#written = true;
    try {
      return ok(this.#db.transaction(work).immediate());
    } catch (cause) {
      if (cause instanceof CheckpostError) return fail(cause.code, cause.detail, cause.cause);
      const failed = faultOf(cause, this.#file);
      // After a sync that failed, one that succeeds proves nothing: the kernel may have dropped the pages.
      if (/^SQLITE_IOERR.*FSYNC/.test(systemCode(cause) ?? '')) this.#broken = failed.fault;
      return failed;
    }
  }

  meta(key: string): string | undefined {
    return this.get<{ value: string }>('SELECT value FROM meta WHERE key = ?', key)?.value;
  }

  setMeta(key: string, value: string): void {
    this.run(
      'INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      key,
      value,
    );
  }

  checkpoint(): void {
    if (!this.#written || this.#broken !== undefined) return;
    this.#written = false;
    this.#db.pragma('wal_checkpoint(PASSIVE)');
  }

  close(): void {
    this.#db.close();
    this.#lock.close();
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

function faultOf(cause: unknown, file: string): { ok: false; fault: Fault } {
  const sqlite = systemCode(cause) ?? '';
  const message = cause instanceof Error ? cause.message : String(cause);
  return fail(codeOf(sqlite), `${file}: ${message}`, cause);
}

function codeOf(sqlite: string): ErrorCode {
  if (sqlite.startsWith('SQLITE_CORRUPT') || sqlite === 'SQLITE_NOTADB') return 'STORE_CORRUPT';
  if (sqlite.startsWith('SQLITE_BUSY') || sqlite.startsWith('SQLITE_LOCKED')) return 'STORE_LOCKED';
  if (sqlite === 'SQLITE_FULL') return 'STORE_FULL';
  return 'STORE_FAILED';
}

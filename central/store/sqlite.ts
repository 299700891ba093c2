import { renameSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { ErrorCode } from '#contracts/errors.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';
import { CheckpostError, systemCode } from '#runtime/errors.ts';
import type { Announcement, Db, Dialect, Lead, Schema, SqlValue, Tx, WriteTx } from './db.ts';

export const sqliteDialect: Dialect = {
  counted: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  strict: 'STRICT',
  text: 'TEXT',
  integer: 'INTEGER',
  real: 'REAL',
};

/**
 * Opens a database file as its one writer (STORE_LOCKED where there is another) and brings every room's tables up to
 * date. Faults: STORE_LOCKED, STORE_NEWER, STORE_CORRUPT, STORE_FULL, STORE_FAILED.
 */
export function openSqlite(file: string, schemas: readonly Schema[]): Result<Db> {
  const lock = takeLock(`${file}.lock`);
  if (!lock.ok) return lock;
  const opened = open(file, schemas, lock.value);
  if (!opened.ok) lock.value.close();
  return opened;
}

/**
 * As `openSqlite`; but a damaged file is set aside, unchanged, and a new one is begun: terminals send again what they
 * still owe, and what they no longer keep is recorded as lost. `setAside` is the new name of the old file.
 */
export function openSqliteOrBegin(
  file: string,
  schemas: readonly Schema[],
  now: WallTime,
): Result<{ readonly db: Db; readonly setAside?: string }> {
  const lock = takeLock(`${file}.lock`);
  if (!lock.ok) return lock;
  const first = open(file, schemas, lock.value);
  if (first.ok) return ok({ db: first.value });
  if (first.fault.code !== 'STORE_CORRUPT') {
    lock.value.close();
    return first;
  }
  const setAside = `${file}.damaged-${new Date(now).toISOString().replace(/[:.]/g, '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    try {
      renameSync(`${file}${suffix}`, `${setAside}${suffix}`);
    } catch (thrown) {
      if (systemCode(thrown) !== 'ENOENT') throw thrown;
    }
  }
  const second = open(file, schemas, lock.value);
  if (second.ok) return ok({ db: second.value, setAside });
  lock.value.close();
  return second;
}

function open(file: string, schemas: readonly Schema[], lock: Database.Database): Result<Db> {
  let writer: Database.Database | undefined;
  try {
    writer = new Database(file, { timeout: 1000 });
    writer.pragma('journal_mode = WAL');
    writer.pragma('synchronous = FULL');
    const check = writer.pragma('quick_check(1)', { simple: true });
    if (check !== 'ok') throw new CheckpostError('STORE_CORRUPT', `${file} fails its own check.`);
    for (const schema of schemas) migrate(writer, schema, file);
    const reader = new Database(file, { readonly: true, timeout: 1000 });
    return ok(new SqliteDb({ writer, reader, lock, file }));
  } catch (cause) {
    writer?.close();
    return faultOf(cause, file);
  }
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

function migrate(db: Database.Database, { room, migrations }: Schema, file: string): void {
  db.transaction(() => {
    db.exec('CREATE TABLE IF NOT EXISTS schemas (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT');
    const row = db.prepare('SELECT version FROM schemas WHERE room = ?').get(room) as
      | { version: number }
      | undefined;
    const version = row?.version ?? 0;
    if (version > migrations.length)
      throw new CheckpostError(
        'STORE_NEWER',
        `${file} has schema ${version} of ${room}; this release knows ${migrations.length}.`,
      );
    for (const migration of migrations.slice(version)) db.exec(migration(sqliteDialect));
    db.prepare(
      'INSERT INTO schemas VALUES (?, ?) ON CONFLICT (room) DO UPDATE SET version = excluded.version',
    ).run(room, migrations.length);
  })();
}

class SqliteDb implements Db {
  readonly kind = 'sqlite';
  readonly #file: string;
  readonly #writer: Connection;
  readonly #reader: Connection;
  readonly #lock: Database.Database;
  readonly #listeners = new Set<(announcement: Announcement) => void>();
  readonly #leads = new Map<string, () => void>();
  /** Transactions run one after the other: while one awaits, no other statement may come between. */
  #turn: Promise<unknown> = Promise.resolve();
  #errors = 0;
  #broken: Fault | undefined;

  constructor(parts: {
    writer: Database.Database;
    reader: Database.Database;
    lock: Database.Database;
    file: string;
  }) {
    this.#file = parts.file;
    this.#writer = new Connection(parts.writer);
    this.#reader = new Connection(parts.reader);
    this.#lock = parts.lock;
  }

  transaction<T>(work: (tx: WriteTx) => Promise<T>): Promise<Result<T>> {
    const mine = this.#turn.then(() => this.#attempt(work));
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async read<T>(work: (tx: Tx) => Promise<T>): Promise<Result<T>> {
    try {
      return ok(await work(this.#reader));
    } catch (cause) {
      return this.#failed(cause);
    }
  }

  listen(listener: (announcement: Announcement) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** There is one process: it leads, once for each name. */
  lead(name: string): Promise<Result<Lead | undefined>> {
    if (this.#leads.has(name)) return Promise.resolve(ok(undefined));
    const { promise: lost, resolve } = Promise.withResolvers<void>();
    this.#leads.set(name, resolve);
    return Promise.resolve(
      ok({
        lost,
        release: () => {
          this.#leads.delete(name);
          resolve();
          return Promise.resolve();
        },
      }),
    );
  }

  errors(): number {
    return this.#errors;
  }

  async close(): Promise<void> {
    for (const lose of this.#leads.values()) lose();
    await this.#turn;
    this.#reader.close();
    this.#writer.close();
    this.#lock.close();
  }

  async #attempt<T>(work: (tx: WriteTx) => Promise<T>): Promise<Result<T>> {
    if (this.#broken !== undefined) return { ok: false, fault: this.#broken };
    const announced = new Map<string, Announcement>();
    const connection = this.#writer;
    const tx: WriteTx = {
      run: (sql, ...values) => connection.run(sql, ...values),
      get: (sql, ...values) => connection.get(sql, ...values),
      all: (sql, ...values) => connection.all(sql, ...values),
      lock: () => Promise.resolve(),
      announce: (kind, key) => void announced.set(`${kind} ${key}`, { kind, key }),
    };
    let value: T;
    try {
      connection.exec('BEGIN IMMEDIATE');
      value = await work(tx);
      connection.exec('COMMIT');
    } catch (cause) {
      connection.rollBack();
      return this.#failed(cause);
    }
    for (const one of announced.values()) for (const listener of this.#listeners) listener(one);
    return ok(value);
  }

  #failed(cause: unknown): { ok: false; fault: Fault } {
    const failed = faultOf(cause, this.#file);
    this.#errors++;
    // After a sync that failed, one that succeeds proves nothing: the kernel may have dropped the pages.
    if (/^SQLITE_IOERR.*FSYNC/.test(systemCode(cause) ?? '')) this.#broken = failed.fault;
    return failed;
  }
}

/** One connection with its prepared statements. It answers at once; only its form is that of a database far away. */
class Connection implements Tx {
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  constructor(db: Database.Database) {
    this.#db = db;
  }

  async run(sql: string, ...values: readonly SqlValue[]): Promise<number> {
    return this.#prepare(sql).run(...values).changes;
  }

  async get<T>(sql: string, ...values: readonly SqlValue[]): Promise<T | undefined> {
    return this.#prepare(sql).get(...values) as T | undefined;
  }

  async all<T>(sql: string, ...values: readonly SqlValue[]): Promise<T[]> {
    return this.#prepare(sql).all(...values) as T[];
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  rollBack(): void {
    if (this.#db.open && this.#db.inTransaction) this.#db.exec('ROLLBACK');
  }

  close(): void {
    this.#db.close();
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
  const message = cause instanceof Error ? cause.message : String(cause);
  if (
    !sqlite.startsWith('SQLITE_') &&
    !/^(The database connection is not open|Cannot open database)/.test(message)
  )
    throw cause;
  return fail(codeOf(sqlite), `${file}: ${message}`, cause);
}

function codeOf(sqlite: string): ErrorCode {
  if (sqlite.startsWith('SQLITE_CORRUPT') || sqlite === 'SQLITE_NOTADB') return 'STORE_CORRUPT';
  if (sqlite.startsWith('SQLITE_BUSY') || sqlite.startsWith('SQLITE_LOCKED')) return 'STORE_LOCKED';
  if (sqlite === 'SQLITE_FULL') return 'STORE_FULL';
  return 'STORE_FAILED';
}

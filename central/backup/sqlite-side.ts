import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { ErrorCode } from '#contracts/errors.ts';
import type { WallTime } from '#contracts/units.ts';
import { CheckpostError, systemCode } from '#runtime/errors.ts';
import type { SqlValue } from '../store/index.ts';
import { Batch, quoted, refuse, type Row, type Side, type Table } from './side.ts';

export interface SqliteEnd {
  readonly file: string;
  /** Where it may be written, and may not be there yet. */
  readonly writable: boolean;
  /** A damaged file is set aside at this time, unchanged, and a new one is begun; left out: it is a fault. */
  readonly setAsideAt?: WallTime;
}

/**
 * A file of SQLite. While it is read the centre may run and write: the reader sees the state of its beginning, and what
 * is written meanwhile waits in the file `-wal`.
 */
export class SqliteSide implements Side {
  readonly kind = 'sqlite';
  readonly name: string;
  readonly #end: SqliteEnd;
  #lock: Database.Database | undefined;
  #db: Database.Database | undefined;

  constructor(end: SqliteEnd) {
    this.#end = end;
    this.name = end.file;
  }

  async hold(): Promise<void> {
    this.#try(() => {
      if (this.#end.writable) mkdirSync(dirname(this.#end.file), { recursive: true, mode: 0o700 });
      else this.#mustExist();
      this.#lock = new Database(`${this.#end.file}.lock`, { timeout: 0 });
      this.#lock.exec('BEGIN EXCLUSIVE');
    });
  }

  async begin(what: 'read' | 'write'): Promise<void> {
    this.#try(() => {
      if (!this.#end.writable) this.#mustExist();
      this.#open();
      // A reader has its state with the first thing that it reads.
      this.#opened.exec(what === 'read' ? 'BEGIN; SELECT count(*) FROM sqlite_schema' : 'BEGIN IMMEDIATE');
    });
  }

  async commit(): Promise<void> {
    this.#try(() => this.#opened.exec('COMMIT'));
  }

  async run(sql: string): Promise<void> {
    this.#try(() => this.#opened.exec(sql));
  }

  async all<T>(sql: string, ...values: Row): Promise<T[]> {
    return this.#try(() => this.#opened.prepare(sql).all(...values) as T[]);
  }

  async tables(): Promise<Table[]> {
    const names = await this.all<{ name: string; sql: string }>(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'schemas' ORDER BY name",
    );
    const counts = names.some(({ sql }) => /\bAUTOINCREMENT\b/i.test(sql))
      ? await this.all<{ name: string; seq: number }>('SELECT name, seq FROM sqlite_sequence')
      : [];
    return names.map(({ name, sql }) => {
      const columns = this.#try(
        () =>
          this.#opened.pragma(`table_info(${quoted(name)})`) as { name: string; type: string; pk: number }[],
      );
      for (const { name: column, type } of columns)
        if (!['TEXT', 'INTEGER', 'REAL'].includes(type))
          refuse('STORE_FAILED', `${name}.${column} is of type ${type}, which a backup cannot carry.`);
      const key = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
      const [first] = key;
      const isCounted = /\bAUTOINCREMENT\b/i.test(sql) && first !== undefined;
      return {
        name,
        columns: columns.map((column) => column.name),
        order: (key.length > 0 ? key : columns).map((column) => column.name),
        counted: isCounted
          ? { column: first.name, last: counts.find((one) => one.name === name)?.seq ?? 0 }
          : undefined,
      };
    });
  }

  async *rows(table: Table): AsyncIterable<readonly Row[]> {
    const columns = table.columns.map(quoted).join(', ');
    const order = table.order.map((name) => `${quoted(name)} NULLS FIRST`).join(', ');
    const found = this.#try(() =>
      this.#opened
        .prepare<[], SqlValue[]>(`SELECT ${columns} FROM ${quoted(table.name)} ORDER BY ${order}`)
        .raw()
        .iterate(),
    );
    const batch = new Batch();
    try {
      for (;;) {
        const next = this.#try(() => found.next());
        if (next.done === true) break;
        const full = batch.add(next.value);
        if (full !== undefined) yield full;
      }
    } finally {
      found.return?.();
    }
    yield batch.take();
  }

  async insert(table: Table, rows: readonly Row[]): Promise<void> {
    const columns = table.columns.map(quoted).join(', ');
    const marks = table.columns.map(() => '?').join(', ');
    this.#try(() => {
      const insert = this.#opened.prepare(`INSERT INTO ${quoted(table.name)} (${columns}) VALUES (${marks})`);
      for (const row of rows) insert.run(...row);
    });
  }

  async countOn(table: Table, last: number): Promise<void> {
    await this.all('DELETE FROM sqlite_sequence WHERE name = ? RETURNING name', table.name);
    if (last > 0)
      await this.all('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?) RETURNING seq', table.name, last);
  }

  async close(): Promise<void> {
    // Closing undoes what was not committed.
    this.#db?.close();
    this.#db = undefined;
    this.#lock?.close();
    this.#lock = undefined;
  }

  get #opened(): Database.Database {
    return this.#db ?? refuse('STORE_FAILED', `${this.#end.file} is not open.`);
  }

  #mustExist(): void {
    const { file } = this.#end;
    if (!existsSync(file))
      refuse('FILE_REFUSED', `${file} is not there: no centre has run with this configuration yet.`);
  }

  #open(): void {
    const { file, writable, setAsideAt } = this.#end;
    try {
      this.#db = openFile(file, writable);
    } catch (cause) {
      if (setAsideAt === undefined || codeOf(cause) !== 'STORE_CORRUPT') throw cause;
      const aside = `${file}.damaged-${new Date(setAsideAt).toISOString().replace(/[:.]/g, '-')}`;
      for (const suffix of ['', '-wal', '-shm'])
        if (existsSync(`${file}${suffix}`)) renameSync(`${file}${suffix}`, `${aside}${suffix}`);
      this.#db = openFile(file, writable);
    }
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      const code = codeOf(cause);
      if (code === undefined || cause instanceof CheckpostError) throw cause;
      return refuse(
        code,
        `${this.#end.file}: ${cause instanceof Error ? cause.message : String(cause)}.`,
        cause,
      );
    }
  }
}

function openFile(file: string, writable: boolean): Database.Database {
  const db = new Database(file, { timeout: 5000, readonly: !writable });
  try {
    if (writable) {
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
    }
    const check = db.pragma('quick_check(1)', { simple: true });
    if (check !== 'ok') refuse('STORE_CORRUPT', `${file} fails its own check.`);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** Undefined where the failure is not one of SQLite or the file system. */
function codeOf(cause: unknown): ErrorCode | undefined {
  const code = systemCode(cause) ?? '';
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' || code === 'STORE_CORRUPT')
    return 'STORE_CORRUPT';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'STORE_LOCKED';
  if (code === 'SQLITE_FULL') return 'STORE_FULL';
  if (code.startsWith('SQLITE_')) return 'STORE_FAILED';
  return /^E[A-Z]+$/.test(code) ? 'FILE_REFUSED' : undefined;
}

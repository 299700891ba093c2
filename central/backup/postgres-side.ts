import pg from 'pg';
import { CheckpostError, systemCode } from '#runtime/errors.ts';
import type { SqlValue } from '../store/index.ts';
import { Batch, quoted, refuse, type Row, rowsAtOnce, type Side, type Table } from './side.ts';

/** A server that is gone is noticed by then. */
const connectTimeoutMillis = 5000;
/** Most values in one statement are 65,535; so many keep it quick to read. */
const valuesAtOnce = 10_000;
/** BIGINT as a number, as the store reads it. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === 20 ? (value: string) => Number(value) : pg.types.getTypeParser(oid, format),
};

/** A database of PostgreSQL, through one connection. */
export class PostgresSide implements Side {
  readonly kind = 'postgres';
  readonly name: string;
  readonly #client: pg.Client;
  #connected = false;

  constructor(url: string) {
    this.name = withoutPassword(url);
    this.#client = new pg.Client({
      connectionString: url,
      types,
      connectionTimeoutMillis: connectTimeoutMillis,
      keepAlive: true,
      application_name: 'checkpost backup',
    });
    // The statement that needs the connection fails by itself.
    this.#client.on('error', () => {});
  }

  async hold(): Promise<void> {
    await this.#connect();
    const [lock] = await this.all<{ won: boolean }>(
      "SELECT pg_try_advisory_lock(hashtextextended('checkpost lead controller', 0)) AS won",
    );
    const [others] = await this.all<{ n: number }>(
      `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND (application_name IN ('checkpost', 'checkpost listen') OR application_name LIKE 'checkpost lead %')`,
    );
    if (lock?.won !== true || (others?.n ?? 0) > 0)
      refuse('STORE_LOCKED', `A centre runs on ${this.name}, or another command holds it.`);
  }

  async begin(what: 'read' | 'write'): Promise<void> {
    await this.#connect();
    await this.run(what === 'read' ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' : 'BEGIN');
    // A centre that starts meanwhile waits at its tables until this is over.
    if (what === 'write')
      await this.all("SELECT pg_advisory_xact_lock(hashtextextended('checkpost schemas', 0))");
  }

  async commit(): Promise<void> {
    await this.run('COMMIT');
  }

  async run(sql: string): Promise<void> {
    await this.#query(sql);
  }

  async all<T>(sql: string, ...values: Row): Promise<T[]> {
    let n = 0;
    return (await this.#query(
      sql.replaceAll('?', () => `$${++n}`),
      [...values],
    )) as T[];
  }

  async tables(): Promise<Table[]> {
    const columns = await this.all<{
      table: string;
      column: string;
      type: string;
      place: number | null;
      sequence: string | null;
    }>(
      `SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
         array_position(i.indkey::int2[], a.attnum) AS place,
         CASE WHEN a.attidentity <> '' THEN pg_get_serial_sequence(quote_ident(c.relname), a.attname) END AS sequence
       FROM pg_class c
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
       WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'schemas'
       ORDER BY c.relname COLLATE "C", a.attnum`,
    );
    const tables: Table[] = [];
    for (const [name, own] of Map.groupBy(columns, ({ table }) => table)) {
      for (const { column, type } of own)
        if (!['text', 'bigint', 'integer', 'double precision'].includes(type))
          refuse('STORE_FAILED', `${name}.${column} is of type ${type}, which a backup cannot carry.`);
      const key = own.filter(({ place }) => place !== null).sort((a, b) => (a.place ?? 0) - (b.place ?? 0));
      const counts = own.find(({ sequence }) => sequence !== null);
      tables.push({
        name,
        columns: own.map(({ column }) => column),
        order: (key.length > 0 ? key : own).map(({ column }) => column),
        counted:
          counts?.sequence === undefined || counts.sequence === null
            ? undefined
            : { column: counts.column, last: await this.#lastOf(counts.sequence, name, counts.column) },
      });
    }
    return tables;
  }

  async *rows(table: Table): AsyncIterable<readonly Row[]> {
    const columns = table.columns.map(quoted).join(', ');
    const order = table.order.map((name) => `${quoted(name)} NULLS FIRST`).join(', ');
    await this.run(
      `DECLARE copied NO SCROLL CURSOR FOR SELECT ${columns} FROM ${quoted(table.name)} ORDER BY ${order}`,
    );
    const batch = new Batch();
    for (;;) {
      const found = await this.#rows(`FETCH ${rowsAtOnce} FROM copied`);
      for (const row of found) {
        const full = batch.add(row);
        if (full !== undefined) yield full;
      }
      if (found.length < rowsAtOnce) break;
    }
    yield batch.take();
    await this.run('CLOSE copied');
  }

  async insert(table: Table, rows: readonly Row[]): Promise<void> {
    const columns = table.columns.map(quoted).join(', ');
    const atOnce = Math.max(1, Math.floor(valuesAtOnce / table.columns.length));
    const marks = `(${table.columns.map(() => '?').join(', ')})`;
    for (let from = 0; from < rows.length; from += atOnce) {
      const part = rows.slice(from, from + atOnce);
      await this.all(
        `INSERT INTO ${quoted(table.name)} (${columns}) VALUES ${part.map(() => marks).join(', ')}`,
        ...part.flat(),
      );
    }
  }

  async countOn(table: Table, last: number): Promise<void> {
    if (table.counted === undefined || last === 0) return;
    await this.all(
      'SELECT setval(pg_get_serial_sequence(?, ?), ?)',
      quoted(table.name),
      table.counted.column,
      last,
    );
  }

  async close(): Promise<void> {
    // The server undoes what was not committed, and gives its locks up.
    await this.#client.end().catch(() => {});
  }

  /** A row may have come with a number of its own, above those that the sequence gave. */
  async #lastOf(sequence: string, table: string, column: string): Promise<number> {
    const [row] = await this.all<{ last: number }>(
      `SELECT greatest(CASE WHEN is_called THEN last_value ELSE 0 END,
         (SELECT max(${quoted(column)}) FROM ${quoted(table)}), 0) AS last FROM ${sequence}`,
    );
    return row?.last ?? 0;
  }

  async #connect(): Promise<void> {
    if (this.#connected) return;
    try {
      await this.#client.connect();
      this.#connected = true;
    } catch (cause) {
      refuse('STORE_UNREACHABLE', `${this.name}: ${messageOf(cause)}.`, cause);
    }
  }

  async #query(sql: string, values?: SqlValue[]): Promise<unknown[]> {
    try {
      return (await this.#client.query<Record<string, unknown>>(sql, values)).rows;
    } catch (cause) {
      return this.#failed(cause);
    }
  }

  async #rows(sql: string): Promise<SqlValue[][]> {
    try {
      return (await this.#client.query<SqlValue[]>({ text: sql, rowMode: 'array' })).rows;
    } catch (cause) {
      return this.#failed(cause);
    }
  }

  #failed(cause: unknown): never {
    if (cause instanceof CheckpostError) throw cause;
    // SQLSTATE (PostgreSQL documentation, appendix A).
    const code = systemCode(cause) ?? '';
    const detail = `${this.name}: ${messageOf(cause)}${code === '' ? '' : ` (${code})`}.`;
    if (code.startsWith('53')) refuse('STORE_FULL', detail, cause);
    if (/^(08|57|28|3D)/.test(code) || /^E[A-Z]+$/.test(code) || code === '')
      refuse('STORE_UNREACHABLE', detail, cause);
    return refuse('STORE_FAILED', detail, cause);
  }
}

export function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.password = '';
    parsed.searchParams.delete('password');
    return parsed.href;
  } catch {
    return 'PostgreSQL';
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type Db, openPostgres, openSqlite, type Schema } from '#central/store/index.ts';
import type { Result } from '#contracts/result.ts';
import { systemClock } from '#runtime/clock.ts';
import { toError } from '#runtime/errors.ts';
import { afterUs, postgresMissing, startPostgres, type TestPostgres } from './postgres.ts';

/** An empty database of a test. */
export interface TestDatabase {
  /** The one that is open now: another object after `reopen`. */
  readonly db: Db;
  /** Closes it and opens it again, as a process does that starts again. */
  reopen(): Promise<Db>;
  /** A second process of the centre beside it; of PostgreSQL alone. */
  beside(): Promise<Db>;
  /** Closes it and takes it away. */
  close(): Promise<void>;
  /** Address of the file or of the database. */
  readonly at: string;
}

export interface DatabaseKind {
  readonly name: 'SQLite' | 'PostgreSQL';
  /** An empty database with these tables. */
  open(schemas: readonly Schema[]): Promise<TestDatabase>;
}

export type PostgresKind = DatabaseKind & {
  /** The server of this test file. */
  readonly server: () => TestPostgres;
};

/**
 * The databases that a room of the centre runs on, for `describe.each(databases())`: called at the top of a test file. One
 * server of PostgreSQL is started at its first use and stopped after the file. Where it is not installed, SQLite is
 * the only one, and `npm test` says so.
 */
export function databases(test = 'the centre on PostgreSQL'): DatabaseKind[] {
  const postgres = postgresKind(test);
  return postgres === undefined ? [sqliteKind] : [sqliteKind, postgres];
}

export function postgresKind(test: string): PostgresKind | undefined {
  if (postgresMissing(test) !== undefined) return undefined;
  let server: TestPostgres | undefined;
  afterAll(() => server?.close());
  const started = (): TestPostgres => (server ??= startPostgres());
  return {
    name: 'PostgreSQL',
    server: started,
    async open(schemas) {
      const url = started().create();
      const open = async (): Promise<Db> =>
        valueOf(await openPostgres({ url, clock: systemClock, random: Math.random }, schemas));
      return databaseOf(url, open, open, () => started().drop(url));
    },
  };
}

export const sqliteKind: DatabaseKind = {
  name: 'SQLite',
  async open(schemas) {
    const folder = mkdtempSync(join(tmpdir(), 'checkpost-sqlite-'));
    const done = afterUs(`rm -rf ${folder}`);
    const file = join(folder, 'test.db');
    const open = (): Promise<Db> => Promise.resolve(valueOf(openSqlite(file, schemas)));
    const beside = (): Promise<Db> => {
      throw new Error('SQLite has one process.');
    };
    return databaseOf(file, open, beside, () => {
      rmSync(folder, { recursive: true, force: true });
      done();
    });
  },
};

async function databaseOf(
  at: string,
  open: () => Promise<Db>,
  open2: () => Promise<Db>,
  remove: () => void,
): Promise<TestDatabase> {
  let db = await open();
  const others: Db[] = [];
  return {
    at,
    get db() {
      return db;
    },
    async reopen() {
      await db.close();
      db = await open();
      return db;
    },
    async beside() {
      const other = await open2();
      others.push(other);
      return other;
    },
    async close() {
      for (const one of [...others, db]) await one.close();
      remove();
    },
  };
}

function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw toError(result.fault);
  return result.value;
}

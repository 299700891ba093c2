import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '#runtime/clock.ts';
import { CheckpostError } from '#runtime/errors.ts';
import { wall } from '#contracts/units.ts';
import { type DatabaseKind, postgresKind, sqliteKind, type TestDatabase } from '#test/rigs/databases.ts';
import { eventually } from '#test/rigs/eventually.ts';
import {
  type Announcement,
  openCentralDb,
  openPostgres,
  openSqlite,
  openSqliteOrBegin,
  type Schema,
  sqliteName,
} from './index.ts';

const schema: Schema = {
  room: 'test',
  migrations: [
    (d) => `CREATE TABLE counts (
      id ${d.counted}, name ${d.text} NOT NULL UNIQUE, n ${d.integer} NOT NULL, share ${d.real}, note ${d.text}
    )${d.strict};
    CREATE INDEX counts_by_n ON counts (n);`,
  ],
};
const later: Schema = {
  room: 'test',
  migrations: [
    ...schema.migrations,
    (d) => `ALTER TABLE counts ADD COLUMN extra ${d.integer} NOT NULL DEFAULT 7`,
  ],
};
const insert = 'INSERT INTO counts (name, n) VALUES (?, ?)';
const postgres = postgresKind('the port of the database on PostgreSQL');
const kinds: DatabaseKind[] = [sqliteKind, ...(postgres === undefined ? [] : [postgres])];

describe.each(kinds)('$name', (kind) => {
  let at: TestDatabase;
  beforeEach(async () => {
    at = await kind.open([schema]);
  });
  afterEach(() => at.close());
  const names = async (): Promise<string[]> => {
    const read = await at.db.read((tx) => tx.all<{ name: string }>('SELECT name FROM counts ORDER BY id'));
    return read.ok ? read.value.map(({ name }) => name) : [read.fault.code];
  };

  test('what a transaction wrote is there after it, with numbers as numbers, and after a new start', async () => {
    const done = await at.db.transaction(async (tx) => {
      expect(
        await tx.run(
          'INSERT INTO counts (name, n, share, note) VALUES (?, ?, ?, ?)',
          'a',
          2 ** 53 - 1,
          0.25,
          null,
        ),
      ).toBe(1);
      return tx.get('INSERT INTO counts (name, n) VALUES (?, ?) RETURNING id, n', 'b', 1);
    });
    expect(done).toEqual({ ok: true, value: { id: 2, n: 1 } });
    await at.reopen();
    const read = await at.db.read((tx) =>
      tx.all(
        'SELECT id, name, n, share, note, (SELECT count(*) FROM counts) AS total FROM counts ORDER BY id',
      ),
    );
    expect(read).toEqual({
      ok: true,
      value: [
        { id: 1, name: 'a', n: 2 ** 53 - 1, share: 0.25, note: null, total: 2 },
        { id: 2, name: 'b', n: 1, share: null, note: null, total: 2 },
      ],
    });
  });

  test('where the work fails, nothing of it is kept and the fault is told', async () => {
    const refused = await at.db.transaction(async (tx) => {
      await tx.run(insert, 'a', 1);
      throw new CheckpostError('STORE_FULL', 'made up');
    });
    expect(refused).toMatchObject({ ok: false, fault: { code: 'STORE_FULL', detail: 'made up' } });
    const double = await at.db.transaction(async (tx) => {
      await tx.run(insert, 'a', 1);
      await tx.run(insert, 'a', 1);
    });
    expect(double).toMatchObject({ ok: false, fault: { code: 'STORE_FAILED' } });
    expect(await names()).toEqual([]);
    expect(at.db.errors()).toBe(2);
  });

  test('a defect in the work is thrown on, nothing is kept, and the next transaction runs', async () => {
    await expect(
      at.db.transaction(async (tx) => {
        await tx.run(insert, 'a', 1);
        throw new TypeError('a defect');
      }),
    ).rejects.toThrow('a defect');
    expect(await at.db.transaction((tx) => tx.run(insert, 'b', 1))).toMatchObject({ ok: true });
    expect(await names()).toEqual(['b']);
  });

  test('who locks a name reads what the one before wrote: no count is lost', async () => {
    await at.db.transaction((tx) => tx.run(insert, 'a', 0));
    const add = () =>
      at.db.transaction(async (tx) => {
        await tx.lock('count:a');
        const row = await tx.get<{ n: number }>('SELECT n FROM counts WHERE name = ?', 'a');
        await tx.run('UPDATE counts SET n = ? WHERE name = ?', (row?.n ?? 0) + 1, 'a');
      });
    await Promise.all(Array.from({ length: 40 }, add));
    expect(await at.db.read((tx) => tx.get('SELECT n FROM counts'))).toEqual({ ok: true, value: { n: 40 } });
  });

  test('a reader does not see what is not committed, and does not wait for it', async () => {
    const written = Promise.withResolvers<void>();
    const seen = Promise.withResolvers<void>();
    const writing = at.db.transaction(async (tx) => {
      await tx.run(insert, 'a', 1);
      written.resolve();
      await seen.promise;
    });
    await written.promise;
    expect(await names()).toEqual([]);
    seen.resolve();
    await writing;
    expect(await names()).toEqual(['a']);
  });

  test('an upsert with a key of two, a LIKE and a LIMIT are understood', async () => {
    const put = (n: number) =>
      at.db.transaction((tx) =>
        tx.run(
          'INSERT INTO counts (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = excluded.n WHERE counts.n < excluded.n',
          'a',
          n,
        ),
      );
    expect(await put(2)).toEqual({ ok: true, value: 1 });
    expect(await put(1)).toEqual({ ok: true, value: 0 });
    expect(
      await at.db.read((tx) =>
        tx.all('SELECT n FROM counts WHERE name LIKE ? ORDER BY n LIMIT ? OFFSET ?', 'a%', 10, 0),
      ),
    ).toEqual({ ok: true, value: [{ n: 2 }] });
  });

  test('an announcement is told once, after the commit; one of a transaction that failed never', async () => {
    const told: string[] = [];
    const stop = at.db.listen(({ kind: what, key }) => told.push(`${what} ${key}`));
    await at.db.transaction(async (tx) => {
      tx.announce('terminal', 'lost');
      await tx.run('INSERT INTO counts (nothing) VALUES (?)', 1);
    });
    await at.db.transaction(async (tx) => {
      tx.announce('terminal', 'T-1');
      tx.announce('terminal', 'T-1');
      tx.announce('terminal', 'T-2');
      await tx.run(insert, 'a', 1);
      expect(told).toEqual([]);
    });
    await eventually(() => told.length === 2, { what: 'both announcements' });
    expect(told).toEqual(['terminal T-1', 'terminal T-2']);
    stop();
    await at.db.transaction(async (tx) => tx.announce('terminal', 'T-3'));
    await at.db.transaction(async (tx) => tx.announce('terminal', 'T-4'));
    expect(told).toHaveLength(2);
  });

  test('one at a time has the lead of a name, until it releases it or closes', async () => {
    const first = await at.db.lead('controller');
    expect(first).toMatchObject({ ok: true, value: { release: expect.any(Function) } });
    expect(await at.db.lead('controller')).toEqual({ ok: true, value: undefined });
    expect(await at.db.lead('other')).toMatchObject({ ok: true, value: { release: expect.any(Function) } });
    if (first.ok) await first.value?.release();
    const second = await eventually(async () => {
      const won = await at.db.lead('controller');
      return won.ok && won.value;
    });
    await at.reopen();
    await second.lost;
    const third = await eventually(async () => {
      const won = await at.db.lead('controller');
      return won.ok && won.value;
    });
    await third.release();
  });
});

describe('SQLite', () => {
  let folder: string;
  const file = () => join(folder, 'test.db');
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'checkpost-db-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('a second process is refused, a newer schema too, an older one is brought up to date', async () => {
    const opened = openSqlite(file(), [schema]);
    if (!opened.ok) throw new Error(opened.fault.detail);
    await opened.value.transaction((tx) => tx.run(insert, 'a', 1));
    expect(openSqlite(file(), [schema])).toMatchObject({ ok: false, fault: { code: 'STORE_LOCKED' } });
    await opened.value.close();
    const newer = openSqlite(file(), [later]);
    if (!newer.ok) throw new Error(newer.fault.detail);
    expect(await newer.value.read((tx) => tx.get('SELECT extra FROM counts'))).toEqual({
      ok: true,
      value: { extra: 7 },
    });
    await newer.value.close();
    expect(openSqlite(file(), [schema])).toMatchObject({ ok: false, fault: { code: 'STORE_NEWER' } });
    expect(openSqlite(file(), [later])).toMatchObject({ ok: true });
  });

  test('a damaged file is a fault, or is set aside unchanged where that is asked for', async () => {
    writeFileSync(file(), 'not a database, but long enough to be taken for one '.repeat(100));
    expect(openSqlite(file(), [schema])).toMatchObject({ ok: false, fault: { code: 'STORE_CORRUPT' } });
    const begun = openSqliteOrBegin(file(), [schema], wall(Date.parse('2026-01-15T08:00:00Z')));
    expect(begun).toMatchObject({
      ok: true,
      value: { setAside: `${file()}.damaged-2026-01-15T08-00-00-000Z` },
    });
    if (begun.ok) await begun.value.db.close();
    expect(readdirSync(folder)).toContain('test.db.damaged-2026-01-15T08-00-00-000Z');
  });

  test('when it is closed, a statement is a fault and no crash', async () => {
    const opened = openSqlite(file(), [schema]);
    if (!opened.ok) throw new Error(opened.fault.detail);
    await opened.value.close();
    expect(await opened.value.transaction((tx) => tx.run(insert, 'a', 1))).toMatchObject({
      ok: false,
      fault: { code: 'STORE_FAILED' },
    });
    expect(await opened.value.read((tx) => tx.get('SELECT 1'))).toMatchObject({ ok: false });
  });
});

describe.skipIf(postgres === undefined)('PostgreSQL', () => {
  let at: TestDatabase;
  const kind = () => {
    if (postgres === undefined) throw new Error('PostgreSQL is missing');
    return postgres;
  };
  const parts = (url: string) => ({ url, clock: systemClock, random: Math.random });
  beforeEach(async () => {
    at = await kind().open([schema]);
  });
  afterEach(() => at.close());

  test('what one process announces, the other hears', async () => {
    const told: Announcement[] = [];
    const other = await at.beside();
    other.listen((one) => told.push(one));
    await at.db.transaction(async (tx) => tx.announce('hit', '12'));
    await eventually(() => told.length > 0, { what: 'the announcement' });
    expect(told).toEqual([{ kind: 'hit', key: '12' }]);
  });

  test('the lead is lost when its connection is killed, and another process wins it', async () => {
    const other = await at.beside();
    const first = await at.db.lead('controller');
    if (!first.ok || first.value === undefined) throw new Error('no lead');
    expect(await other.lead('controller')).toEqual({ ok: true, value: undefined });
    kind()
      .server()
      .sql(
        at.at,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'checkpost lead controller'`,
      );
    await first.value.lost;
    expect(await other.lead('controller')).toMatchObject({ ok: true, value: { lost: expect.any(Promise) } });
  });

  test('when the server starts again, faults are told meanwhile, then it works on and listeners hear `all`', async () => {
    const told: string[] = [];
    at.db.listen(({ kind: what }) => told.push(what));
    expect(await at.db.transaction((tx) => tx.run(insert, 'a', 1))).toMatchObject({ ok: true });
    kind().server().stop();
    expect(await at.db.transaction((tx) => tx.run(insert, 'b', 1))).toMatchObject({
      ok: false,
      fault: { code: 'STORE_UNREACHABLE' },
    });
    expect(await at.db.lead('controller')).toMatchObject({ ok: false, fault: { code: 'STORE_UNREACHABLE' } });
    kind().server().start();
    await eventually(async () => (await at.db.transaction((tx) => tx.run(insert, 'c', 1))).ok);
    await eventually(() => told.includes('all'), { what: 'the announcement of all' });
    await at.db.transaction(async (tx) => tx.announce('terminal', 'T-1'));
    await eventually(() => told.includes('terminal'));
    expect(await at.db.read((tx) => tx.all('SELECT name FROM counts ORDER BY id'))).toMatchObject({
      value: [{ name: 'a' }, { name: 'c' }],
    });
  });

  test('a restart in the middle of a transaction is a fault, and nothing of it is kept', async () => {
    const broken = await at.db.transaction(async (tx) => {
      await tx.run(insert, 'a', 1);
      kind().server().restart();
      await tx.run(insert, 'b', 1);
    });
    expect(broken).toMatchObject({ ok: false, fault: { code: 'STORE_UNREACHABLE' } });
    const read = await eventually(async () => {
      const done = await at.db.read((tx) => tx.all('SELECT name FROM counts'));
      return done.ok && done;
    });
    expect(read.value).toEqual([]);
  });

  test('a connection that is lost while nothing is asked of it is a fault, and so is a question after the end', async () => {
    const broken = await at.db.transaction(async (tx) => {
      await tx.run(insert, 'a', 1);
      kind()
        .server()
        .sql(
          at.at,
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'",
        );
      // The word of it arrives while we do something else.
      for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
      await tx.run(insert, 'b', 1);
    });
    expect(broken).toMatchObject({ ok: false, fault: { code: 'STORE_UNREACHABLE' } });
    const other = await openPostgres(parts(at.at), [schema]);
    if (!other.ok) throw new Error(other.fault.detail);
    await other.value.close();
    expect(await other.value.read((tx) => tx.get('SELECT 1'))).toMatchObject({ ok: false });
    expect(await other.value.transaction((tx) => tx.run(insert, 'c', 1))).toMatchObject({ ok: false });
  });

  test('two transactions that lock each other out are both done in the end', async () => {
    const both = (first: string, second: string) =>
      at.db.transaction(async (tx) => {
        await tx.lock(first);
        await tx.get('SELECT pg_sleep(0.1)');
        await tx.lock(second);
        await tx.run(insert, first, 1);
      });
    expect(await Promise.all([both('a', 'b'), both('b', 'a')])).toMatchObject([{ ok: true }, { ok: true }]);
  });

  test('two processes that start together migrate once; a newer schema is refused', async () => {
    const url = kind().server().create();
    const opened = await Promise.all([openPostgres(parts(url), [later]), openPostgres(parts(url), [later])]);
    expect(opened).toMatchObject([{ ok: true }, { ok: true }]);
    for (const one of opened) if (one.ok) await one.value.close();
    expect(await openPostgres(parts(url), [schema])).toMatchObject({
      ok: false,
      fault: { code: 'STORE_NEWER' },
    });
    kind().server().drop(url);
  });

  test('the settings say which database it is: an address, or a file in the folder of the databases', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'checkpost-db-'));
    const given = { clock: systemClock, random: Math.random };
    for (const [store, kindOf] of [
      [{ url: at.at }, 'postgres'],
      [{}, 'sqlite'],
    ] as const) {
      const opened = await openCentralDb({ state: join(folder, 'state'), store }, [schema], given);
      expect(opened).toMatchObject({ ok: true, value: { db: { kind: kindOf } } });
      if (opened.ok) await opened.value.db.close();
    }
    expect(readdirSync(join(folder, 'state'))).toContain(sqliteName);
    writeFileSync(join(folder, 'file'), '');
    expect(await openCentralDb({ state: join(folder, 'file'), store: {} }, [schema], given)).toMatchObject({
      ok: false,
      fault: { code: 'FILE_REFUSED' },
    });
    rmSync(folder, { recursive: true, force: true });
  });

  test('an address where nobody listens is a fault', async () => {
    expect(await openPostgres(parts('postgres://nobody@127.0.0.1:1/none'), [schema])).toMatchObject({
      ok: false,
      fault: { code: 'STORE_UNREACHABLE' },
    });
  });

  test('text sorts by its bytes, whatever the locale of the server', async () => {
    for (const name of ['b', 'B', 'a', 'A', 'é']) await at.db.transaction((tx) => tx.run(insert, name, 1));
    const read = await at.db.read((tx) => tx.all<{ name: string }>('SELECT name FROM counts ORDER BY name'));
    expect(read).toMatchObject({ value: ['A', 'B', 'a', 'b', 'é'].map((name) => ({ name })) });
  });
});

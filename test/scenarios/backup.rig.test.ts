import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { backup, lastRestore, migrate, restore, settleRestore } from '#central/backup/index.ts';
import { centralSchemas as rooms } from '#central/main.ts';
import { type Db, openPostgres, openSqlite, type Schema, type WriteTx } from '#central/store/index.ts';
import type { Result } from '#contracts/result.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import { systemClock } from '#runtime/clock.ts';
import { CheckpostError, toError } from '#runtime/errors.ts';
import { loadSettings } from '#runtime/settings.ts';
import { postgresKind } from '#test/rigs/databases.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { ManagedProcess } from '#test/rigs/process.ts';

import { execute } from '../../bin/command.ts';
import { command as central } from '../../bin/commands/central.ts';

/** Backup, restore and migration on the real databases, with the tables of all rooms and some with every type. */
const root = resolve(import.meta.dirname, '../..');
const postgres = postgresKind('backup and restore of the centre on PostgreSQL');

const tried: Schema = {
  room: 'tried',
  migrations: [
    (d) => `
      CREATE TABLE counted (id ${d.counted}, word ${d.text}, share ${d.real}) ${d.strict};
      CREATE TABLE keyed (a ${d.text} NOT NULL, b ${d.integer} NOT NULL, body ${d.text}, PRIMARY KEY (b, a)) ${d.strict};
      CREATE TABLE bare (word ${d.text}, n ${d.integer}) ${d.strict};
    `,
    (d) => `ALTER TABLE bare ADD COLUMN later ${d.text};`,
  ],
};
const schemas = [...rooms, tried];

/** A configuration of a centre in a folder of its own, with a database of one kind. */
interface Place {
  readonly folder: string;
  readonly config: string;
  readonly settings: CentralSettings;
  open(known?: readonly Schema[]): Promise<Db>;
}

const folders: string[] = [];
const open: Db[] = [];
afterEach(async () => {
  for (const db of open.splice(0)) await db.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const kinds = [
  { name: 'SQLite', place: (): Place => placeWith({}) },
  ...(postgres === undefined
    ? []
    : [{ name: 'PostgreSQL', place: (): Place => placeWith({ url: postgres.server().create() }) }]),
];

function placeWith(store: { url?: string }): Place {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-backup-'));
  folders.push(folder);
  const config = join(folder, 'central.json');
  const credentials = { certificate: 'certificate.pem', key: 'key.pem' };
  const given = {
    state: 'state',
    registry: 'registry.json',
    moreRegistries: ['other.json'],
    tls: { authority: 'authority.pem', ...credentials },
    lookup: { port: 0, collection: 'collection.csv' },
    controller: { url: 'mqtts://localhost:1', ...credentials },
    store,
    orders: { key: 'key.pem', trusted: 'trusted.json' },
  };
  writeFileSync(config, JSON.stringify(given));
  for (const name of ['registry.json', 'other.json'])
    writeFileSync(join(folder, name), '{"v":1,"terminals":[]}');
  writeFileSync(join(folder, 'key.pem'), 'the secret key');
  mkdirSync(join(folder, 'state'));
  return {
    folder,
    config,
    settings: must(loadSettings(CentralSettings, config)),
    async open(known = schemas) {
      const opened =
        store.url === undefined
          ? openSqlite(join(folder, 'state/controller.db'), known)
          : await openPostgres({ url: store.url, clock: systemClock, random: Math.random }, known);
      const db = must(opened);
      open.push(db);
      return db;
    },
  };
}

async function close(db: Db): Promise<void> {
  open.splice(open.indexOf(db), 1);
  await db.close();
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw toError(result.fault);
  return result.value;
}

async function write(db: Db, work: (tx: WriteTx) => Promise<unknown>): Promise<void> {
  must(await db.transaction(work));
}

/** Some rows in every table of every room, and the awkward ones in those of this test. */
async function fillAll(place: Place): Promise<void> {
  const db = await place.open();
  for (const [table, columns] of Object.entries(await columnsOf(place))) {
    await write(db, async (tx) => {
      for (const n of [1, 2]) {
        const values = columns.map(({ name, type }) =>
          type !== 'TEXT' ? n : name === 'state' ? 'online' : `${name} „ñ” ${n} 🛂`,
        );
        await tx.run(
          `INSERT INTO ${table} (${columns.map(({ name }) => name).join(', ')}) VALUES (${values.map(() => '?').join(', ')})`,
          ...values,
        );
      }
    });
  }
  await write(db, async (tx) => {
    await tx.run('DELETE FROM counted');
    const rows = [
      ['', 0.1 + 0.2],
      ['quoted \' " \\ ? $1', -1.5e300],
      ['line\nend\u2028\t\u0001', 5e-324],
      [null, null],
      ['endless', Number.POSITIVE_INFINITY],
    ] as const;
    for (const row of rows) await tx.run('INSERT INTO counted (word, share) VALUES (?, ?)', ...row);
    for (const word of ['b', 'a', null])
      await tx.run('INSERT INTO bare (word, n) VALUES (?, ?)', word, 2 ** 53 - 1);
    for (let b = 0; b < 1200; b++)
      await tx.run('INSERT INTO keyed VALUES (?, ?, ?)', `Z${b % 7}`, b, 'x'.repeat(b % 90));
  });
  await close(db);
}

/** Columns of all tables, by the words of SQLite: the schemas are the same for both. */
async function columnsOf(place: Place): Promise<Record<string, { name: string; type: string }[]>> {
  const file = join(place.folder, 'catalogue.db');
  const db = must(openSqlite(file, schemas));
  const found: Record<string, { name: string; type: string }[]> = {};
  must(
    await db.read(async (tx) => {
      const tables = await tx.all<{ name: string }>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'schemas'",
      );
      for (const { name } of tables)
        found[name] = await tx.all(`SELECT name, type FROM pragma_table_info('${name}')`);
    }),
  );
  await db.close();
  return found;
}

const parts = { clock: systemClock, release: '9.9.9' };

async function backUp(place: Place, name = 'backup.gz'): Promise<string> {
  const out = join(place.folder, name);
  must(await backup({ settings: place.settings, out }, parts));
  return out;
}

const linesOf = (file: string): string[] =>
  gunzipSync(readFileSync(file)).toString('utf8').trimEnd().split('\n');

/** Tables and rows of a backup, without its header, its end, and what a restore adds. */
function contentOf(file: string): string[] {
  const lines = linesOf(file).slice(1, -1);
  const from = lines.findIndex((line) => line.startsWith('{"table":"restores"'));
  const next = lines.findIndex((line, n) => n > from && line.startsWith('{"table"'));
  return from < 0 ? lines : [...lines.slice(0, from), ...lines.slice(next < 0 ? lines.length : next)];
}

const restoring = (place: Place, from: string, replace = false, known: readonly Schema[] = schemas) =>
  restore({ settings: place.settings, from, replace }, { clock: systemClock, schemas: known });

/** One table with one row: another state than what is restored. */
async function putOld(place: Place): Promise<void> {
  const db = await place.open();
  await write(db, (tx) => tx.run("INSERT INTO bare (word) VALUES ('old')"));
  await close(db);
}

async function words(place: Place): Promise<(string | null)[]> {
  const db = await place.open();
  const rows = must(
    await db.read((tx) => tx.all<{ word: string | null }>('SELECT word FROM bare ORDER BY word')),
  );
  await close(db);
  return rows.map(({ word }) => word);
}

test('every room that has tables is among those that a restore makes', async () => {
  const files = globSync('central/*/schema.ts', { cwd: root });
  expect(files.length).toBeGreaterThanOrEqual(5);
  const found = await Promise.all(
    files.map(
      async (file) => (await import(pathToFileURL(join(root, file)).href)) as Record<string, unknown>,
    ),
  );
  const named = found.flatMap((exports) =>
    Object.values(exports).flatMap((one) => {
      const { room } = (one ?? {}) as { room?: string };
      return room === undefined ? [] : [room];
    }),
  );
  expect(rooms.map(({ room }) => room).toSorted()).toEqual(named.toSorted());
});

describe.each(kinds)('backup and restore on $name', ({ place }) => {
  test('a restored centre holds row for row what the backup was made of, and knows that it was restored', async () => {
    const from = place();
    await fillAll(from);
    const file = await backUp(from);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const to = place();
    const done = must(await restoring(to, file));
    expect(done.rows).toMatchObject({ keyed: 1202, terminals: 2, alerts: 2, operator_audit: 2, layers: 2 });
    expect(contentOf(await backUp(to))).toEqual(contentOf(file));
    const db = await to.open();
    const note = must(await db.read(lastRestore));
    expect(note).toMatchObject({ takenAt: done.takenAt });
    expect(Date.parse(note?.restoredAt ?? '')).toBeGreaterThanOrEqual(Date.parse(done.takenAt));
  });

  test('after a restore every room draws its consequences once, in one transaction', async () => {
    const from = place();
    await fillAll(from);
    const before = await from.open();
    await write(before, (tx) => tx.run("UPDATE restores SET settled_at = ''"));
    expect(must(await settleRestore(before, systemClock, []))).toBeUndefined();
    await close(before);
    const file = await backUp(from);
    const to = place();
    const { takenAt } = must(await restoring(to, file));
    const db = await to.open();
    const room = (tx: WriteTx, restored: { takenAt: string }) =>
      tx.run('INSERT INTO bare (word) VALUES (?)', restored.takenAt);
    const failing = () => {
      throw new CheckpostError('STORE_FAILED', 'This room fails.');
    };
    expect(await settleRestore(db, systemClock, [room, failing])).toMatchObject({ ok: false });
    expect(must(await settleRestore(db, systemClock, [room]))).toMatchObject({ takenAt });
    expect(must(await settleRestore(db, systemClock, [room]))).toBeUndefined();
    const rows = must(await db.read((tx) => tx.all('SELECT word FROM bare WHERE word = ?', takenAt)));
    expect(rows).toHaveLength(1);
  });

  test('numbers go on above the highest that was ever given, also where its row is gone', async () => {
    const from = place();
    const before = await from.open();
    await write(before, async (tx) => {
      for (const word of ['a', 'b', 'c']) await tx.run('INSERT INTO counted (word) VALUES (?)', word);
      await tx.run("DELETE FROM counted WHERE word = 'c'");
    });
    await close(before);
    const file = await backUp(from);
    const to = place();
    must(await restoring(to, file));
    const db = await to.open();
    await write(db, (tx) => tx.run("INSERT INTO counted (word) VALUES ('d')"));
    const rows = must(await db.read((tx) => tx.all('SELECT id, word FROM counted ORDER BY id')));
    expect(rows).toEqual([
      { id: 1, word: 'a' },
      { id: 2, word: 'b' },
      { id: 4, word: 'd' },
    ]);
  });

  test('a backup that is made while the centre writes is the state of one moment', async () => {
    const from = place();
    const db = await from.open();
    const pair = (n: number) =>
      write(db, async (tx) => {
        await tx.run('INSERT INTO bare (n) VALUES (?)', n);
        await tx.run('INSERT INTO keyed VALUES (?, ?, ?)', 'pair', n, 'y'.repeat(300));
      });
    await write(db, async (tx) => {
      for (let n = 0; n < 8000; n++) {
        await tx.run('INSERT INTO bare (n) VALUES (?)', n);
        await tx.run(
          'INSERT INTO keyed VALUES (?, ?, ?)',
          'pair',
          n,
          createHash('sha512').update(String(n)).digest('hex'),
        );
      }
    });
    let written = 8000;
    const over = new AbortController();
    const writing = (async () => {
      while (!over.signal.aborted) {
        await pair(written++);
        // SQLite answers at once: others would never have their turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const started = written;
    const file = await backUp(from);
    const ended = written;
    over.abort();
    await writing;
    const end = JSON.parse(linesOf(file).at(-1) ?? '') as { rows: Record<string, number> };
    expect(ended - started).toBeGreaterThan(3);
    expect(end.rows['bare']).toBe(end.rows['keyed']);
    expect(end.rows['bare']).toBeGreaterThanOrEqual(8000);
    expect(end.rows['bare']).toBeLessThanOrEqual(ended);
  });

  test('a file that is cut off, altered, or of something else is refused, and nothing is changed', async () => {
    const from = place();
    await fillAll(from);
    const whole = readFileSync(await backUp(from));
    const lines = gunzipSync(whole).toString('utf8').trimEnd().split('\n');
    const last = lines.length - 1;
    const packed = (changed: readonly string[]): Buffer => gzipSync(`${changed.join('\n')}\n`);
    const flipped = Buffer.from(whole);
    flipped[whole.length >> 1] = (flipped[whole.length >> 1] ?? 0) ^ 1;
    const row = lines.findLastIndex((line) => line.startsWith('["'));
    const damaged: Readonly<Record<string, readonly [Buffer, string]>> = {
      'cut in half': [whole.subarray(0, whole.length >> 1), 'BACKUP_INVALID'],
      'without its last byte': [whole.subarray(0, whole.length - 1), 'BACKUP_INVALID'],
      empty: [Buffer.alloc(0), 'BACKUP_INVALID'],
      'one bit flipped': [flipped, 'BACKUP_INVALID'],
      'not gzip': [Buffer.from('{"checkpost":"backup"}'), 'BACKUP_INVALID'],
      'without its end': [packed(lines.slice(0, last)), 'BACKUP_INVALID'],
      'a row less': [packed(lines.filter((_, n) => n !== row)), 'BACKUP_INVALID'],
      'a row altered': [
        packed(lines.map((line, n) => (n === row ? line.replace('["', '["~') : line))),
        'BACKUP_INVALID',
      ],
      'a row more': [packed(lines.toSpliced(row, 0, lines[row] ?? '')), 'BACKUP_INVALID'],
      'something after its end': [packed([...lines, '{}']), 'BACKUP_INVALID'],
      'of a newer format': [
        packed([(lines[0] ?? '').replace('"v":1', '"v":2'), ...lines.slice(1)]),
        'BACKUP_NEWER',
      ],
    };
    const to = place();
    await putOld(to);
    const file = join(to.folder, 'damaged.gz');
    for (const [what, [bytes, code]] of Object.entries(damaged)) {
      writeFileSync(file, bytes);
      const done = await restoring(to, file, true);
      expect(done, what).toMatchObject({ ok: false, fault: { code } });
    }
    expect(await restoring(to, join(to.folder, 'absent.gz'), true)).toMatchObject({
      fault: { code: 'FILE_REFUSED' },
    });
    expect(await words(to)).toEqual(['old']);
  });

  test('a backup whose rooms are newer than this release is refused; one of an older release is brought up to date', async () => {
    const from = place();
    const older = [...rooms, { ...tried, migrations: tried.migrations.slice(0, 1) }];
    const db = await from.open(older);
    await write(db, (tx) => tx.run("INSERT INTO bare (word) VALUES ('before')"));
    await close(db);
    const file = await backUp(from);
    const to = place();
    must(await restoring(to, file));
    expect(await words(to)).toEqual(['before']);
    const newer = await backUp(to, 'newer.gz');
    const other = place();
    expect(await restoring(other, newer, false, older)).toMatchObject({
      ok: false,
      fault: { code: 'BACKUP_NEWER' },
    });
    expect(await restoring(other, newer, false, rooms)).toMatchObject({
      ok: false,
      fault: { code: 'BACKUP_NEWER' },
    });
  });

  test('a database with rows is only given up where that was said', async () => {
    const from = place();
    await fillAll(from);
    const file = await backUp(from);
    const to = place();
    await putOld(to);
    expect(await restoring(to, file)).toMatchObject({ ok: false, fault: { code: 'STORE_NOT_EMPTY' } });
    expect(await words(to)).toEqual(['old']);
    must(await restoring(to, file, true));
    expect(contentOf(await backUp(to))).toEqual(contentOf(file));
  });

  test('nothing is restored or migrated while a centre runs', async () => {
    const from = place();
    await fillAll(from);
    const file = await backUp(from);
    const to = place();
    await putOld(to);
    const db = await to.open();
    const lead = must(await db.lead('controller'));
    expect(await restoring(to, file, true)).toMatchObject({ ok: false, fault: { code: 'STORE_LOCKED' } });
    await lead?.release();
    // One that does not lead runs as well.
    expect(await restoring(to, file, true)).toMatchObject({ ok: false, fault: { code: 'STORE_LOCKED' } });
    const other = 'url' in to.settings.store ? 'sqlite' : 'postgres://checkpost@localhost/none?host=/nowhere';
    const moved = await migrate(
      { settings: to.settings, to: other, replace: false, now: systemClock.wall() },
      schemas,
    );
    expect(moved).toMatchObject({ ok: false, fault: { code: 'STORE_LOCKED' } });
    await close(db);
    expect(await words(to)).toEqual(['old']);
  });

  test('a restore that is killed in the middle leaves the old state, and can be run again', async () => {
    const from = place();
    const db = await from.open(rooms);
    await write(db, async (tx) => {
      for (let n = 0; n < 40_000; n++)
        await tx.run(
          'INSERT INTO events (at, kind, text, severity) VALUES (?, ?, ?, ?)',
          '2026-01-01T00:00:00.000Z',
          'record',
          createHash('sha512').update(String(n)).digest('base64').repeat(3),
          'info',
        );
    });
    await close(db);
    const file = await backUp(from);
    const to = place();
    const old = await to.open(rooms);
    await write(old, (tx) =>
      tx.run("INSERT INTO events (at, kind, text, severity) VALUES ('', 'record', 'old', '')"),
    );
    await close(old);
    const child = new ManagedProcess({
      name: 'restore',
      command: process.execPath,
      args: [
        join(root, 'bin/main.ts'),
        'central',
        'restore',
        '--config',
        to.config,
        '--from',
        file,
        '--replace',
      ],
      logFile: join(to.folder, 'restore.log'),
    });
    const { url } = to.settings.store;
    const underWay = (): boolean =>
      url === undefined
        ? existsSync(join(to.folder, 'state/controller.db-wal')) &&
          statSync(join(to.folder, 'state/controller.db-wal')).size > 2_000_000
        : postgres
            ?.server()
            .sql(url, 'SELECT count(*) FROM pg_stat_activity WHERE query LIKE \'INSERT INTO "events"%\'') !==
          '0';
    await child.start();
    await eventually(underWay, { everyMs: 5, failAtOnce: () => !child.running, what: 'rows being written' });
    expect(await child.stop('SIGKILL')).toBeNull();
    const after = await eventually(async () => {
      const again = await to.open(rooms);
      const rows = must(await again.read((tx) => tx.all('SELECT text FROM events')));
      await close(again);
      return rows;
    });
    expect(after).toEqual([{ text: 'old' }]);
    const again = await eventually(async () => {
      const done = await restoring(to, file, true);
      return done.ok ? done.value : undefined;
    });
    expect(again.rows['events']).toBe(40_000);
  });

  test('the registry and the configuration go along where asked for, a private key or a password never', async () => {
    const from = place();
    const { url } = from.settings.store;
    if (url !== undefined) {
      const text = readFileSync(from.config, 'utf8').replace('checkpost@', 'checkpost:the-password@');
      writeFileSync(from.config, text);
    }
    await fillAll(from);
    const out = join(from.folder, 'with-files.gz');
    const settings = must(loadSettings(CentralSettings, from.config));
    must(await backup({ settings, out, withFiles: from.config }, parts));
    const text = gunzipSync(readFileSync(out)).toString('utf8');
    expect(text).not.toContain('the secret key');
    expect(text).not.toContain('the-password');
    const to = place();
    const laid = join(to.folder, 'laid');
    mkdirSync(laid);
    const done = must(
      await restore(
        { settings: to.settings, from: out, replace: false, files: laid },
        { clock: systemClock, schemas },
      ),
    );
    expect(readdirSync(laid).toSorted()).toEqual(['central.json', 'registry-2.json', 'registry.json']);
    expect(readFileSync(join(laid, 'registry.json'), 'utf8')).toBe('{"v":1,"terminals":[]}');
    expect(done.beside).toContainEqual({
      what: 'private key of the controller',
      path: join(from.folder, 'key.pem'),
    });
  });

  test('a backup that is stopped leaves no half file, and the one before it stays', async () => {
    const from = place();
    await fillAll(from);
    const out = await backUp(from);
    const before = readFileSync(out);
    const stopped = await backup({ settings: from.settings, out }, { ...parts, signal: AbortSignal.abort() });
    expect(stopped).toMatchObject({ ok: false, fault: { code: 'FILE_REFUSED' } });
    expect(readFileSync(out).equals(before)).toBe(true);
    expect(readdirSync(from.folder).filter((name) => name.endsWith('.new'))).toEqual([]);
  });
});

test('a damaged file of SQLite is set aside by a restore that may replace it', async () => {
  const from = placeWith({});
  await fillAll(from);
  const file = await backUp(from);
  const to = placeWith({});
  writeFileSync(join(to.folder, 'state/controller.db'), 'no database at all '.repeat(500));
  expect(await restoring(to, file)).toMatchObject({ ok: false, fault: { code: 'STORE_CORRUPT' } });
  must(await restoring(to, file, true));
  expect(contentOf(await backUp(to))).toEqual(contentOf(file));
  const [aside] = readdirSync(join(to.folder, 'state')).filter((name) => name.includes('.damaged-'));
  expect(readFileSync(join(to.folder, 'state', aside ?? ''), 'utf8')).toMatch(/^no database at all/);
});

describe.skipIf(postgres === undefined)('between the two', () => {
  const url = (): string => postgres?.server().create() ?? '';
  const at = { now: systemClock.wall(), replace: false };

  test('from SQLite to PostgreSQL and back, every row and every number is as it was', async () => {
    const first = placeWith({});
    await fillAll(first);
    const before = contentOf(await backUp(first));
    const second = placeWith({ url: url() });
    const to = second.settings.store.url ?? '';
    const there = must(await migrate({ settings: first.settings, to, ...at }, schemas));
    expect(there.rows).toMatchObject({ keyed: 1202, counted: 5, items: 2 });
    expect(contentOf(await backUp(second))).toEqual(before);
    const third = placeWith({ url: to });
    must(await migrate({ settings: third.settings, to: 'sqlite', ...at }, schemas));
    const last = { ...third, settings: { ...third.settings, store: {} } };
    expect(contentOf(await backUp(last))).toEqual(before);
    // And a backup of the one is restored into the other.
    const fourth = placeWith({ url: url() });
    must(await restoring(fourth, await backUp(first)));
    expect(contentOf(await backUp(fourth))).toEqual(before);
    // The centre goes on counting there.
    const db = await second.open();
    await write(db, (tx) => tx.run("INSERT INTO counted (word) VALUES ('next')"));
    const next = must(await db.read((tx) => tx.get("SELECT id FROM counted WHERE word = 'next'")));
    expect(next).toEqual({ id: 8 });
  });

  test('what PostgreSQL cannot hold ends the migration, and nothing is left there', async () => {
    const first = placeWith({});
    const db = await first.open();
    await write(db, (tx) => tx.run('INSERT INTO bare (word) VALUES (?)', 'a\u0000b'));
    await close(db);
    const to = url();
    const moved = await migrate({ settings: first.settings, to, ...at }, schemas);
    expect(moved).toMatchObject({ ok: false, fault: { code: 'STORE_FAILED' } });
    expect(postgres?.server().sql(to, "SELECT count(*) FROM pg_class WHERE relname = 'schemas'")).toBe('0');
  });

  test('a database of something else is never touched', async () => {
    const first = placeWith({});
    await fillAll(first);
    const to = url();
    postgres?.server().sql(to, 'CREATE TABLE theirs (n INTEGER)');
    const moved = await migrate({ settings: first.settings, to, ...at, replace: true }, schemas);
    expect(moved).toMatchObject({ ok: false, fault: { code: 'STORE_NOT_EMPTY' } });
    expect(postgres?.server().sql(to, "SELECT count(*) FROM pg_class WHERE relname = 'theirs'")).toBe('1');
  });

  test('every command of docs/backup.md and docs/scaling.md does what it says there', async () => {
    const place = placeWith({});
    const db = await place.open(rooms);
    await write(db, (tx) =>
      tx.run("INSERT INTO events (at, kind, text, severity) VALUES ('', 'record', 'kept', '')"),
    );
    await close(db);
    const to = url();
    const moved = join(place.folder, 'moved.json');
    const settings = JSON.parse(readFileSync(place.config, 'utf8')) as object;
    writeFileSync(moved, JSON.stringify({ ...settings, store: { url: to } }));
    const restoredAt = join(place.folder, 'restored.json');
    writeFileSync(restoredAt, JSON.stringify({ ...settings, state: 'restored' }));
    mkdirSync(join(place.folder, 'files'));
    const meant: Readonly<Record<string, string>> = {
      '/etc/checkpost/central.json': place.config,
      '/etc/checkpost/central-postgres.json': moved,
      '/etc/checkpost/central-new.json': restoredAt,
      '/var/backups/checkpost.gz': join(place.folder, 'documented.gz'),
      '/root/restored': join(place.folder, 'files'),
      'postgres://checkpost@db.example/checkpost': to,
    };
    const run: string[] = [];
    for (const page of ['docs/backup.md', 'docs/scaling.md']) {
      for (const line of readFileSync(join(root, page), 'utf8').split('\n')) {
        const [program, name, ...args] = line.trim().split(/ +/);
        if (program !== 'checkpost' || name !== 'central' || args[0]?.startsWith('--') !== false) continue;
        const argv = args.map((word) => meant[word] ?? word);
        let output = '';
        const sink = { write: (text: string) => (output += text) };
        const context = {
          stdin: process.stdin,
          stdout: sink,
          stderr: sink,
          env: {},
          signal: new AbortController().signal,
        };
        expect(await execute(central, argv, context), `${line}\n${output}`).toBe(0);
        run.push(args[0]);
      }
    }
    expect(new Set(run)).toEqual(new Set(['backup', 'restore', 'migrate']));
    expect(postgres?.server().sql(to, "SELECT text FROM events WHERE text = 'kept'")).toBe('kept');
  });
});

test('the verbs say what is missing, and the centre itself takes none of their options', async () => {
  let output = '';
  const sink = { write: (text: string) => (output += text) };
  const context = {
    stdin: process.stdin,
    stdout: sink,
    stderr: sink,
    env: {},
    signal: new AbortController().signal,
  };
  expect(await execute(central, ['backup', '--config', 'x.json'], context)).toBe(2);
  expect(output).toContain('--out is missing');
  expect(await execute(central, ['migrate', '--config', 'x.json', '--to', 'y', '--out', 'z'], context)).toBe(
    2,
  );
  expect(output).toContain('migrate takes no --out');
  expect(await execute(central, ['--config', 'x.json', '--replace'], context)).toBe(2);
  expect(await execute(central, ['unknown'], context)).toBe(2);
});

test('the dialects that a restore makes tables with are those of the store', async () => {
  const { dialects } = (await import(pathToFileURL(join(root, 'central/backup/dialects.ts')).href)) as {
    dialects: Record<string, unknown>;
  };
  const seen: Record<string, unknown> = {};
  const see = (kind: string): Schema => ({
    room: 'seen',
    migrations: [
      (d) => {
        seen[kind] = d;
        return 'SELECT 1;';
      },
    ],
  });
  for (const kind of kinds) await close(await kind.place().open([see(kind.name)]));
  expect(seen['SQLite']).toEqual(dialects['sqlite']);
  if (postgres !== undefined) expect(seen['PostgreSQL']).toEqual(dialects['postgres']);
});

import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { initAuthority } from '#provisioning/index.ts';
import { filesBelow, valueOf } from '#test/rigs/bureau.ts';
import { execute } from '../command.ts';
import { machineParts } from '../verbs.ts';
import { command } from './edition.ts';

const specimens = join(import.meta.dirname, '../../central/publisher/specimens.csv');
const text = readFileSync(specimens, 'utf8');
const passphrase = 'a specimen of a passphrase';
let bureau: string;
let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  bureau = mkdtempSync(join(tmpdir(), 'checkpost-edition-authority-'));
  const make = (name: string, secret: string | null) =>
    initAuthority({ dir: join(bureau, name), bureau: 'UTO', passphrase: secret }, machineParts);
  valueOf(await make('plain', null));
  valueOf(await make('sealed', passphrase));
  valueOf(await make('foreign', null));
});
afterAll(() => rmSync(bureau, { recursive: true, force: true }));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-edition-command-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function typed(
  argv: readonly string[],
  stdin: NodeJS.ReadableStream = new PassThrough().end(),
  signal = new AbortController().signal,
) {
  let out = '';
  let err = '';
  const exit = await execute(command, argv, {
    stdin,
    stdout: { write: (written: string) => (out += written) },
    stderr: { write: (written: string) => (err += written) },
    env: {},
    signal,
  });
  return { exit, out, err };
}

const common = (authority = 'plain'): string[] => [
  '--repository',
  at('repository'),
  '--authority',
  join(bureau, authority),
];
const publish = (more: readonly string[] = ['--csv', specimens], authority?: string) =>
  typed(['publish', ...common(authority), ...more]);
const show = async (): Promise<unknown> =>
  JSON.parse((await typed(['show', '--repository', at('repository'), '--json'])).out);
const content = () => [...filesBelow(folder)].filter(([name]) => /metadata|targets|state/.test(name));

describe('checkpost edition publish', () => {
  test('publishes a CSV file, dated as it was last written, for a person and for a machine', async () => {
    writeFileSync(at('collection.csv'), text);
    utimesSync(at('collection.csv'), new Date('2026-03-01T08:00:00Z'), new Date('2026-03-01T08:00:00Z'));
    const first = await publish(['--csv', at('collection.csv')]);
    expect(first).toMatchObject({ exit: 0, err: '' });
    expect(first.out).toMatch(
      /^sltd edition 1 of 2026-03-01T08:00:00.000Z: 20 records, no delta, base \d+ bytes\n$/,
    );
    const second = await publish(['--csv', at('collection.csv'), '--json']);
    expect(JSON.parse(second.out)).toMatchObject({
      collection: 'sltd',
      edition: 2,
      date: '2026-03-01T08:00:00.000Z',
      records: 20,
      fingerprintKey: '1',
      deltaBytes: expect.any(Number),
      baseServed: false,
    });
    expect((await publish(['--csv', at('collection.csv')])).out).toMatch(
      /delta \d+ bytes, base \d+ bytes, not served\n$/,
    );
    expect(await show()).toMatchObject({ edition: 3, bases: [1], deltas: [2, 3] });
  });

  test('publishes what comes over standard input, cut anywhere, dated now', async () => {
    const before = Date.now();
    const chunks = Array.from({ length: Math.ceil(text.length / 7) }, (_, i) => text.slice(7 * i, 7 * i + 7));
    const stdin = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
    const published = await typed(['publish', ...common(), '--csv', '-', '--json'], stdin);
    expect(published.exit).toBe(0);
    const { date, records } = JSON.parse(published.out) as { date: string; records: number };
    expect(records).toBe(20);
    expect(Date.parse(date)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(date)).toBeLessThanOrEqual(Date.now());
  });

  test('publishes the rows that a statement gives from a SQLite database', async () => {
    const database = new Database(at('bureau.db'));
    database.exec(`CREATE TABLE documents (id INTEGER, state TEXT, number TEXT, what TEXT, why TEXT, day TEXT);
      INSERT INTO documents VALUES (1, 'UTO', 'L898902C3', 'passport', 'stolen', '2026-03-02');
      INSERT INTO documents VALUES (2, 'UTO', 'SPECVISA1', 'visa', 'lost', '2026-03-03');`);
    database.close();
    const query = `SELECT id AS record, state AS issuing_state, number AS document_number, what AS document_type,
      why AS kind_of_loss, day AS reported_on, 'UTO' AS reported_by FROM documents`;
    const published = await publish(['--database', at('bureau.db'), '--query', query, '--json']);
    expect(JSON.parse(published.out)).toMatchObject({ edition: 1, records: 2 });
    const wrong = await publish(['--database', at('bureau.db'), '--query', 'SELECT nothing', '--json']);
    expect([wrong.exit, JSON.parse(wrong.out).error.code]).toEqual([1, 'COLLECTION_INVALID']);
    const absent = await publish(['--database', at('absent.db'), '--query', query, '--json']);
    expect([absent.exit, JSON.parse(absent.out).error.code]).toEqual([1, 'FILE_REFUSED']);
  });

  test('takes the date that is given, and a whole base where it is asked for', async () => {
    const first = await publish(['--csv', specimens, '--date', '2026-01-02T03:04:05Z', '--json']);
    expect(JSON.parse(first.out)).toMatchObject({ date: '2026-01-02T03:04:05.000Z' });
    const second = await publish(['--csv', specimens, '--date', '2026-01-02T03:05Z', '--base', '--json']);
    expect(JSON.parse(second.out)).toMatchObject({ edition: 2, baseServed: true });
    const older = await publish(['--csv', specimens, '--date', '2026-01-01T00:00:00Z', '--json']);
    expect([older.exit, JSON.parse(older.out).error.code]).toEqual([1, 'EDITION_OLDER']);
    const future = await publish(['--csv', specimens, '--date', '2999-01-01T00:00:00Z', '--json']);
    expect(Date.parse(JSON.parse(future.out).date)).toBeLessThanOrEqual(Date.now());
  });

  test('lists what is wrong by row and column, never what stands there, and leaves the repository', async () => {
    await publish();
    const before = content();
    const rows = text.split('\n').slice(0, 3);
    const bad = [
      rows[0],
      rows[1]?.replace('stolen', 'eaten'),
      rows[2]?.replace('2026-05-11', 'yesterday'),
      rows[1],
    ];
    writeFileSync(at('bad.csv'), bad.join('\n'));
    const refused = await publish(['--csv', at('bad.csv')]);
    expect(refused.exit).toBe(1);
    expect(refused.err).toContain('COLLECTION_INVALID');
    expect(refused.err).toContain('row 2, kind_of_loss');
    expect(refused.err).toContain('row 3, reported_on');
    for (const word of ['eaten', 'yesterday', 'L898902C3', 'SPECLOOKG'])
      expect(refused.err).not.toContain(word);
    expect(content()).toEqual(before);
  });

  test('opens sealed keys with the passphrase of a file, and with no other', async () => {
    writeFileSync(at('passphrase'), `${passphrase}\nanother line`);
    writeFileSync(at('wrong'), 'not a specimen of a passphrase\n');
    const sealed = (...more: string[]) => publish(['--csv', specimens, '--json', ...more], 'sealed');
    for (const more of [['--passphrase-file', at('wrong')], []]) {
      const refused = await sealed(...more);
      expect([refused.exit, JSON.parse(refused.out).error.code]).toEqual([1, 'PASSPHRASE_WRONG']);
    }
    const absent = await sealed('--passphrase-file', at('absent'));
    expect(JSON.parse(absent.out).error.code).toBe('CREDENTIAL_UNREADABLE');
    expect(content()).toEqual([]);
    expect((await sealed('--passphrase-file', at('passphrase'))).exit).toBe(0);
    const refreshed = ['refresh', ...common('sealed'), '--passphrase-file', at('passphrase')];
    expect((await typed(refreshed)).exit).toBe(0);
  });

  test('refuses the keys of another authority', async () => {
    await publish();
    const before = content();
    const foreign = await publish(['--csv', specimens, '--json'], 'foreign');
    expect([foreign.exit, JSON.parse(foreign.out).error.code]).toEqual([1, 'TRUST_UNSIGNED']);
    const absent = await publish(['--csv', specimens, '--json'], 'absent');
    expect([absent.exit, JSON.parse(absent.out).error.code]).toEqual([1, 'CREDENTIAL_UNREADABLE']);
    expect(content()).toEqual(before);
  });

  test('that is stopped while it waits for more publishes nothing', async () => {
    const stopping = new AbortController();
    const stdin = new PassThrough();
    stdin.write(text.slice(0, 1000));
    const waiting = typed(['publish', ...common(), '--csv', '-', '--json'], stdin, stopping.signal);
    stopping.abort('SIGINT');
    const stopped = await waiting;
    expect([stopped.exit, JSON.parse(stopped.out).error.code]).toEqual([1, 'STOPPED']);
    expect(content()).toEqual([]);
    const file = await typed(
      ['publish', ...common(), '--csv', specimens],
      new PassThrough().end(),
      stopping.signal,
    );
    expect(file).toMatchObject({ exit: 1, err: expect.stringContaining('STOPPED') });
  });
});

describe('checkpost edition', () => {
  test('shows, verifies and refreshes what was published', async () => {
    await publish();
    const shown = await typed(['show', '--repository', at('repository')]);
    expect(shown).toMatchObject({ exit: 0, err: '' });
    expect(shown.out).toMatch(
      /^sltd edition 1 of .*: 20 records, fingerprint key 1\nbases of 1; deltas to none\nroot expires /,
    );
    const verified = await typed(['verify', ...common()]);
    expect(verified).toMatchObject({ exit: 0, out: `${shown.out}Every file is as it was signed.\n` });
    const foreign = await typed(['verify', ...common('foreign'), '--json']);
    expect([foreign.exit, JSON.parse(foreign.out).error.code]).toEqual([1, 'EDITION_FOREIGN']);
    const refreshed = await typed(['refresh', ...common(), '--json']);
    const { expires } = JSON.parse(refreshed.out) as { expires: string };
    expect((await typed(['show', '--repository', at('repository')])).out).toContain(
      `timestamp expires ${expires.slice(0, 19)}`,
    );
    expect((await typed(['refresh', ...common()])).out).toMatch(
      /^The newest edition is vouched for until .*Z\.\n$/,
    );
  });

  test('writes a stick', async () => {
    await publish();
    const stick = ['stick', '--repository', at('repository'), '--out', at('stick')];
    const written = await typed(stick);
    expect(written).toMatchObject({ exit: 0, err: '' });
    expect(written.out).toMatch(/stick: edition 1, \d+ bytes; seeds terminals until .*Z\.\n$/);
    expect(JSON.parse((await typed([...stick, '--json'])).out)).toMatchObject({ edition: 1, records: 20 });
    expect(filesBelow(at('stick')).size).toBe(5);
  });

  test('says in a code and in words where there is nothing, or it was tampered with', async () => {
    for (const verb of [['show'], ['stick', '--out', at('stick')]]) {
      const absent = await typed([...verb, '--repository', at('repository')]);
      expect(absent).toMatchObject({ exit: 1, err: expect.stringContaining('REPOSITORY_ABSENT') });
    }
    expect((await typed(['refresh', ...common()])).err).toContain('REPOSITORY_ABSENT');
    await publish();
    const [name] = [...filesBelow(at('repository')).keys()].filter((one) => one.endsWith('.base.payload'));
    writeFileSync(join(at('repository'), name ?? ''), 'noise');
    const verified = await typed(['verify', ...common()]);
    expect(verified).toMatchObject({ exit: 1, err: expect.stringContaining('EDITION_DAMAGED') });
    expect(verified.err).toContain('sltd/1/base.payload');
  });

  test('keeps a document number out of everything that it writes, but for what is derived with the key', async () => {
    await publish();
    await typed(['stick', '--repository', at('repository'), '--out', at('stick')]);
    for (const [name, bytes] of filesBelow(folder)) {
      for (const number of ['L898902C3', 'SPECTWICE', 'SPECVISA1']) {
        expect([name, bytes.includes(number)]).toEqual([name, false]);
      }
    }
  });
});

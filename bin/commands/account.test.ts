import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Access, accessSchema, serveDesk } from '#central/access/index.ts';
import { type Db, openSqlite, sqliteName } from '#central/store/index.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { consoleSettings } from '#test/rigs/console-desk.ts';
import { execute } from '../command.ts';
import { command } from './account.ts';

let folder: string;
let config: string;
const state = (): string => join(folder, 'state');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'account-'));
  config = join(folder, 'central.json');
  const settings = {
    state: 'state',
    registry: 'registry.json',
    tls: { authority: 'authority.pem', certificate: 'certificate.pem', key: 'key.pem' },
    lookup: { collection: 'collection.csv' },
    controller: { url: 'mqtts://localhost:1', certificate: 'certificate.pem', key: 'key.pem' },
    orders: { key: 'commands.pem', trusted: 'trusted.json' },
  };
  writeFileSync(config, JSON.stringify(settings));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function account(
  argv: readonly string[],
  input = '',
): Promise<{ exit: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const exit = await execute(command, [...argv, '--config', config], {
    stdin: new PassThrough().end(input),
    stdout: { write: (text: string) => (said.out += text) },
    stderr: { write: (text: string) => (said.err += text) },
    env: {},
    signal: new AbortController().signal,
  });
  return { exit, ...said };
}

/** The centre's part of it: it holds the file, and serves the socket. */
async function withCentre(work: (db: Db) => Promise<void>, { socket = true } = {}): Promise<void> {
  const opened = openSqlite(join(state(), sqliteName), [accessSchema]);
  if (!opened.ok) throw new Error(opened.fault.detail);
  const db = opened.value;
  const parts = { state: state(), db, clock: systemClock, log: silentLog };
  const desk = socket ? await serveDesk(parts) : undefined;
  await work(db);
  await desk?.close();
  await db.close();
}

const passwordIn = (out: string): string => /^Password, shown this once: (\S+)$/m.exec(out)?.[1] ?? '';

describe('checkpost account', () => {
  test('the first administrator is made before the centre runs, and signs in with the password printed', async () => {
    const made = await account(['add', 'root']);
    expect(made).toMatchObject({ exit: 0, err: '' });
    expect(made.out).toContain('root  administrator  all bureaus  in use  never seen');
    await withCentre(async (db) => {
      const access = Access.create({ settings: consoleSettings(), db, clock: systemClock, log: silentLog });
      if (!access.ok) throw new Error(access.fault.detail);
      expect(await access.value.signIn('root', passwordIn(made.out), '127.0.0.1')).toMatchObject({
        ok: true,
      });
    });
  });

  test('while the centre holds the database it is done through the centre', async () => {
    await account(['add', 'root']);
    await withCentre(async (db) => {
      expect(statSync(join(state(), 'accounts.sock')).mode & 0o777).toBe(0o600);
      const argv = ['add', 'duty', '--role', 'operator', '--bureau', 'UTO', '--password'];
      expect(await account(argv, 'a password of my own\n')).toMatchObject({ exit: 0 });
      expect((await account(['list'])).out.split('\n')).toEqual([
        'duty  operator  UTO  in use  never seen',
        'root  administrator  all bureaus  in use  never seen',
        '',
      ]);
      expect((await account(['disable', 'duty'])).out).toContain('duty  operator  UTO  disabled');
      const audit = await db.read((tx) =>
        tx.all<{ text: string }>('SELECT text FROM operator_audit ORDER BY id'),
      );
      expect(audit.ok && audit.value.map(({ text }) => text)).toEqual([
        'Account root was made: administrator over all bureaus.',
        'Account duty was made: operator of UTO.',
        'Account duty was changed: operator of UTO, disabled.',
      ]);
      expect((await account(['verify'])).out).toBe('The audit of operators holds together: 3 entries.\n');
    });
  });

  test('a fault of the centre is said as if it were the own one', async () => {
    await account(['add', 'root']);
    await withCentre(async () => {
      expect(await account(['disable', 'root'])).toMatchObject({
        exit: 1,
        err: expect.stringContaining('ACCOUNT_LAST'),
      });
      expect((await account(['password', 'nobody'])).err).toContain('NOT_FOUND');
    });
  });

  test('a new password takes the place of the old one', async () => {
    const first = passwordIn((await account(['add', 'root'])).out);
    const second = passwordIn((await account(['password', 'root'])).out);
    await withCentre(async (db) => {
      const access = Access.create({ settings: consoleSettings(), db, clock: systemClock, log: silentLog });
      if (!access.ok) throw new Error(access.fault.detail);
      expect(await access.value.signIn('root', first, '127.0.0.1')).toMatchObject({ ok: false });
      expect(await access.value.signIn('root', second, '127.0.0.1')).toMatchObject({ ok: true });
    });
  });

  test('another program that holds the database is said, with the socket that does not answer', async () => {
    await account(['add', 'root']);
    await withCentre(
      async () => {
        const listed = await account(['list']);
        expect(listed.exit).toBe(1);
        expect(listed.err).toMatch(/STORE_LOCKED[\s\S]*accounts\.sock does not answer \(ENOENT\)/);
      },
      { socket: false },
    );
  });

  test.each([
    ['no verb', []],
    ['a verb that there is not', ['remove', 'root']],
    ['no name', ['add']],
    ['a name that no account may have', ['add', 'Root']],
    ['a role that there is not', ['add', 'duty', '--role', 'king']],
    ['a bureau that is none', ['add', 'duty', '--bureau', 'utopia']],
    ['a password that is too short', ['add', 'duty', '--password']],
  ])('%s is called wrongly', async (_, argv) => {
    expect(await account(argv, 'short\n')).toMatchObject({ exit: 2, out: '' });
  });
});

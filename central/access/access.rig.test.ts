import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ms } from '#contracts/units.ts';
import { instant } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { consoleSettings } from '#test/rigs/console-desk.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { databases, type TestDatabase } from '#test/rigs/databases.ts';
import type { Db } from '../store/index.ts';
import { Access } from './access.ts';
import { audit, listAudit, verifyAudit } from './audit.ts';
import { accessSchema } from './schema.ts';
import { Tokens } from './tokens.ts';

const password = 'correct horse battery';
const root = { name: 'root', role: 'administrator', bureau: null, password } as const;
const duty = { name: 'duty', role: 'operator', bureau: 'UTO', password } as const;
const address = '192.0.2.7';

describe.each(databases())('$name', (kind) => {
  let database: TestDatabase;
  let db: Db;
  let clock: TestClock;
  let access: Access;

  beforeEach(async () => {
    database = await kind.open([accessSchema]);
    ({ db } = database);
    clock = new TestClock();
    const settings = consoleSettings({ idleMinutes: 60, sessionHours: 24 });
    access = valueOf(Access.create({ settings, db, clock, log: silentLog }));
    for (const account of [root, duty]) valueOf(await access.accounts.add(account, 'setup'));
  });
  afterEach(() => database.close());

  const signIn = async (name = 'duty'): Promise<string> =>
    valueOf(await access.signIn(name, password, address)).cookie;
  const whose = (cookie: string) => access.identify({ cookie, token: undefined });
  const byToken = (token: string) => access.identify({ cookie: undefined, token });
  const nobody = { ok: false, fault: { code: 'SIGN_IN_REQUIRED' } };

  describe('sessions', () => {
    test('a session is of the account that signed in, with the rights that it has now', async () => {
      expect(await whose(await signIn())).toMatchObject({
        ok: true,
        value: { by: 'session', identity: { name: 'duty', role: 'operator', bureau: 'UTO' } },
      });
    });

    test('neither the cookie nor the password is in the database', async () => {
      const cookie = await signIn();
      const rows = await db.read(async (tx) =>
        JSON.stringify([await tx.all('SELECT * FROM sessions'), await tx.all('SELECT * FROM accounts')]),
      );
      expect(valueOf(rows)).not.toContain(cookie);
      expect(valueOf(rows)).not.toContain(password);
      expect(valueOf(rows)).toContain('scrypt$32768$8$1$');
    });

    test('it ends when it was not used for so long, and is kept by use', async () => {
      const [used, idle] = [await signIn(), await signIn()];
      for (let n = 0; n < 3; n++) {
        await clock.advance(ms(40 * 60_000));
        expect(await whose(used)).toMatchObject({ ok: true });
      }
      expect(await whose(idle)).toMatchObject(nobody);
    });

    test('it ends after its longest time, however much it is used', async () => {
      const cookie = await signIn();
      for (let n = 0; n < 47; n++) {
        await clock.advance(ms(30 * 60_000));
        await whose(cookie);
      }
      expect(await whose(cookie)).toMatchObject({ ok: true });
      await clock.advance(ms(31 * 60_000));
      expect(await whose(cookie)).toMatchObject(nobody);
    });

    test('signing out ends it; so do a new password, disabling and removing', async () => {
      const gone = await signIn();
      valueOf(await access.signOut(gone));
      expect(await whose(gone)).toMatchObject(nobody);
      const cookies = [await signIn(), await signIn()];
      valueOf(await access.accounts.change('duty', { password: `${password}2` }, 'root'));
      for (const cookie of cookies) expect(await whose(cookie)).toMatchObject(nobody);
      const again = valueOf(await access.signIn('duty', `${password}2`, address)).cookie;
      valueOf(await access.accounts.change('duty', { disabled: true }, 'root'));
      expect(await whose(again)).toMatchObject(nobody);
      expect(await access.signIn('duty', `${password}2`, address)).toMatchObject({
        ok: false,
        fault: { code: 'SIGN_IN_REFUSED' },
      });
    });

    test('the header of changes belongs to its own cookie', async () => {
      const [one, other] = [await signIn(), await signIn()];
      const { csrf } = access.state(null, one).csrf === '' ? access.state(root, one) : { csrf: '' };
      expect(access.checkCsrf(one, csrf)).toMatchObject({ ok: true });
      expect(access.checkCsrf(other, csrf)).toMatchObject({ ok: false });
      expect(access.checkCsrf(one, undefined)).toMatchObject({ ok: false });
    });
  });

  describe('tokens', () => {
    const make = async (role: 'viewer' | 'operator' | 'administrator', days = 2) =>
      access.makeToken(
        { title: 'probe', role, days },
        { by: 'session', identity: { name: 'duty', role: 'operator', bureau: 'UTO' } },
      );

    test('a token has the role that it was made for, in the bureau of its maker, until it expires', async () => {
      const { token, row } = valueOf(await make('viewer'));
      expect(row).toMatchObject({ account: 'duty', role: 'viewer', title: 'probe' });
      expect(await byToken(token)).toMatchObject({
        value: { by: 'token', identity: { name: 'duty', role: 'viewer', bureau: 'UTO' } },
      });
      await clock.advance(ms(2 * 86_400_000));
      expect(await byToken(token)).toMatchObject(nobody);
    });

    test('nobody makes a token with more rights than the own ones, and no token makes another', async () => {
      expect(await make('administrator')).toMatchObject({ fault: { code: 'ACCESS_REFUSED' } });
      const identity = { name: 'duty', role: 'operator', bureau: 'UTO' } as const;
      expect(
        await access.makeToken({ title: 'x', role: 'viewer', days: 1 }, { by: 'token', identity }),
      ).toMatchObject({ fault: { code: 'ACCESS_REFUSED' } });
    });

    test('a token loses what its maker loses', async () => {
      const { token } = valueOf(await make('operator'));
      valueOf(await access.accounts.change('duty', { role: 'viewer' }, 'root'));
      expect(await byToken(token)).toMatchObject({ value: { identity: { role: 'viewer' } } });
      valueOf(await access.accounts.change('duty', { disabled: true }, 'root'));
      expect(await byToken(token)).toMatchObject(nobody);
      valueOf(await access.accounts.remove('duty', 'root'));
      expect(valueOf(await access.tokens.list(root))).toEqual([]);
    });

    test('a token of somebody whom the provider has named ends where they have not signed in for so long', async () => {
      const person = { name: 'eve', role: 'operator', bureau: 'UTO', subject: 'idp eve' } as const;
      valueOf(await access.accounts.signInOpenId(person));
      const tokens = new Tokens(db, clock, 30);
      const { token } = valueOf(await tokens.make({ title: 'x', role: 'viewer', days: 365 }, person));
      const signedIn = (): Promise<unknown> =>
        db.transaction((tx) =>
          tx.run("UPDATE accounts SET last_seen = ? WHERE name = 'eve'", instant(clock.wall())),
        );
      await signedIn();
      await clock.advance(ms(30 * 86_400_000));
      expect(valueOf(await tokens.find(token))).toMatchObject({ name: 'eve' });
      await clock.advance(ms(60_000));
      expect(valueOf(await tokens.find(token))).toBeUndefined();
      await signedIn();
      expect(valueOf(await tokens.find(token))).toMatchObject({ name: 'eve' });
    });

    test('a new password revokes the tokens that were made with the old one', async () => {
      const { token } = valueOf(await make('viewer'));
      valueOf(await access.accounts.change('duty', { password: 'another good one' }, 'root'));
      expect(await byToken(token)).toMatchObject(nobody);
    });

    test('a token is kept as its hash alone', async () => {
      const { token } = valueOf(await make('viewer'));
      const rows = valueOf(await db.read((tx) => tx.all('SELECT * FROM tokens')));
      expect(JSON.stringify(rows)).not.toContain(token.slice(10));
    });
  });

  describe('wrong passwords', () => {
    const wrong = (from = address, name = 'duty') => access.signIn(name, 'not the password', from);

    test('after five of them one waits, longer each time, and another address is not kept out', async () => {
      for (let n = 0; n < 5; n++) expect(await wrong()).toMatchObject({ fault: { code: 'SIGN_IN_REFUSED' } });
      expect(await access.signIn('duty', password, address)).toMatchObject({
        fault: { code: 'ATTEMPTS_EXCEEDED', detail: 'Wait for 2 s.' },
      });
      expect(await access.signIn('duty', password, '192.0.2.8')).toMatchObject({ ok: true });
      await clock.advance(2001);
      expect(await wrong()).toMatchObject({ fault: { code: 'SIGN_IN_REFUSED' } });
      expect(await wrong()).toMatchObject({ fault: { detail: 'Wait for 4 s.' } });
      await clock.advance(4001);
      expect(await access.signIn('duty', password, address)).toMatchObject({ ok: true });
    });

    test('many at once are not all free', async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => wrong()));
      const refused = answers.filter((one) => !one.ok && one.fault.code === 'ATTEMPTS_EXCEEDED');
      expect(refused).toHaveLength(7);
    });

    test('an account that is not there is refused in the same words', async () => {
      expect(await wrong(address, 'nobody')).toEqual(await wrong());
    });

    test('who is right often is never kept out', async () => {
      for (let n = 0; n < 25; n++)
        expect(await access.signIn('duty', password, address)).toMatchObject({ ok: true });
    });
  });

  describe('accounts', () => {
    test('the last administrator over all bureaus stays', async () => {
      const kept = { fault: { code: 'ACCOUNT_LAST' } };
      expect(await access.accounts.remove('root', 'root')).toMatchObject(kept);
      expect(await access.accounts.change('root', { disabled: true }, 'root')).toMatchObject(kept);
      expect(await access.accounts.change('root', { role: 'viewer' }, 'root')).toMatchObject(kept);
      expect(await access.accounts.change('root', { bureau: 'UTO' }, 'root')).toMatchObject(kept);
      valueOf(await access.accounts.add({ ...root, name: 'second' }, 'root'));
      expect(await access.accounts.remove('root', 'second')).toMatchObject({ ok: true });
    });

    test('a name is given once', async () => {
      expect(await access.accounts.add(duty, 'root')).toMatchObject({ fault: { code: 'ACCOUNT_EXISTS' } });
    });

    test('a change is announced to every process', async () => {
      let heard = 0;
      const stop = access.onChange(() => heard++);
      // PostgreSQL takes a moment until it listens.
      await eventually(async () => {
        valueOf(await access.accounts.change('duty', { role: 'viewer' }, 'root'));
        return heard > 0;
      });
      expect(heard).toBeGreaterThan(0);
      stop();
    });
  });

  describe('the audit of operators', () => {
    const entry = (text: string, bureau: string | null = null) => ({
      at: instant(clock.wall()),
      by: 'root',
      action: 'test',
      bureau,
      text,
    });
    const write = (text: string, bureau?: string) =>
      db.transaction((tx) => audit(tx, entry(text, bureau ?? null)));

    test('it tells who did what, newest first, page by page, and a bureau its own alone', async () => {
      await signIn();
      const all = valueOf(await listAudit(db, { bureau: null, limit: 2 }));
      expect(all.map(({ action, by }) => `${action} ${by}`)).toEqual(['sign-in duty', 'account setup']);
      const next = valueOf(await listAudit(db, { bureau: null, limit: 9, before: all[1]?.id ?? 0 }));
      expect(next.map(({ text }) => text)).toEqual([
        'Account root was made: administrator over all bureaus.',
      ]);
      expect(valueOf(await listAudit(db, { bureau: 'EXA', limit: 9 }))).toEqual([]);
    });

    test('many changes at once are one chain', async () => {
      const written = await Promise.all(Array.from({ length: 20 }, (_, n) => write(`change ${n}`)));
      for (const one of written) expect(one).toMatchObject({ ok: true });
      expect(await verifyAudit(db)).toEqual({ ok: true, value: 22 });
    });

    test('what is rolled back leaves no entry', async () => {
      const broken = db.transaction(async (tx) => {
        await audit(tx, entry('never'));
        await tx.run('INSERT INTO accounts (name) VALUES (NULL)');
      });
      expect(await broken).toMatchObject({ ok: false });
      expect(await verifyAudit(db)).toEqual({ ok: true, value: 2 });
    });

    test.each([
      ['changed', "UPDATE operator_audit SET text = 'other' WHERE id = 2", 2],
      ['taken away', 'DELETE FROM operator_audit WHERE id = 2', 2],
      ['taken away at the end', 'DELETE FROM operator_audit WHERE id = 4', 4],
      ['all taken away', 'DELETE FROM operator_audit WHERE id > 0', 1],
    ])('an entry that was %s is noticed', async (_, sql, at) => {
      for (const text of ['one', 'two']) await write(text);
      expect(await verifyAudit(db)).toEqual({ ok: true, value: 4 });
      await db.transaction((tx) => tx.run(sql));
      expect(await verifyAudit(db)).toMatchObject({
        fault: { code: 'OPERATOR_AUDIT_BROKEN', detail: expect.stringContaining(`Entry ${at} `) },
      });
    });
  });
});

function valueOf<T>(
  result: { ok: true; value: T } | { ok: false; fault: { code: string; detail: string } },
): T {
  if (!result.ok) throw new Error(`${result.fault.code}: ${result.fault.detail}`);
  return result.value;
}

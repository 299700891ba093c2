import { createHmac, randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { signatureHeader, WebhookBody } from '#contracts/api/alerts.ts';
import { ms } from '#contracts/units.ts';
import { silentLog } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import {
  AlertRig,
  alertTables,
  startWebhookSink,
  valueOf,
  type WebhookSink,
  withDefaults,
} from '#test/rigs/alerting.ts';
import { makeAuthority } from '#test/rigs/certificates.ts';
import { databases, sqliteKind, type TestDatabase } from '#test/rigs/databases.ts';
import { type SmtpSink, startSmtpSink } from '#test/rigs/smtp.ts';
import { createRouting } from './routing.ts';
import { StoreAlarm } from './store-alarm.ts';

const secret = 'a-secret-of-the-duty-channel';
const idempotencyKey = 'idempotency-key';

let folder: string;
let database: TestDatabase;
let rig: AlertRig;
let hook: WebhookSink;
let smtp: SmtpSink | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-notify-'));
  writeFileSync(join(folder, 'secret'), `${secret}\n`);
  writeFileSync(join(folder, 'password'), 'mail-password\n');
  hook = await startWebhookSink();
});
afterEach(async () => {
  await rig.close();
  await hook.close();
  await smtp?.close();
  smtp = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const webhook = (more: object = {}) => ({
  name: 'duty',
  kind: 'webhook',
  url: hook.url,
  secretFile: join(folder, 'secret'),
  ...more,
});
const mail = (port: number, more: object = {}) => ({
  name: 'mail',
  kind: 'email',
  host: '127.0.0.1',
  port,
  tls: 'none',
  from: 'checkpost@centre.example',
  to: ['duty@bureau.example', 'chief@bureau.example'],
  ...more,
});

/** One terminal without its reader, for long enough to be told. */
async function hurt(terminal = 'UTO-0001-1'): Promise<void> {
  rig.terminal(terminal, { conditions: ['reader-absent counter-1'] });
  await rig.pass();
  await rig.pass(61);
}

describe.each(databases('notifications on PostgreSQL'))('Notifications on $name', ({ open }) => {
  beforeEach(async () => {
    database = await open(alertTables);
  });

  test('A webhook is signed over its time and body, and says the alert in words', async () => {
    rig = await AlertRig.open(database, { notifications: { channels: [webhook()] } });
    await hurt();
    await rig.task.send();
    const [post] = hook.posts;
    expect(hook.posts).toHaveLength(1);
    // What docs/alerts.md tells a receiver to do.
    const [, time, hash] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(post?.headers[signatureHeader])) ?? [];
    expect(Number(time)).toBe(rig.clock.wall() / 1000);
    expect(createHmac('sha256', secret).update(`${time}.${post?.body}`).digest('hex')).toBe(hash);
    const body = valueOf(parseJson(WebhookBody, post?.body ?? '', 'MESSAGE_INVALID'));
    expect(post?.headers[idempotencyKey]).toBe(body.delivery);
    expect(body.notices).toMatchObject([
      {
        event: 'opened',
        title: 'Reader not plugged in',
        alert: { code: 'reader-absent', terminal: 'UTO-0001-1', subject: 'counter-1' },
      },
    ]);
  });

  test('Whoever was told of an alert hears that it is over, also when it stood for longer than notices are kept', async () => {
    rig = await AlertRig.open(database, { notifications: { channels: [webhook()] } });
    await hurt();
    await rig.task.send();
    await rig.pass(40 * 86_400);
    rig.terminal('UTO-0001-1', {});
    await rig.pass();
    await rig.pass(601);
    await rig.task.send();
    const told = hook.posts.map(({ body }) => valueOf(parseJson(WebhookBody, body, 'MESSAGE_INVALID')));
    expect(told.flatMap(({ notices }) => notices.map(({ event }) => event))).toEqual(['opened', 'closed']);
  });

  test('A webhook that fails twice is tried again with growing pauses under the same key, and told once', async () => {
    rig = await AlertRig.open(database, { notifications: { channels: [webhook()] } });
    hook.answer(503, 302);
    await hurt();
    await rig.task.send();
    await rig.task.send();
    expect(hook.posts).toHaveLength(1);
    await rig.clock.advance(5000);
    await rig.task.send();
    expect(hook.posts).toHaveLength(2);
    await rig.clock.advance(5000);
    await rig.task.send();
    expect(hook.posts).toHaveLength(2);
    await rig.clock.advance(5000);
    await rig.task.send();
    await rig.clock.advance(60_000);
    await rig.task.send();
    expect(hook.posts).toHaveLength(3);
    expect(new Set(hook.posts.map(({ headers }) => headers[idempotencyKey])).size).toBe(1);
    expect(new Set(hook.posts.map(({ body }) => body)).size).toBe(1);
    expect(valueOf(await rig.book.conditions())).toEqual([]);
  });

  test('A leader that stops between the alert and the message leaves it to the next one: told once', async () => {
    rig = await AlertRig.open(database, { notifications: { channels: [webhook()] } });
    await hurt();
    await rig.restart();
    await rig.pass();
    await rig.task.send();
    await rig.restart();
    await rig.pass();
    await rig.task.send();
    expect(hook.posts).toHaveLength(1);
  });

  test('Two that both believe to lead send one message', async () => {
    rig = await AlertRig.open(database, { notifications: { channels: [webhook()] } });
    await hurt();
    await Promise.all([rig.task.send(), rig.lead(rig.db).send()]);
    await rig.task.send();
    expect(hook.posts).toHaveLength(1);
  });

  test('A channel that keeps failing is itself an alert, told on the others, and gone when it works again', async () => {
    smtp = await startSmtpSink();
    rig = await AlertRig.open(database, {
      notifications: { channels: [webhook(), mail(smtp.port)] },
    });
    hook.answer(500, 500, 500);
    await hurt();
    for (let attempts = 0; attempts < 3; attempts++) {
      await rig.task.send();
      await rig.clock.advance(60_000);
    }
    await rig.pass();
    await rig.pass(61);
    await rig.task.send();
    const failing = (await rig.alerts()).find(({ code }) => code === 'notifications-failing');
    expect(failing).toMatchObject({ state: 'open', subject: 'duty', terminal: null });
    expect(smtp.mails.at(-1)?.data).toContain('A channel of notifications fails (duty)');
    await rig.task.send();
    await rig.pass(5);
    expect((await rig.alerts('open')).map(({ code }) => code)).toEqual(['reader-absent']);
  });

  test('A mail server receives one mail of one alert, and refuses for now without losing it', async () => {
    smtp = await startSmtpSink();
    smtp.refuseNext(2);
    rig = await AlertRig.open(database, { notifications: { channels: [mail(smtp.port)] } });
    await hurt();
    for (let attempts = 0; attempts < 6; attempts++) {
      await rig.task.send();
      await rig.clock.advance(20_000);
    }
    expect(smtp.mails).toHaveLength(1);
    const [received] = smtp.mails;
    expect(received).toMatchObject({
      from: 'checkpost@centre.example',
      to: ['duty@bureau.example', 'chief@bureau.example'],
      account: undefined,
    });
    expect(received?.data).toContain('Subject: [error] UTO-0001: Reader not plugged in (counter-1)');
    expect(received?.data).toContain('what to do: Plug the reader in; check its cable.');
    expect(received?.data).toMatch(/Message-ID: <[0-9a-f-]{36}@centre\.example>/i);
  });

  test('Many alerts are one mail a minute', async () => {
    smtp = await startSmtpSink();
    rig = await AlertRig.open(database, {
      alerts: { errorDelaySeconds: 0 },
      notifications: { channels: [mail(smtp.port)] },
    });
    for (let n = 1; n <= 9; n++) {
      rig.terminal(`UTO-000${n}-1`, { conditions: ['reader-absent counter-1'] });
      await rig.pass(5);
      await rig.task.send();
    }
    await rig.task.send();
    expect(smtp.mails).toHaveLength(1);
    await rig.pass(60);
    await rig.task.send();
    expect(smtp.mails).toHaveLength(2);
    expect(smtp.mails[1]?.data).toMatch(/Subject: .* and 7 more/);
  });
});

describe('Channels', () => {
  beforeEach(async () => {
    database = await sqliteKind.open(alertTables);
  });

  test('Mail goes over TLS to a server that the authority vouches for, with account and password, and to no other', async () => {
    const authority = await makeAuthority();
    const stranger = await makeAuthority('Stranger');
    smtp = await startSmtpSink(await authority.issue({ name: 'mail', ip: ['127.0.0.1'] }));
    writeFileSync(join(folder, 'authority.pem'), authority.certificate);
    writeFileSync(join(folder, 'stranger.pem'), stranger.certificate);
    const account = { tls: 'implicit', user: 'checkpost', passwordFile: join(folder, 'password') };
    rig = await AlertRig.open(database, {
      notifications: {
        channels: [
          mail(smtp.port, { ...account, authority: join(folder, 'authority.pem') }),
          mail(smtp.port, { ...account, name: 'other', authority: join(folder, 'stranger.pem') }),
        ],
      },
    });
    await hurt();
    await rig.task.send();
    expect(smtp.mails).toMatchObject([{ account: 'checkpost:mail-password' }]);
  });

  test('A mail server that cannot begin TLS gets no mail where it is asked for', async () => {
    smtp = await startSmtpSink();
    rig = await AlertRig.open(database, {
      notifications: { channels: [mail(smtp.port, { tls: 'starttls' })] },
    });
    await hurt();
    await rig.task.send();
    expect(smtp.mails).toEqual([]);
  });

  test('A secret that is missing or short sends nothing', async () => {
    writeFileSync(join(folder, 'short'), 'short');
    rig = await AlertRig.open(database, {
      notifications: {
        channels: [
          webhook({ secretFile: join(folder, 'short') }),
          webhook({ name: 'other', secretFile: join(folder, 'absent') }),
        ],
      },
    });
    await hurt();
    await rig.task.send();
    expect(hook.posts).toEqual([]);
  });

  test('What cannot be delivered for longer than the limit is given up, and what comes later is still told', async () => {
    rig = await AlertRig.open(database, { notifications: { channels: [webhook()], giveUpHours: 1 } });
    hook.answer(500, 500);
    await hurt();
    await rig.task.send();
    await rig.clock.advance(3_700_000);
    await rig.task.send();
    await hurt('UTO-0002-1');
    await rig.task.send();
    expect(hook.posts.map(({ body }) => /UTO-000\d-1/.exec(body)?.[0])).toEqual([
      'UTO-0001-1',
      'UTO-0001-1',
      'UTO-0002-1',
    ]);
  });

  test('By themselves: started, a trouble is announced, told and taken back by timers alone', async () => {
    rig = await AlertRig.open(database, { notifications: { channels: [webhook()] } });
    rig.terminal('UTO-0001-1');
    rig.task.start();
    await rig.clock.advance(1000);
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent counter-1'] });
    valueOf(
      await rig.db.transaction((tx) => {
        tx.announce('terminal', 'UTO-0001-1');
        return Promise.resolve();
      }),
    );
    await rig.clock.advance(300);
    expect(await rig.alerts('open')).toHaveLength(1);
    await rig.clock.advance(70_000);
    await expect.poll(() => hook.posts).toHaveLength(1);
    await rig.task.stop();
    expect(rig.clock.waiting).toBe(0);
  });

  test('A report that changes nothing costs no look at the store; one that does is an alert within a second', async () => {
    rig = await AlertRig.open(database, {});
    let reads = 0;
    const counted = new Proxy(rig.db, {
      get(of, name) {
        if (name === 'read') reads++;
        const member: unknown = Reflect.get(of, name, of);
        return typeof member === 'function' ? (member.bind(of) as unknown) : member;
      },
    });
    rig.terminal('UTO-0001-1');
    const task = rig.lead(counted);
    task.start();
    await rig.clock.advance(100);
    reads = 0;
    const announce = () =>
      rig.db.transaction((tx) => {
        tx.announce('terminal', 'UTO-0001-1');
        return Promise.resolve();
      });
    await announce();
    await rig.clock.advance(1000);
    expect(reads).toBe(0);
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent counter-1'] });
    await announce();
    await rig.clock.advance(1000);
    expect(await rig.alerts('open')).toHaveLength(1);
    await task.stop();
  });

  test('A database that fails is told without it, once, and again when it works (uptime-kuma#3130)', async () => {
    const notifications = withDefaults('notifications', { channels: [webhook()] });
    rig = await AlertRig.open(database, {});
    let failing = false;
    const alarm = new StoreAlarm({
      db: {
        ...database.db,
        transaction: (work) =>
          failing
            ? Promise.resolve({ ok: false, fault: { code: 'STORE_FULL', detail: 'The disk is full.' } })
            : database.db.transaction(work),
      },
      routing: valueOf(createRouting(notifications)),
      delay: ms(60_000),
      clock: rig.clock,
      randomBytes: (bytes) => randomFillSync(bytes),
      log: silentLog,
    });
    await alarm.look();
    failing = true;
    for (const seconds of [0, 50, 20, 20]) {
      await rig.clock.advance(seconds * 1000);
      await alarm.look();
    }
    expect(hook.posts).toHaveLength(1);
    failing = false;
    await alarm.look();
    await alarm.look();
    const told = hook.posts.map(({ body }) => valueOf(parseJson(WebhookBody, body, 'MESSAGE_INVALID')));
    expect(told.map(({ notices }) => `${notices[0]?.event} ${notices[0]?.alert.code}`)).toEqual([
      'opened store-failing',
      'closed store-failing',
    ]);
  });
});

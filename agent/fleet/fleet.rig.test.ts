import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HealthMessage, HealthReport, Status } from '#contracts/health.ts';
import type { OutboxBatch } from '#contracts/outbox.ts';
import { everyTerminal, parseTopic, topic } from '#contracts/topics.ts';
import { ms, seconds } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLog } from '#runtime/log.ts';
import { type MqttLink, openMqttLink } from '#runtime/mqtt-link.ts';
import { unpack } from '#runtime/packed.ts';
import { startBroker, type TestBroker } from '#test/rigs/broker.ts';
import { type Credentials, makeAuthority, type TestAuthority } from '#test/rigs/certificates.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { startTcpProxy, type TcpProxy } from '#test/rigs/tcp-proxy.ts';
import { createOutbox, type Outbox } from '../outbox/index.ts';
import { openStore, type Store } from '../store/index.ts';
import { type Fleet, startFleet } from './index.ts';

// The real session against a real Mosquitto with mutual TLS, over a line that can be broken.

const terminal = 'UTO-0001-1';
let folder: string;
let authority: TestAuthority;
let broker: TestBroker;
let line: TcpProxy;
let store: Store;
let outbox: Outbox;
let fleet: Fleet | undefined;
let controller: Controller;
let session: number;
let lines: string[];
let health: HealthReport;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-fleet-'));
  authority = await makeAuthority();
  broker = await startBroker({
    folder: join(folder, 'broker'),
    port: await freePort(),
    authority,
    server: await authority.issue({ name: 'broker', dns: ['localhost'], ip: ['127.0.0.1'] }),
  });
  line = await startTcpProxy(broker.port);
  const opened = openStore(join(folder, 'test.db'));
  if (!opened.ok) throw new Error(opened.fault.detail);
  store = opened.value;
  outbox = createOutbox({ store, sealingKey: createSecretKey(randomBytes(32)) });
  session = 0;
  lines = [];
  health = sample;
  controller = await Controller.connect(broker.port, authority);
});

afterEach(async () => {
  await fleet?.close();
  fleet = undefined;
  await controller.close();
  await line.close();
  await broker.process.stop();
  store.close();
  rmSync(folder, { recursive: true });
});

test('A session begins with a retained birth, a full report and what is owed; its end in order is a retained goodbye', async () => {
  owe();
  await start();
  await eventually(() => controller.statuses.length === 1 && controller.reports.length === 1);
  expect(controller.statuses[0]).toMatchObject({
    session: 1,
    state: 'online',
    reason: 'start',
    boot: 'boot',
    version: '0.0.0',
  });
  expect(controller.reports[0]).toMatchObject({ session: 1, seq: 1, full: true, report: sample });
  await eventually(() => outbox.depth() === 0);
  expect(controller.stored).toEqual([1]);
  await fleet?.close();
  fleet = undefined;
  await eventually(() => controller.statuses.length === 2);
  expect(controller.statuses[1]).toMatchObject({ session: 1, state: 'offline', reason: 'stop' });
  const late = await Controller.connect(broker.port, authority, 'late');
  await eventually(() => late.statuses.length === 1);
  expect(late.statuses[0]).toMatchObject({ session: 1, state: 'offline', reason: 'stop' });
  await late.close();
});

test('When the connection is reset, the will says lost with that session’s number, and the next session has a higher one', async () => {
  await start();
  await eventually(() => controller.statuses.length === 1);
  line.cut();
  await eventually(() =>
    controller.statuses.some((status) => status.session === 2 && status.state === 'online'),
  );
  await eventually(() =>
    controller.statuses.some((status) => status.session === 1 && status.reason === 'lost'),
  );
});

test('When the line is a black hole, a session is given up within one and a half keep-alives and begun anew (MQTT.js#1861)', async () => {
  await start({ keepAliveSeconds: 5 });
  await eventually(() => fleet?.state() === 'connected');
  line.blackHole(true);
  owe();
  const began = performance.now();
  await eventually(() => fleet?.state() === 'disconnected', {
    timeoutMs: 15_000,
    what: 'the dead line being noticed',
  });
  expect((performance.now() - began) / 1000).toBeGreaterThan(4);
  expect((performance.now() - began) / 1000).toBeLessThan(9);
  line.blackHole(false);
  line.cut();
  await eventually(() => outbox.depth() === 0, { timeoutMs: 15_000 });
  expect(controller.stored).toEqual([1]);
});

test('When the broker is killed with a message that it has acknowledged, the item is sent again and is there once', async () => {
  controller.silent = true;
  owe();
  await start({ resendMillis: 200 });
  await eventually(() => controller.batches.length > 0);
  await broker.process.stop('SIGKILL');
  expect(outbox.depth()).toBe(1);
  await eventually(() => fleet?.state() === 'disconnected');
  await controller.close();
  await broker.start();
  controller = await Controller.connect(broker.port, authority);
  await eventually(() => outbox.depth() === 0);
  expect(controller.stored).toEqual([1]);
});

test('When there is no broker, it is said once in words with what to do, tried again, and all arrives when it is there', async () => {
  await controller.close();
  await broker.process.stop();
  owe();
  await start();
  await eventually(() => lines.some((text) => text.includes('BROKER_UNREACHABLE')));
  await eventually(() => line.accepted >= 4);
  expect(lines.filter((text) => text.includes('BROKER_UNREACHABLE')).length).toBeLessThanOrEqual(2);
  await broker.start();
  controller = await Controller.connect(broker.port, authority);
  await eventually(() => outbox.depth() === 0);
  expect(controller.stored).toEqual([1]);
});

test('When the terminal’s certificate has expired, it says that, and nothing is lost', async () => {
  owe();
  await start({}, await authority.issue({ name: terminal, notAfter: new Date(Date.now() - 60_000) }));
  await eventually(() => lines.some((text) => text.includes('CERTIFICATE_EXPIRED')));
  expect(outbox.depth()).toBe(1);
  expect(controller.statuses).toEqual([]);
});

test('When the broker’s certificate is of another authority, nothing is sent to it', async () => {
  const other = await makeAuthority('Other');
  await start({}, await authority.issue({ name: terminal }), other);
  await eventually(() => lines.some((text) => text.includes('CERTIFICATE_REFUSED')));
  expect(controller.statuses).toEqual([]);
});

test('Only what has changed is sent as health, and at once when somebody knows that it has', async () => {
  await start();
  await eventually(() => controller.reports.length === 1);
  fleet?.changed();
  health = {
    ...sample,
    uptime: { systemSeconds: 500, agentSeconds: 500 },
    readers: [{ id: 'counter-1', state: 'absent' }],
  };
  fleet?.changed();
  await eventually(() => controller.reports.length === 2);
  expect(controller.reports[1]).toMatchObject({ session: 1, seq: 2, full: false });
  expect(controller.reports[1]?.report).toEqual({ readers: [{ id: 'counter-1', state: 'absent' }] });
});

test.each(['while it stands', 'while it is being opened'])(
  'When the line is a black hole, a session that is closed %s ends within its patience, and so does the agent',
  async (when) => {
    if (when === 'while it stands') {
      await start();
      await eventually(() => controller.statuses.length === 1);
    }
    line.blackHole(true);
    if (when !== 'while it stands') {
      await start();
      await eventually(() => line.accepted === 1);
    }
    const began = performance.now();
    await fleet?.close();
    fleet = undefined;
    // A second for the goodbye and one for the end; a connection attempt alone would wait for twenty.
    expect(performance.now() - began).toBeLessThan(5000);
  },
);

const sample: HealthReport = {
  versions: { checkpost: '0.0.0', node: '24', os: 'test' },
  uptime: { systemSeconds: 1, agentSeconds: 1 },
  load: { one: 0, cpus: 1 },
  memory: { totalBytes: 1, availableBytes: 1, agentBytes: 1 },
  disk: { totalBytes: 1, freeBytes: 1 },
  temperature: null,
  clock: { state: 'verified', offsetMillis: 0 },
  readers: [],
  edition: null,
  outbox: { depth: 0, oldestAt: null },
  audit: { entries: 0 },
  uplink: null,
  traffic: null,
  counts: { frames: 0, hit: 0, possible: 0, noRecord: 0, unresolved: 0, unreadable: 0 },
  storage: { wearPercent: null, fileSystemErrors: null },
  power: null,
  start: { unexpected: false, watchdog: false },
  configuration: { version: 0, state: 'current' },
  certificateExpires: '2027-01-01T00:00:00.000Z',
  conditions: [],
};

function owe(): void {
  const done = store.transaction(() => {
    outbox.owe(
      { kind: 'audit-head', entry: 1, hash: 'ab'.repeat(32) },
      { at: '2026-01-15T08:00:00.000Z', clock: 'verified' },
    );
  });
  expect(done.ok).toBe(true);
}

async function start(settings = {}, own?: Credentials, trusted = authority): Promise<void> {
  const credentials = own ?? (await authority.issue({ name: terminal }));
  fleet = startFleet({
    settings: {
      url: `mqtts://localhost:${line.port}`,
      keepAliveSeconds: 30,
      retryMillis: 100,
      spreadSeconds: 30,
      resendMillis: 1000,
      sampleMillis: 60_000,
      fullSeconds: 3600,
      ...settings,
    },
    tls: { authority: trusted.certificate, certificate: credentials.certificate, key: credentials.key },
    terminal,
    version: '0.0.0',
    bootId: 'boot',
    outbox,
    session: () => ({ ok: true, value: ++session }),
    health: { measure: async () => health, now: () => '2026-01-15T08:00:00.000Z' },
    clock: systemClock,
    random: () => 0.5,
    log: createLog('trace', 'test', { write: (text) => lines.push(text) }),
  });
}

/** What a controller does, without a store: keeps what comes in order, and acknowledges it. */
class Controller {
  readonly statuses: Status[] = [];
  readonly reports: HealthMessage[] = [];
  readonly batches: OutboxBatch[] = [];
  readonly stored: number[] = [];
  silent = false;
  #link: MqttLink | undefined;

  static async connect(port: number, trust: TestAuthority, name = 'controller'): Promise<Controller> {
    const controller = new Controller();
    const own = await trust.issue({ name });
    const link = await eventually(async () => {
      const opened = await openMqttLink(
        {
          url: `mqtts://localhost:${port}`,
          clientId: name,
          tls: { authority: trust.certificate, certificate: own.certificate, key: own.key },
          keepAlive: seconds(30),
          connectTimeout: ms(5000),
        },
        { message: (topicName, payload) => controller.#take(topicName, payload), lost: () => {} },
      );
      return opened.ok ? opened.value : undefined;
    });
    controller.#link = link;
    const subscribed = await link.subscribe((['status', 'health', 'outbox'] as const).map(everyTerminal));
    if (!subscribed.ok) throw new Error(subscribed.fault.detail);
    return controller;
  }

  async close(): Promise<void> {
    await this.#link?.end();
    this.#link = undefined;
  }

  #take(name: string, payload: Buffer): void {
    const unpacked = unpack(payload);
    if (!unpacked.ok) throw new Error(unpacked.fault.detail);
    const text = unpacked.value;
    const channel = parseTopic(name)?.channel;
    if (channel === 'status') this.statuses.push(JSON.parse(text) as Status);
    if (channel === 'health') this.reports.push(JSON.parse(text) as HealthMessage);
    if (channel !== 'outbox') return;
    const batch = JSON.parse(text) as OutboxBatch;
    this.batches.push(batch);
    for (const { seq } of batch.entries) if (seq > (this.stored.at(-1) ?? 0)) this.stored.push(seq);
    if (this.silent) return;
    const answer = JSON.stringify({ v: 1, stream: batch.stream, through: this.stored.at(-1) });
    void this.#link?.publish(topic(terminal, 'outbox/ack'), answer);
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

import { Tally } from '#test/rigs/tally.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HitRow } from '#contracts/api/fleet.ts';
import type { HitItem, OutboxAck } from '#contracts/outbox.ts';
import { type Channel, topic } from '#contracts/topics.ts';
import { ms, seconds } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLog } from '#runtime/log.ts';
import { type MqttLink, openMqttLink } from '#runtime/mqtt-link.ts';
import { type Credentials, makeAuthority, type TestAuthority } from '#test/rigs/certificates.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { ManagedProcess } from '#test/rigs/process.ts';
import { type Db, openCentralDb, openRegistry, type RegistryWatch } from '../store/index.ts';
import { type Controller, type ControllerParts, controllerSchema, startController } from './index.ts';

/** The controller against a real Mosquitto over mutual TLS, with a way in between that a test can cut or freeze. */
const terminal = 'UTO-0001-1';
const stream = '01890a5d-ac96-774b-bcce-b302099a8057';
const at = '2026-01-15T08:00:00.000Z';

let folder: string;
let authority: TestAuthority;
let identity: Credentials;
let broker: ManagedProcess;
let brokerPort: number;
let way: Way;
let controller: Controller | undefined;
let db: Db | undefined;
let registry: RegistryWatch | undefined;
let links: MqttLink[];
let logged: string[];

/** A TCP way to the broker: frozen, it takes bytes and delivers none, as a black hole does. */
class Way {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  connections = 0;
  #frozen = false;

  constructor(to: () => number) {
    this.#server = createServer((near) => {
      this.connections++;
      const far = connect(to(), '127.0.0.1');
      for (const [from, into] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (bytes) => {
          if (!this.#frozen) into.write(bytes);
        });
        from.on('error', () => {});
        from.on('close', () => into.destroy());
      }
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve((this.#server.address() as { port: number }).port));
    });
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

const file = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'controller-rig-'));
  authority = await makeAuthority();
  identity = await authority.issue({ name: terminal });
  const server = await authority.issue({ name: 'broker', dns: ['localhost'], ip: ['127.0.0.1'] });
  const own = await authority.issue({ name: 'controller' });
  const probe = createServer();
  brokerPort = await new Promise((resolve) => {
    probe.listen(0, '127.0.0.1', () => resolve((probe.address() as { port: number }).port));
  });
  await new Promise((resolve) => probe.close(resolve));
  const files = {
    'authority.pem': authority.certificate,
    'broker.pem': server.certificate,
    'broker-key.pem': server.key,
    'controller.pem': own.certificate,
    'controller-key.pem': own.key,
    'mosquitto.conf': `user root
per_listener_settings false
allow_anonymous true
persistence false
listener ${brokerPort} 127.0.0.1
cafile ${file('authority.pem')}
certfile ${file('broker.pem')}
keyfile ${file('broker-key.pem')}
require_certificate true
use_identity_as_username true
`,
    'registry.json': JSON.stringify({ v: 1, terminals: [registered()] }),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(file(name), text, { mode: 0o600 });
  broker = new ManagedProcess({
    name: 'mosquitto',
    command: '/usr/sbin/mosquitto',
    args: ['-c', file('mosquitto.conf')],
    logFile: file('broker.log'),
  });
  await broker.start();
  way = new Way(() => brokerPort);
  links = [];
  logged = [];
});

afterEach(async () => {
  await stop();
  for (const link of links) link.drop();
  way.close();
  await broker.stop('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function registered() {
  return {
    terminal,
    bureau: 'UTO',
    site: 'UTO-0001',
    siteName: 'Specimen crossing',
    certificate: identity.digest,
    enrolledAt: at,
  };
}

async function start(over: Partial<ControllerParts> & { keepAlive?: number } = {}): Promise<Controller> {
  const port = await (wayPort ??= way.listen());
  const log = createLog('debug', 'test', { write: (line) => logged.push(line) });
  const parts = { clock: systemClock, random: Math.random, log };
  const opened = await openCentralDb({ state: file('state'), store: {} }, [controllerSchema], parts);
  if (!opened.ok) throw new Error(opened.fault.detail);
  ({ db } = opened.value);
  const read = await openRegistry(file('registry.json'), parts);
  if (!read.ok) throw new Error(read.fault.detail);
  registry = read.value;
  const started = await startController(
    {
      tls: { authority: file('authority.pem'), certificate: 'unused', key: 'unused' },
      controller: {
        url: `mqtts://localhost:${port}`,
        certificate: file('controller.pem'),
        key: file('controller-key.pem'),
        retryMillis: 100,
        keepAliveSeconds: over.keepAlive ?? 15,
        messagesPerSecond: 1000,
        timelineDays: 400,
      },
    },
    {
      ...parts,
      db,
      registry,
      consumers: [],
      wanted: () => 0,
      inMaintenance: () => false,
      counts: new Tally(),
      ...over,
    },
  );
  if (!started.ok) throw new Error(started.fault.detail);
  controller = started.value;
  return started.value;
}

async function stop(): Promise<void> {
  await controller?.close();
  await registry?.close();
  await db?.close();
  controller = registry = db = undefined;
}
let wayPort: Promise<number> | undefined;
afterEach(() => {
  wayPort = undefined;
});

/** A terminal's session, straight to the broker. */
async function session(acks: OutboxAck[] = []): Promise<MqttLink> {
  const link = await eventually(async () => {
    const opened = await openMqttLink(
      {
        url: `mqtts://localhost:${brokerPort}`,
        clientId: terminal,
        tls: { authority: authority.certificate, certificate: identity.certificate, key: identity.key },
        keepAlive: seconds(30),
        connectTimeout: ms(5000),
      },
      {
        message: (_, payload) => void acks.push(JSON.parse(payload.toString()) as OutboxAck),
        lost: () => {},
      },
    );
    return opened.ok && opened.value;
  });
  links.push(link);
  expect(await link.subscribe([topic(terminal, 'outbox/ack')])).toMatchObject({ ok: true });
  return link;
}

async function say(link: MqttLink, channel: Channel, message: object, retain = false): Promise<void> {
  expect(await link.publish(topic(terminal, channel), JSON.stringify(message), { retain })).toMatchObject({
    ok: true,
  });
}

const birth = (number: number) => ({
  v: 1,
  session: number,
  state: 'online',
  reason: 'start',
  boot: 'a',
  version: '0.1.0',
});
const health = (seq: number, entries: number) => ({
  v: 1,
  session: 1,
  seq,
  at,
  full: false,
  report: { audit: { entries } },
});
const hit = (seq: number): HitItem => ({
  kind: 'hit',
  lookup: `01890a5d-ac96-774b-bcce-b3020000000${seq}`,
  verdict: 'hit',
  document: { issuingState: 'UTO', documentNumber: 'L898902C3', documentType: 'passport' },
  basis: 'edition',
  source: { collection: 'sltd', version: 1, date: at, count: 1 },
  age: { seconds: 60, bound: 'exact' },
  matches: [
    {
      kind: 'exact',
      record: { documentType: 'passport', kindOfLoss: 'stolen', reportedOn: '2025-12-01', reportedBy: 'UTO' },
    },
  ],
  officer: 'unassigned',
  reader: 'counter-1',
  training: false,
  late: false,
  recorded: true,
});
const batch = (...numbers: number[]) => ({
  v: 1,
  stream,
  oldest: numbers[0],
  entries: numbers.map((seq) => ({ seq, at, clock: 'verified', item: hit(seq) })),
});
const state = (): string | undefined => controller?.fleet.terminal(terminal)?.state;
const entries = async (): Promise<number | undefined> => {
  const detail = await controller?.fleet.detail(terminal);
  return detail?.ok === true ? detail.value?.health.audit?.entries : undefined;
};
const stored = async (): Promise<(string | undefined)[]> => {
  const hits = await controller?.fleet.hits.page({ limit: 100 });
  return hits?.ok === true ? hits.value.map(({ hit: { lookup } }) => lookup.slice(-1)).reverse() : [];
};
const brokerConnected = (): boolean => controller?.facts().brokerConnected === true;
const reached = (): Promise<unknown> => eventually(brokerConnected, { timeoutMs: 20_000 });
const cutOff = (): Promise<unknown> => eventually(() => !brokerConnected());

test('birth, health and a batch arrive, the batch is acknowledged, and the page is told', async () => {
  await start();
  await reached();
  const told: HitRow[] = [];
  controller?.fleet.subscribe({ hits: (rows) => told.push(...rows) });
  const acks: OutboxAck[] = [];
  const link = await session(acks);
  await say(link, 'status', birth(1), true);
  await say(link, 'health', health(1, 5));
  await say(link, 'outbox', batch(1, 2));
  await eventually(() => acks.length > 0);
  expect(acks).toEqual([{ v: 1, stream, through: 2 }]);
  await eventually(() => told.length === 2);
  expect([state(), await entries(), await stored()]).toEqual(['online', 5, ['1', '2']]);
  expect(controller?.facts()).toMatchObject({
    instance: 'controller',
    brokerConnected: true,
    terminals: { online: 1 },
    refused: {},
  });
});

test('a controller that starts without a broker says so once, with what to do, and works when the broker comes', async () => {
  await broker.stop('SIGKILL');
  await start();
  await eventually(() => way.connections >= 3);
  expect(logged.filter((line) => line.includes('BROKER_UNREACHABLE'))).toHaveLength(1);
  await broker.start();
  await reached();
});

test('a broker that is killed loses nothing: the batch that is sent again is acknowledged and stored once', async () => {
  await start();
  await reached();
  const acks: OutboxAck[] = [];
  const link = await session(acks);
  await say(link, 'outbox', batch(1, 2));
  await eventually(() => acks.length > 0);
  await broker.stop('SIGKILL');
  await cutOff();
  await broker.start();
  await reached();
  const again = await session(acks);
  await say(again, 'outbox', batch(1, 2, 3));
  await eventually(() => acks.at(-1)?.through === 3);
  expect(await stored()).toEqual(['1', '2', '3']);
});

test('what a terminal says while the controller restarts is there afterwards', async () => {
  await start();
  await reached();
  const link = await session();
  await say(link, 'status', birth(1), true);
  await say(link, 'health', health(1, 1));
  await eventually(async () => (await entries()) === 1);
  await stop();
  await say(link, 'health', health(2, 2));
  await start();
  await eventually(async () => (await entries()) === 2);
  expect(state()).toBe('online');
});

test('when the database fails, a change of health is not lost: the broker sends it again once the database works', async () => {
  await start();
  await reached();
  const link = await session();
  await say(link, 'status', birth(1), true);
  await eventually(() => state() === 'online');
  await db?.transaction((tx) => tx.run('ALTER TABLE terminals RENAME TO away'));
  await say(link, 'health', health(1, 9));
  await eventually(() => (controller?.facts().storeErrors ?? 0) > 0);
  // Our own failure is not the terminal's: it is still what it was.
  expect(state()).toBe('online');
  await db?.transaction((tx) => tx.run('ALTER TABLE away RENAME TO terminals'));
  await eventually(async () => (await entries()) === 9, { timeoutMs: 20_000 });
});

test('on a black hole the session is given up after the keep-alive, and a new one is begun (MQTT.js#1861)', async () => {
  await start({ keepAlive: 1 });
  await reached();
  const before = way.connections;
  way.freeze(true);
  await cutOff();
  expect(way.connections).toBe(before);
  way.freeze(false);
  await reached();
  expect(way.connections).toBeGreaterThan(before);
});

test('a terminal is refused while it is not registered, and heard as soon as the registry names it', async () => {
  writeFileSync(file('registry.json'), JSON.stringify({ v: 1, terminals: [] }));
  await start();
  await reached();
  const acks: OutboxAck[] = [];
  const link = await session(acks);
  await say(link, 'outbox', batch(1));
  await eventually(() => controller?.facts().refused['unregistered'] === 1);
  writeFileSync(file('registry.json'), JSON.stringify({ v: 1, terminals: [registered()] }));
  await eventually(() => state() === 'never');
  await say(link, 'outbox', batch(1));
  await eventually(() => acks.length > 0);
  expect(await stored()).toEqual(['1']);
});

test('a certificate of the controller that has expired is named with its file', async () => {
  const old = await authority.issue({ name: 'controller', notAfter: new Date(Date.now() - 86_400_000) });
  writeFileSync(file('controller.pem'), old.certificate);
  await expect(start()).rejects.toThrow(/controller\.pem ended /);
});

test('a broker with a certificate of another authority is not spoken to', async () => {
  const stranger = await makeAuthority('Stranger');
  writeFileSync(file('authority.pem'), stranger.certificate);
  await start();
  await eventually(() => logged.some((line) => line.includes('CERTIFICATE_REFUSED')));
  expect(brokerConnected()).toBe(false);
});

import { Tally } from '#test/rigs/tally.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { topic } from '#contracts/topics.ts';
import { ms, seconds } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { type MqttLink, openMqttLink } from '#runtime/mqtt-link.ts';
import { startBroker, type TestBroker } from '#test/rigs/broker.ts';
import { makeAuthority, type TestAuthority } from '#test/rigs/certificates.ts';
import { postgresKind, type TestDatabase } from '#test/rigs/databases.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { startTcpProxy, type TcpProxy } from '#test/rigs/tcp-proxy.ts';
import { type Db, openRegistry, type RegistryWatch } from '../store/index.ts';
import { type Controller, controllerSchema, startController } from './index.ts';

/** Two controllers on one PostgreSQL and one Mosquitto. */
const postgres = postgresKind('two controllers that share the work');
const terminal = 'UTO-0001-1';
const stream = '01890a5d-ac96-774b-bcce-b302099a8057';
const at = '2026-01-15T08:00:00.000Z';

describe.skipIf(postgres === undefined)('two controllers', () => {
  let folder: string;
  let authority: TestAuthority;
  let broker: TestBroker;
  let database: TestDatabase;
  let registry: RegistryWatch;
  let ways: TcpProxy[];
  let controllers: Controller[];
  let link: MqttLink;
  const acknowledged = { through: 0 };

  beforeEach(async () => {
    if (postgres === undefined) return;
    folder = mkdtempSync(join(tmpdir(), 'sharing-'));
    authority = await makeAuthority();
    const server = await authority.issue({ name: 'broker', dns: ['localhost'], ip: ['127.0.0.1'] });
    const free = await startTcpProxy(1);
    await free.close();
    broker = await startBroker({ folder: join(folder, 'broker'), port: free.port, authority, server });
    const identity = await authority.issue({ name: terminal });
    writeFileSync(join(folder, 'authority.pem'), authority.certificate);
    writeFileSync(
      join(folder, 'registry.json'),
      JSON.stringify({
        v: 1,
        terminals: [
          {
            terminal,
            bureau: 'UTO',
            site: 'UTO-0001',
            siteName: 'Specimen crossing',
            certificate: identity.digest,
            enrolledAt: at,
          },
        ],
      }),
    );
    const read = await openRegistry(join(folder, 'registry.json'), { clock: systemClock, log: silentLog });
    if (!read.ok) throw new Error(read.fault.detail);
    registry = read.value;
    database = await postgres.open([controllerSchema]);
    ways = [await startTcpProxy(broker.port), await startTcpProxy(broker.port)];
    controllers = [
      await start('controller', database.db, ways[0]),
      await start('controller-2', await database.beside(), ways[1]),
    ];
    await eventually(() => controllers.every((one) => one.link.connected));
    acknowledged.through = 0;
    const opened = await openMqttLink(
      {
        url: `mqtts://localhost:${broker.port}`,
        clientId: terminal,
        tls: { authority: authority.certificate, certificate: identity.certificate, key: identity.key },
        keepAlive: seconds(30),
        connectTimeout: ms(5000),
      },
      {
        message: (_, payload) => {
          const { through } = JSON.parse(payload.toString()) as { through: number };
          acknowledged.through = Math.max(acknowledged.through, through);
        },
        lost: () => {},
      },
    );
    if (!opened.ok) throw new Error(opened.fault.detail);
    link = opened.value;
    await link.subscribe([topic(terminal, 'outbox/ack')]);
  });
  afterEach(async () => {
    link.drop();
    for (const one of controllers) await one.close();
    for (const way of ways) await way.close();
    await registry.close();
    await database.close();
    await broker.process.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(name: string, db: Db, way: TcpProxy | undefined): Promise<Controller> {
    const own = await authority.issue({ name });
    const certificate = join(folder, `${name}.pem`);
    const key = join(folder, `${name}-key.pem`);
    writeFileSync(certificate, own.certificate);
    writeFileSync(key, own.key);
    const started = await startController(
      {
        tls: { authority: join(folder, 'authority.pem'), certificate: 'unused', key: 'unused' },
        controller: {
          url: `mqtts://localhost:${way?.port}`,
          certificate,
          key,
          retryMillis: 100,
          keepAliveSeconds: 15,
          messagesPerSecond: 1000,
          timelineDays: 400,
        },
      },
      {
        db,
        registry,
        clock: systemClock,
        random: Math.random,
        log: silentLog,
        consumers: [],
        wanted: () => 0,
        inMaintenance: () => false,
        counts: new Tally(),
      },
    );
    if (!started.ok) throw new Error(started.fault.detail);
    return started.value;
  }

  const say = async (channel: 'status' | 'health' | 'outbox', message: object, retain = false) => {
    const said = await link.publish(topic(terminal, channel), JSON.stringify({ v: 1, ...message }), {
      retain,
    });
    expect(said).toMatchObject({ ok: true });
  };
  const items = async (): Promise<number[]> => {
    const read = await database.db.read((tx) => tx.all<{ seq: number }>('SELECT seq FROM items ORDER BY id'));
    return read.ok ? read.value.map(({ seq }) => seq) : [];
  };
  const entriesFrom = (first: number) =>
    Array.from({ length: 8 }, (_, i) => ({
      seq: first + i,
      at,
      clock: 'verified',
      item: { kind: 'audit-head', entry: first + i, hash: 'a'.repeat(64) },
    }));

  test('what is owed arrives once each and in order, and health as it is, while one of them is cut off again and again', async () => {
    await say('status', { session: 1, state: 'online', reason: 'start', boot: 'a', version: '1' }, true);
    let seq = 0;
    for (let round = 0; round < 20; round++) {
      const before = acknowledged.through;
      await say('health', { session: 1, seq: ++seq, at, full: false, report: { audit: { entries: seq } } });
      if (round % 3 === 1) ways[round % 2]?.cut();
      // A terminal sends its batch again until it is acknowledged.
      await eventually(
        async () => {
          await say('outbox', { stream, oldest: before + 1, entries: entriesFrom(before + 1) });
          return eventually(() => acknowledged.through > before, { timeoutMs: 300 });
        },
        { timeoutMs: 20_000 },
      );
    }
    expect(await items()).toEqual(Array.from({ length: acknowledged.through }, (_, i) => i + 1));
    // Each of them shows the same, whoever took it.
    for (const one of controllers)
      await eventually(async () => {
        const detail = await one.fleet.detail(terminal);
        return detail.ok && detail.value?.health.audit?.entries === seq;
      });
    expect(controllers.map((one) => one.fleet.terminal(terminal)?.state)).toEqual(['online', 'online']);
  });

  test('both take their share, and both know what the other took', async () => {
    await say('status', { session: 1, state: 'online', reason: 'start', boot: 'a', version: '1' }, true);
    for (const one of controllers) await eventually(() => one.fleet.terminal(terminal)?.state === 'online');
    const before = ways.map(({ passed }) => passed);
    for (let n = 1; n <= 20; n++)
      await say('health', { session: 1, seq: n, at, full: false, report: { audit: { entries: n } } });
    // Ten messages each, of more than a hundred bytes.
    await eventually(() => ways.every(({ passed }, i) => passed - (before[i] ?? 0) > 1000));
    expect(ways.map(({ passed }, i) => passed - (before[i] ?? 0) < 3500)).toEqual([true, true]);
    await eventually(async () => {
      const detail = await controllers[0]?.fleet.detail(terminal);
      return detail?.ok === true && detail.value?.health.audit?.entries === 20;
    });
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fail, type Result } from '#contracts/result.ts';
import { ms, seconds } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { type MessageAbout, type MqttLink, openMqttLink } from '#runtime/mqtt-link.ts';
import { startBroker, type TestBroker } from '#test/rigs/broker.ts';
import { makeAuthority, type TestAuthority } from '#test/rigs/certificates.ts';
import { sqliteKind } from '#test/rigs/databases.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { DesiredPublisher } from './desired-publisher.ts';
import { FakeFleet } from './fake-fleet.ts';
import type { OrderLink, PublishOptions } from './ports.ts';
import { ordersRig, rigSchemas, valueOf } from './test-rig.ts';

// The way to the broker as this room needs it: the fake that its other tests use, and a real Mosquitto.

interface Message extends Partial<MessageAbout> {
  readonly text: string;
}

/** A broker with a way to it. */
interface Broker {
  readonly link: OrderLink;
  /** What somebody who subscribes now gets at once. */
  kept(topic: string): Promise<Message | undefined>;
  cut(): Promise<void>;
  /** It comes back and has kept nothing. */
  back(): Promise<void>;
  close(): Promise<void>;
}

let folder: string;
let authority: TestAuthority;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-orders-'));
  authority = await makeAuthority();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function fakeBroker(): Promise<Broker> {
  const fleet = new FakeFleet();
  return {
    link: fleet,
    async kept(topic) {
      const text = fleet.retained.get(topic);
      return text === undefined ? undefined : { text, retain: true };
    },
    cut: async () => void (fleet.away = true),
    back: async () => fleet.restart(),
    close: async () => {},
  };
}

async function realBroker(): Promise<Broker> {
  const server = await authority.issue({ name: 'broker', dns: ['localhost'], ip: ['127.0.0.1'] });
  const broker: TestBroker = await startBroker({
    folder: mkdtempSync(join(folder, 'broker-')),
    port: await freePort(),
    authority,
    server,
  });
  const own = await authority.issue({ name: 'controller' });
  const open = async (clientId: string, got: (topic: string, message: Message) => void): Promise<MqttLink> =>
    valueOf(
      await openMqttLink(
        {
          url: `mqtts://localhost:${broker.port}`,
          clientId,
          tls: { authority: authority.certificate, certificate: own.certificate, key: own.key },
          keepAlive: seconds(30),
          connectTimeout: ms(5000),
        },
        {
          message: (topic, payload, about) => got(topic, { text: payload.toString(), ...about }),
          lost: () => {},
        },
      ),
    );
  let link: MqttLink | undefined = await open('controller', () => {});
  const listeners = new Set<() => void>();
  let readers = 0;
  return {
    link: {
      publish: (topic: string, payload: string, options: PublishOptions): Promise<Result<void>> =>
        link?.publish(topic, payload, options) ?? Promise.resolve(fail('BROKER_UNREACHABLE', 'No session.')),
      onConnected(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    async kept(topic) {
      const got: Message[] = [];
      const reader = await open(`reader-${++readers}`, (at, message) => at === topic && got.push(message));
      valueOf(await reader.subscribe([topic, `${topic}/end`]));
      // What the broker keeps comes before what is published from now on.
      valueOf(await reader.publish(`${topic}/end`, 'end'));
      await reader.end();
      return got[0];
    },
    async cut() {
      await broker.process.stop('SIGKILL');
    },
    async back() {
      await broker.start();
      link = await open('controller', () => {});
      for (const listener of listeners) listener();
    },
    async close() {
      await link?.end();
      await broker.process.stop();
    },
  };
}

describe.each([
  ['the fake', fakeBroker],
  ['Mosquitto', realBroker],
])('%s', (_, start) => {
  let at: Broker;
  afterEach(() => at.close());

  test('keeps what is retained for whoever comes later, and nothing else', async () => {
    at = await start();
    valueOf(await at.link.publish('a/desired', 'one', { retain: true }));
    valueOf(await at.link.publish('a/desired', 'two', { retain: true }));
    valueOf(await at.link.publish('a/command', 'three', { retain: false, expirySeconds: 30 }));
    expect(await at.kept('a/desired')).toMatchObject({ text: 'two', retain: true });
    expect(await at.kept('a/command')).toBeUndefined();
  });

  test('says that it is away, tells when it is back, and has kept nothing', async () => {
    at = await start();
    let told = 0;
    const stop = at.link.onConnected(() => told++);
    valueOf(await at.link.publish('a/desired', 'one', { retain: true }));
    await at.cut();
    await eventually(async () => {
      const sent = await at.link.publish('a/desired', 'two', { retain: true });
      return !sent.ok && sent.fault.code === 'BROKER_UNREACHABLE';
    });
    expect(told).toBe(0);
    await at.back();
    expect(told).toBe(1);
    expect(await at.kept('a/desired')).toBeUndefined();
    stop();
    await at.cut();
    await at.back();
    expect(told).toBe(1);
  });

  test('after it was killed and came back, every terminal finds its configuration there again', async () => {
    at = await start();
    const database = await sqliteKind.open(rigSchemas);
    const rig = await ordersRig(database.db);
    const names = rig.fleet.add('UTO-0001', 30);
    const publisher = new DesiredPublisher({ ...rig.parts, link: at.link, clock: systemClock });
    const stop = new AbortController();
    const run = publisher.run(stop.signal);
    const values = { fleet: { keepAliveSeconds: 60 } };
    valueOf(await rig.orders.layers.put({ scope: { layer: 'fleet' }, base: 0, values, note: '' }, 'ada'));
    const last = `checkpost/1/${names.at(-1)}/desired`;
    const first = await eventually(() => at.kept(last));
    await at.cut();
    await at.back();
    const again = await eventually(() => at.kept(last), { timeoutMs: 20_000 });
    expect(again.text).toBe(first.text);
    stop.abort();
    await run;
    await database.close();
  });
});

test('a command comes to a terminal at Mosquitto with where to answer, what to bring back, and not after its time', async () => {
  const at = await realBroker();
  const options = {
    retain: true,
    expirySeconds: 1,
    responseTopic: 'a/result',
    correlation: Buffer.from('id'),
  };
  valueOf(await at.link.publish('a/command', 'do', options));
  expect(await at.kept('a/command')).toMatchObject({
    text: 'do',
    responseTopic: 'a/result',
    correlation: Buffer.from('id'),
  });
  await eventually(async () => (await at.kept('a/command')) === undefined);
  await at.close();
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

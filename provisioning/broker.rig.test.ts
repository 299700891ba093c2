import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  connect as mqttConnect,
  connectAsync,
  type IClientOptions,
  type IClientPublishOptions,
  type MqttClient,
} from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { terminalReads, terminalWrites, topic } from '#contracts/topics.ts';
import { issueServer, revoke, writeBroker } from '#provisioning/index.ts';
import { type Bureau, makeBureau, valueOf } from '#test/rigs/bureau.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { ManagedProcess } from '#test/rigs/process.ts';
import { requires } from '#test/rigs/requirements.ts';

const without = requires({ test: 'the broker’s access rules', tools: ['mosquitto', 'setpriv'] });

describe.skipIf(without !== undefined)('the broker as the authority configures it', () => {
  let bureau: Bureau;
  let broker: ManagedProcess;
  let port: number;
  let states: Readonly<Record<'one' | 'two', string>>;
  const clients: MqttClient[] = [];

  const order = () => ({
    ...bureau.authority,
    out: bureau.at('broker'),
    host: '127.0.0.1',
    port,
    dns: ['localhost'],
    ip: ['127.0.0.1'],
    controllers: ['controller', 'controller-2'],
    user: process.getuid?.() === 0 ? 'root' : (process.env['USER'] ?? 'nobody'),
  });

  beforeAll(async () => {
    bureau = await makeBureau();
    port = await freePort();
    states = { one: await bureau.enrolled(1), two: await bureau.enrolled(2) };
    const server = { ...bureau.authority, dns: ['localhost'], ip: ['127.0.0.1'] };
    for (const name of ['controller', 'controller-2'])
      valueOf(await issueServer({ ...server, name, out: bureau.at(name) }, bureau.parts));
    valueOf(await issueServer({ ...server, name: 'central', out: bureau.at('central') }, bureau.parts));
    const { config } = valueOf(await writeBroker(order(), bureau.parts));
    broker = new ManagedProcess({
      name: 'mosquitto',
      command: '/usr/sbin/mosquitto',
      args: ['-c', config],
      logFile: bureau.at('broker.log'),
    });
    await broker.start();
  });
  afterAll(async () => {
    for (const client of clients) await client.endAsync(true);
    await broker.stop();
    bureau.close();
  });

  /** Connects with the certificate of a terminal's or server's folder; the first try waits for the broker. */
  async function connect(folder: string, options: IClientOptions = {}): Promise<MqttClient> {
    const at = (name: string): Buffer => readFileSync(join(folder, name));
    const client = await eventually(
      () =>
        connectAsync(`mqtts://localhost:${port}`, {
          ca: at('authority.pem'),
          cert: at('certificate.pem'),
          key: at('key.pem'),
          protocolVersion: 5,
          reconnectPeriod: 0,
          connectTimeout: 5000,
          ...options,
        }),
      { what: 'a connection to the broker', failAtOnce: () => !broker.running },
    );
    clients.push(client);
    // Tests cut connections on purpose.
    client.on('error', () => {});
    return client;
  }
  const terminal = (which: 'one' | 'two', options?: IClientOptions) =>
    connect(join(states[which], 'tls'), options);
  const controller = (options?: IClientOptions) => connect(bureau.at('controller'), options);

  /** Whether the broker takes the message, by its answer to a publication of QoS 1. */
  async function takes(
    client: MqttClient,
    name: string,
    options: IClientPublishOptions = {},
  ): Promise<boolean> {
    try {
      await client.publishAsync(name, 'x', { qos: 1, ...options });
      return true;
    } catch (thrown) {
      // 135: not authorized (MQTT 5.0 § 3.4.2.1).
      expect((thrown as { code?: number }).code).toBe(135);
      return false;
    }
  }

  test('a terminal writes its own topics in their direction, and nothing else', async () => {
    const one = await terminal('one');
    for (const channel of terminalWrites)
      expect(await takes(one, topic('UTO-0001-1', channel)), channel).toBe(true);
    for (const channel of terminalReads)
      expect(await takes(one, topic('UTO-0001-1', channel)), channel).toBe(false);
    for (const channel of [...terminalWrites, ...terminalReads]) {
      expect(await takes(one, topic('UTO-0001-2', channel)), channel).toBe(false);
    }
    for (const name of ['checkpost/1', 'checkpost/2/UTO-0001-1/status', 'elsewhere', '$SYS/broker/version']) {
      expect(await takes(one, name), name).toBe(false);
    }
    expect(await takes(one, topic('UTO-0001-1', 'desired'), { retain: true })).toBe(false);
    await one.endAsync();
  });

  test('a terminal reads what the controller writes for it, and nothing of another terminal, whatever it subscribes to', async () => {
    const [one, two, centre] = [await terminal('one'), await terminal('two'), await controller()];
    const seen: string[] = [];
    one.on('message', (name) => seen.push(name));
    const heard: string[] = [];
    centre.on('message', (name) => heard.push(name));
    for (const filter of [
      '#',
      '+/#',
      'checkpost/1/UTO-0001-2/outbox',
      'checkpost/1/+/+',
      '$SYS/#',
      topic('UTO-0001-1', 'outbox/ack'),
    ]) {
      // Mosquitto grants the subscription and then delivers nothing that may not be read.
      await one.subscribeAsync(filter, { qos: 1 }).catch(() => undefined);
    }
    await centre.subscribeAsync('checkpost/1/+/outbox', { qos: 1 });
    for (const channel of terminalWrites) expect(await takes(two, topic('UTO-0001-2', channel))).toBe(true);
    for (const channel of terminalReads) expect(await takes(centre, topic('UTO-0001-2', channel))).toBe(true);
    expect(await takes(centre, topic('UTO-0001-1', 'outbox/ack'))).toBe(true);
    // The broker delivers in order: what came before the last message and may be read is there by now.
    await eventually(() => seen.includes(topic('UTO-0001-1', 'outbox/ack')));
    await eventually(() => heard.includes(topic('UTO-0001-2', 'outbox')));
    expect(seen.filter((name) => !name.startsWith('checkpost/1/UTO-0001-1/'))).toEqual([]);
    await Promise.all([one.endAsync(), two.endAsync(), centre.endAsync()]);
  });

  test('the controller cannot speak for a terminal, and another server of the centre can do nothing for one', async () => {
    const centre = await controller();
    expect(await takes(centre, topic('UTO-0001-1', 'outbox'))).toBe(false);
    const other = await connect(bureau.at('central'));
    for (const channel of [...terminalWrites, ...terminalReads]) {
      expect(await takes(other, topic('UTO-0001-1', channel)), channel).toBe(false);
    }
    await Promise.all([centre.endAsync(), other.endAsync()]);
  });

  test('several controllers share what terminals say, each message once, and what is retained comes to each by a plain subscription', async () => {
    const [one, centre, second] = [
      await terminal('one'),
      await controller(),
      await connect(bureau.at('controller-2')),
    ];
    expect(await takes(one, topic('UTO-0001-1', 'status'), { retain: true })).toBe(true);
    const heard: string[] = [];
    const counts = [0, 0];
    for (const [i, client] of [centre, second].entries()) {
      client.on('message', (name, payload) => {
        heard.push(`${i} ${name} ${payload.toString()}`);
        if (name.endsWith('/outbox')) counts[i] = (counts[i] ?? 0) + 1;
      });
      // Granted is the quality of service asked for; Mosquitto checks the filter without its share.
      const granted = await client.subscribeAsync('$share/controllers/checkpost/1/+/outbox', { qos: 1 });
      expect(granted.map(({ qos }) => qos)).toEqual([1]);
      await client.subscribeAsync('$share/controllers/checkpost/1/+/status', { qos: 1 });
    }
    for (let i = 0; i < 10; i++) await one.publishAsync(topic('UTO-0001-1', 'outbox'), `${i}`, { qos: 1 });
    await eventually(() => counts.reduce((sum, count) => sum + count) === 10);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    // Mosquitto 2.0.11 sends what is retained to a share as well; other brokers, as MQTT 5.0 section 4.8.2 has it, do
    // not, so that only the plain subscription counts.
    heard.length = 0;
    await second.subscribeAsync('checkpost/1/+/status', { qos: 1 });
    await eventually(() => heard.some((line) => line === '1 checkpost/1/UTO-0001-1/status x'));
    expect(await takes(second, topic('UTO-0001-1', 'desired'))).toBe(true);
    await one.publishAsync(topic('UTO-0001-1', 'status'), '', { qos: 1, retain: true });
    await Promise.all([one.endAsync(), centre.endAsync(), second.endAsync()]);
  });

  test('a terminal gets nothing by a share, and its own desired only as the centre wrote it', async () => {
    const [one, two, centre] = [await terminal('one'), await terminal('two'), await controller()];
    await centre.publishAsync(topic('UTO-0001-1', 'desired'), 'for one', { qos: 1, retain: true });
    const seen: string[] = [];
    two.on('message', (name, payload) => seen.push(`${name} ${payload.toString()}`));
    for (const filter of [
      '$share/controllers/checkpost/1/+/outbox',
      '$share/x/checkpost/1/UTO-0001-1/desired',
      topic('UTO-0001-1', 'desired'),
      topic('UTO-0001-1', 'command'),
      topic('UTO-0001-2', 'desired'),
    ]) {
      await two.subscribeAsync(filter, { qos: 1 }).catch(() => undefined);
    }
    for (const name of ['desired', 'command'] as const) {
      expect(await takes(two, topic('UTO-0001-1', name), { retain: true })).toBe(false);
      expect(await takes(two, topic('UTO-0001-2', name), { retain: true })).toBe(false);
    }
    expect(await takes(one, topic('UTO-0001-1', 'outbox'))).toBe(true);
    await centre.publishAsync(topic('UTO-0001-1', 'command'), 'reboot', { qos: 1 });
    await centre.publishAsync(topic('UTO-0001-2', 'desired'), 'for two', { qos: 1, retain: true });
    await eventually(() => seen.length > 0);
    expect(seen).toEqual([`${topic('UTO-0001-2', 'desired')} for two`]);
    for (const name of ['UTO-0001-1', 'UTO-0001-2'])
      await centre.publishAsync(topic(name, 'desired'), '', { qos: 1, retain: true });
    await Promise.all([one.endAsync(), two.endAsync(), centre.endAsync()]);
  });

  test('what ten thousand terminals say waits for a controller that is away, and none of it is dropped', async () => {
    const kept = { clientId: 'controller', clean: false, properties: { sessionExpiryInterval: 300 } };
    const centre = await controller(kept);
    await centre.subscribeAsync('checkpost/1/+/health', { qos: 1 });
    await centre.endAsync();
    const one = await terminal('one');
    const text = 'x'.repeat(700);
    for (let sent = 0; sent < 10_000; sent += 500) {
      const some = Array.from({ length: 500 }, (_, i) =>
        one.publishAsync(topic('UTO-0001-1', 'health'), `${sent + i} ${text}`, { qos: 1 }),
      );
      await Promise.all(some);
    }
    const got = new Set<number>();
    const folder = bureau.at('controller');
    const at = (name: string): Buffer => readFileSync(join(folder, name));
    const back = mqttConnect(`mqtts://localhost:${port}`, {
      ca: at('authority.pem'),
      cert: at('certificate.pem'),
      key: at('key.pem'),
      protocolVersion: 5,
      reconnectPeriod: 0,
      ...kept,
    });
    clients.push(back);
    back.on('message', (_, payload) => got.add(Number.parseInt(payload.toString(), 10)));
    await eventually(() => got.size === 10_000, { timeoutMs: 30_000 });
    await back.endAsync();
    await (await controller()).endAsync();
    await one.endAsync();
  });

  test('a terminal cannot take over the session of another by its name', async () => {
    const two = await terminal('two');
    let cut = false;
    two.on('close', () => (cut = true));
    const one = await terminal('one', { clientId: 'UTO-0001-2' });
    // Both work after the attempt.
    expect(await takes(one, topic('UTO-0001-1', 'status'))).toBe(true);
    expect(await takes(two, topic('UTO-0001-2', 'status'))).toBe(true);
    expect(cut).toBe(false);
    await Promise.all([one.endAsync(), two.endAsync()]);
  });

  test('nobody connects without a certificate, or with one of another authority', async () => {
    await (await terminal('one')).endAsync();
    const ca = readFileSync(bureau.at('broker', 'authority.pem'));
    const url = `mqtts://localhost:${port}`;
    const plain = { ca, protocolVersion: 5, reconnectPeriod: 0, connectTimeout: 5000 } as const;
    await expect(connectAsync(url, plain)).rejects.toThrow();
    const foreign = await makeBureau();
    try {
      const state = await foreign.enrolled(1);
      const stranger = {
        cert: readFileSync(join(state, 'tls', 'certificate.pem')),
        key: readFileSync(join(state, 'tls', 'key.pem')),
      };
      await expect(connectAsync(url, { ...plain, ...stranger })).rejects.toThrow();
    } finally {
      foreign.close();
    }
  });

  test('a revoked terminal is refused once the broker has the new list, and the others are not', async () => {
    await (await terminal('two')).endAsync();
    valueOf(await revoke({ ...bureau.authority, terminal: 'UTO-0001-2' }, bureau.parts));
    valueOf(await writeBroker(order(), bureau.parts));
    await broker.stop();
    const refusals = (): number =>
      readFileSync(bureau.at('broker.log'), 'utf8').split('certificate verify failed').length;
    const before = refusals();
    await broker.start();
    const one = await terminal('one');
    await expect(
      connectAsync(`mqtts://localhost:${port}`, {
        ca: readFileSync(join(states.two, 'tls', 'authority.pem')),
        cert: readFileSync(join(states.two, 'tls', 'certificate.pem')),
        key: readFileSync(join(states.two, 'tls', 'key.pem')),
        protocolVersion: 5,
        reconnectPeriod: 0,
        connectTimeout: 5000,
      }),
    ).rejects.toThrow();
    // Mosquitto names no reason; the same certificate was good a moment ago.
    await eventually(() => refusals() > before, { what: 'a refusal in the broker’s log' });
    expect(await takes(one, topic('UTO-0001-1', 'status'))).toBe(true);
    await one.endAsync();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '#contracts/result.ts';
import { ms, seconds } from '#contracts/units.ts';
import { type MessageAbout, type MqttLink, type MqttOptions, openMqttLink } from '#runtime/mqtt-link.ts';
import { startBroker, type TestBroker } from '#test/rigs/broker.ts';
import { makeAuthority, type TestAuthority } from '#test/rigs/certificates.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { startTcpProxy, type TcpProxy } from '#test/rigs/tcp-proxy.ts';

// The link itself against a real Mosquitto with mutual TLS, over a line that can be broken.

let folder: string;
let authority: TestAuthority;
let broker: TestBroker;
let line: TcpProxy;
const clients: Client[] = [];
const servers: Server[] = [];
/** What came to a broker that is played. */
const played = { bytes: 0 };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-link-'));
  authority = await makeAuthority();
  broker = await startBroker({
    folder,
    port: await freePort(),
    authority,
    server: await authority.issue({ name: 'broker', dns: ['localhost'], ip: ['127.0.0.1'] }),
  });
  line = await startTcpProxy(broker.port);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.link.drop();
  for (const server of servers.splice(0)) server.close();
});
afterAll(async () => {
  await line.close();
  await broker.process.stop();
  rmSync(folder, { recursive: true });
});

interface Message extends MessageAbout {
  readonly topic: string;
  readonly text: string;
}

interface Client {
  readonly link: MqttLink;
  readonly got: Message[];
  readonly lost: { fault: Fault; by: string }[];
}

type Taking = (message: Message) => void | Promise<void>;

async function client(
  name: string,
  options: Partial<MqttOptions> = {},
  taking: Taking = () => {},
): Promise<Client> {
  const own = await authority.issue({ name });
  const got: Message[] = [];
  const lost: Client['lost'] = [];
  const opened = await openMqttLink(
    {
      url: `mqtts://localhost:${line.port}`,
      clientId: name,
      tls: { authority: authority.certificate, certificate: own.certificate, key: own.key },
      keepAlive: seconds(30),
      connectTimeout: ms(5000),
      ...options,
    },
    {
      message: (topic, payload, about) => {
        const message = { topic, text: payload.toString(), ...about };
        got.push(message);
        return taking(message);
      },
      lost: (fault, by) => lost.push({ fault, by }),
    },
  );
  if (!opened.ok) throw new Error(`${opened.fault.code}: ${opened.fault.detail}`);
  const made = { link: opened.value, got, lost };
  clients.push(made);
  return made;
}

const texts = ({ got }: Client): string[] => got.map(({ text }) => text);

test('A message brings its response topic and its correlation data, and says whether it lay there before', async () => {
  const sender = await client('sender');
  await sender.link.publish('a/old', 'old', { retain: true });
  const reader = await client('reader');
  await reader.link.subscribe(['a/#']);
  const correlation = Buffer.from([0, 1, 255]);
  await sender.link.publish('a/ask', '{}', {
    responseTopic: 'a/answer',
    correlation,
    expirySeconds: 60,
    contentType: 'application/json',
  });
  await eventually(() => reader.got.length === 2);
  expect(reader.got[0]).toEqual({ topic: 'a/old', text: 'old', retain: true });
  expect(reader.got[1]).toEqual({
    topic: 'a/ask',
    text: '{}',
    retain: false,
    responseTopic: 'a/answer',
    correlation,
  });
});

test('A message that has expired is not delivered, and a subscription may leave out what lies there', async () => {
  const sender = await client('sender');
  await sender.link.publish('b/short', 'gone', { retain: true, expirySeconds: 1 });
  await sender.link.publish('b/long', 'kept', { retain: true });
  await eventually(async () => {
    const late = await client('late');
    await late.link.subscribe(['b/#']);
    await eventually(() => late.got.length > 0);
    return texts(late).join() === 'kept';
  });
  const skipping = await client('skipping');
  await skipping.link.subscribe([{ filter: 'b/#', retained: 'skip' }]);
  await sender.link.publish('b/new', 'new');
  await eventually(() => skipping.got.length > 0);
  expect(texts(skipping)).toEqual(['new']);
});

test('What is shared goes to one of those who share it, each message once', async () => {
  const [one, two] = [await client('one'), await client('two')];
  for (const each of [one, two]) await each.link.subscribe(['$share/controllers/c/+/outbox']);
  const sender = await client('sender');
  for (let i = 0; i < 20; i++) await sender.link.publish(`c/${i}/outbox`, `${i}`);
  await eventually(() => one.got.length + two.got.length === 20);
  expect([...texts(one), ...texts(two)].sort((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 20 }, (_, i) => `${i}`),
  );
  expect(Math.min(one.got.length, two.got.length)).toBeGreaterThan(0);
});

describe('an acknowledgement', () => {
  const kept = { keepSession: seconds(60) };

  test('follows the commit: what was not committed when the connection is cut comes again, and what was does not', async () => {
    const waiting: PromiseWithResolvers<void>[] = [];
    const first = await client('keeper', kept, ({ text }) => {
      if (text === 'one') return undefined;
      const commit = Promise.withResolvers<void>();
      waiting.push(commit);
      return commit.promise;
    });
    await first.link.subscribe(['d/#']);
    const sender = await client('sender');
    for (const text of ['one', 'two', 'three']) await sender.link.publish('d/x', text);
    await eventually(() => first.got.length === 3);
    waiting[0]?.resolve();
    // Once the broker answers this, it has the acknowledgements that were sent before.
    await first.link.subscribe(['d/fence']);
    first.link.drop();
    const second = await client('keeper', kept);
    await eventually(() => second.got.length > 0);
    await sender.link.publish('d/x', 'four');
    await eventually(() => texts(second).includes('four'));
    expect(texts(second)).toEqual(['three', 'four']);
    await second.link.end();
  });

  test('that takes long holds up neither the messages behind it nor what the commit itself sends', async () => {
    const reader: Client = await client('patient', {}, async ({ topic }) => {
      // Answered only after the broker has acknowledged something else: a reader that stood still would wait for ever.
      if (topic === 'e/ask') await reader.link.publish('e/answer', 'done');
    });
    await reader.link.subscribe(['e/#']);
    const sender = await client('sender');
    await sender.link.publish('e/ask', '?');
    await eventually(() => texts(reader).includes('done'));
  });

  test('is never given where the commit failed: the connection is ended with the reason, and the message comes again', async () => {
    const first = await client('failing', kept, () => Promise.reject(new Error('the disk is full')));
    await first.link.subscribe(['f/#']);
    const sender = await client('sender');
    await sender.link.publish('f/x', 'precious');
    await eventually(() => first.lost.length === 1);
    expect(first.lost[0]?.fault).toMatchObject({ code: 'INTERNAL', detail: 'the disk is full' });
    const second = await client('failing', kept);
    await eventually(() => texts(second).includes('precious'));
    await second.link.end();
  });

  test('is waited for by the broker: no more than the receive maximum are on their way', async () => {
    const waiting: PromiseWithResolvers<void>[] = [];
    const slow = await client('slow', { receiveMaximum: 3 }, () => {
      const commit = Promise.withResolvers<void>();
      waiting.push(commit);
      return commit.promise;
    });
    await slow.link.subscribe(['g/#']);
    const sender = await client('sender');
    for (let i = 0; i < 10; i++) await sender.link.publish('g/x', `${i}`);
    await eventually(() => slow.got.length === 3);
    await slow.link.subscribe(['g/fence']);
    expect(slow.got).toHaveLength(3);
    waiting[0]?.resolve();
    await eventually(() => slow.got.length === 4);
  });
});

test('No more messages are on their way than the broker said that it takes at once', async () => {
  // CONNACK with a receive maximum of 2 (MQTT 5.0 section 3.2.2.3.3); publications are never acknowledged.
  const port = await playBroker([0x20, 6, 0, 0, 3, 0x21, 0, 2]);
  const one = await client('one', { url: `mqtts://localhost:${port}` });
  const before = played.bytes;
  const sent = Array.from({ length: 5 }, () => one.link.publish('h/x', 'x'));
  // Fixed header, topic, packet id, no properties, payload.
  const packet = 2 + 2 + 3 + 2 + 1 + 1;
  await eventually(() => played.bytes >= before + 2 * packet);
  await new Promise((resolve) => setImmediate(resolve));
  expect(played.bytes).toBe(before + 2 * packet);
  one.link.drop();
  expect((await Promise.all(sent)).filter(({ ok }) => ok)).toEqual([]);
});

test('Many messages at once all arrive, in order', async () => {
  const reader = await client('reader', { receiveMaximum: 1000 });
  await reader.link.subscribe(['h/#']);
  const sender = await client('sender');
  const sent = await Promise.all(Array.from({ length: 300 }, (_, i) => sender.link.publish('h/x', `${i}`)));
  expect(sent.filter(({ ok }) => !ok)).toEqual([]);
  await eventually(() => reader.got.length === 300);
  expect(texts(reader)).toEqual(Array.from({ length: 300 }, (_, i) => `${i}`));
  expect(sender.lost).toEqual([]);
});

test('Whoever is put out by another connection of the same identity sees that it was the broker who ended it', async () => {
  const first = await client('twin');
  await client('twin');
  await eventually(() => first.lost.length === 1);
  // Mosquitto 2.0.11 gives no reason; a broker that does is played below.
  expect(first.lost[0]).toMatchObject({ fault: { code: 'BROKER_UNREACHABLE' }, by: 'broker' });
});

test.each([
  [0x8e, 'IDENTITY_TAKEN_OVER', 'It ended the session: another connection took over this session.'],
  [0x8b, 'BROKER_REFUSED', 'It ended the session: server shutting down.'],
  [0x89, 'BROKER_BUSY', 'It ended the session: server busy.'],
  [0x97, 'BROKER_BUSY', 'It ended the session: quota exceeded.'],
  [0x9c, 'BROKER_REFUSED', 'It ended the session: use another server.'],
])('When the broker ends a session with reason %i, it is %s in words', async (reason, code, detail) => {
  // CONNACK, then DISCONNECT with the reason (MQTT 5.0 sections 3.2 and 3.14).
  const port = await playBroker([0x20, 3, 0, 0, 0], [0xe0, 2, reason, 0]);
  const one = await client('one', { url: `mqtts://localhost:${port}` });
  await eventually(() => one.lost.length === 1);
  expect(one.lost).toMatchObject([{ fault: { code, detail }, by: 'broker' }]);
});

test.each([
  [0x88, 'BROKER_BUSY: Reason 136: server unavailable.'],
  [0x9f, 'BROKER_BUSY: Reason 159: connection rate exceeded.'],
  [0x87, 'BROKER_REFUSED: Reason 135: not authorised.'],
])('When the broker refuses a connection with reason %i, it is said in words', async (reason, words) => {
  const port = await playBroker([0x20, 3, 0, reason, 0]);
  const refused = client('one', { url: `mqtts://localhost:${port}` });
  await expect(refused).rejects.toThrow(words);
});

test.each(['silent', 'sending all the time'])(
  'A connection that is %s notices a line that swallows everything within one and a half keep-alives (MQTT.js#1861, #1855, #1778)',
  async (how) => {
    const one = await client('one', { keepAlive: seconds(2) });
    const began = performance.now();
    line.blackHole(true);
    const sending = setInterval(() => how !== 'silent' && void one.link.publish('x', 'x'), 100);
    try {
      await eventually(() => one.lost.length === 1, { timeoutMs: 6000 });
    } finally {
      clearInterval(sending);
      line.blackHole(false);
    }
    // A keep-alive and a half, and what the machine is late.
    expect(performance.now() - began).toBeLessThan(3500);
    expect(one.lost[0]).toMatchObject({ fault: { code: 'BROKER_UNREACHABLE' }, by: 'line' });
    expect(await one.link.publish('x', 'late')).toMatchObject({ ok: false });
    line.cut();
  },
);

/** A broker that says these packets, one after the other, to everybody who connects. */
async function playBroker(...packets: number[][]): Promise<number> {
  const own = await authority.issue({ name: 'broker', dns: ['localhost'] });
  const server = createTlsServer({ cert: own.certificate, key: own.key }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => (played.bytes += chunk.length));
    socket.once('data', () => {
      for (const packet of packets) socket.write(Buffer.from(packet));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  servers.push(server);
  return (server.address() as { port: number }).port;
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

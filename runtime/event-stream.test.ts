import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, ms } from '#contracts/units.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { EventStream } from './event-stream.ts';
import { silentLog } from './log.ts';
import { TestClock } from './test-clock.ts';

describe('an event stream', () => {
  const clock = new TestClock();
  let stream: EventStream;
  let server: Server;

  beforeEach(async () => {
    const limits = { heartbeat: ms(5000), maxBuffered: bytes(262_144), maxClients: 2 };
    stream = new EventStream({ clock, log: silentLog, ...limits });
    server = createServer((_request, response) => stream.connect(response, [{ event: 'first', data: 1 }]));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterEach(async () => {
    stream.close();
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  /** A client that reads, or, paused, one that does not. */
  const connect = async (paused = false) => {
    const { port } = server.address() as AddressInfo;
    const response = await new Promise<IncomingMessage>((done, failed) => {
      get({ port, host: '127.0.0.1', agent: false }, done).on('error', failed);
    });
    const seen = { text: '', ended: false, response };
    response.on('error', () => {});
    response.on('close', () => (seen.ended = true));
    if (!paused) response.setEncoding('utf8').on('data', (chunk: string) => (seen.text += chunk));
    return seen;
  };

  test('sends the present state, then a heartbeat that says that it is whole, then what happens', async () => {
    const client = await connect();
    stream.send('later', { n: 2 });
    await eventually(() => client.text.includes('later'));
    expect(client.text).toMatch(
      /^retry: 1000\n\nevent: first\ndata: 1\n\nevent: heartbeat\ndata: \{"time":"[^"]+"\}\n\nevent: later\ndata: \{"n":2\}\n\n$/,
    );
  });

  test('beats while somebody listens, and sets no timer when nobody does', async () => {
    const client = await connect();
    await clock.advance(5000);
    await eventually(() => client.text.match(/heartbeat/g)?.length === 2);
    client.response.destroy();
    await eventually(() => stream.size === 0);
    expect(clock.waiting).toBe(0);
  });

  test('drops a client that does not read, and keeps the others', async () => {
    const reading = await connect();
    await connect(true);
    const large = 'x'.repeat(200_000);
    await eventually(
      () => {
        stream.send('large', large);
        return stream.size === 1;
      },
      { what: 'the slow client was dropped', everyMs: 5, timeoutMs: 4500 },
    );
    stream.send('still', 1);
    await eventually(() => reading.text.includes('event: still'));
  });

  test('lets the oldest client go when too many connect', async () => {
    const [oldest] = [await connect(), await connect(), await connect()];
    await eventually(() => oldest?.ended);
    expect(stream.size).toBe(2);
  });

  test('ends its streams when it is closed, and later ones at once', async () => {
    const client = await connect();
    stream.close();
    await eventually(() => client.ended);
    const late = await connect();
    await eventually(() => late.ended);
    expect(late.text).toBe('');
    expect(clock.waiting).toBe(0);
  });
});

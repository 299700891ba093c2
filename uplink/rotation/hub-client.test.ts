import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { hubLineLimit } from '#contracts/hub.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { createHubClient } from './hub-client.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

/** A hub that answers every connection with this text, or with nothing. */
async function hubThatSays(text: string | undefined) {
  const clock = new TestClock();
  const asked = { times: 0 };
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      asked.times++;
      if (text !== undefined) socket.write(text);
    });
  });
  const one = server;
  const port = await new Promise<number>((resolve) => {
    one.listen(0, '127.0.0.1', () => resolve((one.address() as { port: number }).port));
  });
  const client = createHubClient({
    hubs: [{ name: 'one', probeAddress: '127.0.0.1', servicePort: port }],
    from: () => '127.0.0.1',
    clock,
  });
  return { client, clock, asked };
}

const answer = { id: 1, ok: true, time: '2026-01-01T00:00:00.000Z', keys: [] };
test.each([
  ['noise', '\u0000\u0001\n'],
  ['another form', '{"id":1,"ok":true}\n'],
  ['the answer to another question', `${JSON.stringify({ ...answer, id: 2 })}\n`],
  [
    'a key that is none',
    `${JSON.stringify({ ...answer, keys: [{ slot: 'tunnel', current: 'x', candidate: null }] })}\n`,
  ],
  ['a line without end', 'x'.repeat(hubLineLimit + 1)],
  ['a line that is too long', `${' '.repeat(hubLineLimit + 1)}${JSON.stringify(answer)}\n`],
])('A hub that answers %s is HUB_REFUSED', async (_, text) => {
  const { client } = await hubThatSays(text);
  expect(await client.keys('one')).toMatchObject({ ok: false, fault: { code: 'HUB_REFUSED' } });
});

test('A refusal says why the hub refused', async () => {
  const { client } = await hubThatSays(
    '{"id":1,"ok":false,"time":"2026-01-01T00:00:00.000Z","code":"TERMINAL_UNKNOWN","detail":"No terminal."}\n',
  );
  const refused = await client.keys('one');
  expect(refused).toMatchObject({ fault: { detail: 'one: TERMINAL_UNKNOWN: No terminal.' } });
});

test('A hub that says nothing is HUB_UNREACHABLE after three seconds, and no timer is left', async () => {
  const { client, clock, asked } = await hubThatSays(undefined);
  const keys = client.keys('one');
  await expect.poll(() => asked.times).toBe(1);
  await clock.advance(2999);
  await clock.advance(1);
  expect(await keys).toMatchObject({ fault: { code: 'HUB_UNREACHABLE' } });
  expect(clock.waiting).toBe(0);
});

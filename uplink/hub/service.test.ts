import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { HubAnswer, hubLineLimit, type SlotKeys } from '#contracts/hub.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { silentLog } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { createHubClient } from '../rotation/hub-client.ts';
import { systemClock } from '#runtime/clock.ts';
import type { Keyring } from './keyring.ts';
import { answerLine, type Service, startService } from './service.ts';

const key = (name: string): string => createHash('sha256').update(name).digest('base64');
const keys: SlotKeys[] = [{ slot: 'tunnel', current: key('a'), candidate: null }];

/** A keyring that notes what it was told. */
function testKeyring(answer: Result<void> = ok(undefined)) {
  const done: string[] = [];
  const act = async (what: string): Promise<Result<void>> => {
    done.push(what);
    return answer;
  };
  const keyring = {
    keys: () => keys,
    offer: (terminal: string, { slot }: { slot: string }) => act(`${terminal} offers ${slot}`),
    limit: (terminal: string, mtu: number) => act(`${terminal} takes ${mtu}`),
    registry: {
      speaker: (address: string) =>
        address === '10.78.0.1' || address === '127.0.0.1'
          ? { terminal: 'UTO-0001-1', uplink: 'dsl' }
          : undefined,
    },
  } as unknown as Keyring;
  return { keyring, done };
}

const offer = { verb: 'offer', slot: 'tunnel', publicKey: key('new'), presharedKey: key('psk') };
const parts = (keyring: Keyring) => ({
  keyring,
  clock: new TestClock(),
  log: silentLog,
  offered: () => {},
});

let service: Service | undefined;
afterEach(async () => {
  await service?.close();
  service = undefined;
});

/** A real service on a free port of the loopback. */
async function listenAnywhere(keyring: Keyring): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const servicePort = 20_000 + Math.floor(Math.random() * 20_000);
    const started = await startService({ probeAddress: '127.0.0.1', servicePort }, parts(keyring));
    if (!started.ok) continue;
    service = started.value;
    return servicePort;
  }
  throw new Error('no port is free');
}

function clientOf(port: number, times: number[] = []) {
  return createHubClient({
    hubs: [{ name: 'one', probeAddress: '127.0.0.1', servicePort: port }],
    from: (hub) => (hub === 'one' ? '127.0.0.1' : undefined),
    clock: systemClock,
    onTime: (_, time) => times.push(time),
  });
}

test('A terminal asks for its keys, offers one and names its largest packet; each answer has the keys and the time', async () => {
  const { keyring, done } = testKeyring();
  for (const request of [{ verb: 'keys' }, offer, { verb: 'path', mtu: 1280 }]) {
    const answer = await answerLine(JSON.stringify({ id: 7, ...request }), '10.78.0.1', parts(keyring));
    expect(answer).toEqual({ id: 7, ok: true, time: '2026-01-15T08:00:00.000Z', keys });
  }
  expect(done).toEqual(['UTO-0001-1 offers tunnel', 'UTO-0001-1 takes 1280']);
});

test('Whoever speaks from another address is refused, and nothing is done', async () => {
  const { keyring, done } = testKeyring();
  const answer = await answerLine(JSON.stringify({ id: 1, ...offer }), '10.77.0.1', parts(keyring));
  expect(answer).toMatchObject({ ok: false, code: 'TERMINAL_UNKNOWN' });
  expect(done).toEqual([]);
});

test('What went wrong on the machine of the hub stays there', async () => {
  const { keyring } = testKeyring(fail('TUNNEL_FAILED', '/var/lib/hub: wg said something'));
  const answer = await answerLine(JSON.stringify({ id: 1, ...offer }), '10.78.0.1', parts(keyring));
  expect(answer).toMatchObject({ ok: false, code: 'TUNNEL_FAILED', detail: 'See the log of the hub.' });
});

const field = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.constant('tunnel'), fc.boolean());
const almost = fc
  .record(
    {
      id: fc.oneof(field, fc.integer({ min: 1 })),
      verb: fc.oneof(field, fc.constantFrom('keys', 'path')),
      slot: field,
      publicKey: field,
      presharedKey: field,
      mtu: fc.oneof(field, fc.integer({ min: 0, max: 3000 })),
      terminal: field,
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.stringify(value));

test('Random lines crash nothing, change nothing, and are answered by the schema or not at all', async () => {
  const { keyring, done } = testKeyring();
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json(), almost), async (line) => {
      const answer = await answerLine(line, '10.78.0.1', parts(keyring));
      if (answer === undefined) return;
      expect(parseJson(HubAnswer, JSON.stringify(answer), 'INTERNAL')).toMatchObject({ ok: true });
    }),
    { numRuns: 500 },
  );
  expect(done.filter((what) => what.includes('offers'))).toEqual([]);
  for (const what of done) expect(what).toMatch(/ takes 1[234]\d\d$/);
});

test('Over a real connection the client of the terminal gets its answers, with the hub’s time', async () => {
  const { keyring, done } = testKeyring();
  const times: number[] = [];
  const client = clientOf(await listenAnywhere(keyring), times);
  expect(await client.keys('one')).toEqual({ ok: true, value: keys });
  expect(
    await client.offer('one', { slot: 'tunnel', publicKey: key('new'), presharedKey: key('psk') }),
  ).toEqual({
    ok: true,
    value: keys,
  });
  expect(await client.path('one', 1300)).toEqual({ ok: true, value: undefined });
  expect(done).toHaveLength(2);
  expect(times).toEqual(Array.from({ length: 3 }, () => Date.parse('2026-01-15T08:00:00.000Z')));
  // Out of the bounds of the contract.
  expect(await client.path('one', 9000)).toMatchObject({ fault: { code: 'HUB_REFUSED' } });
});

test('A hub that is not there, or that is reached in no tunnel, is HUB_UNREACHABLE', async () => {
  const { keyring } = testKeyring();
  const port = await listenAnywhere(keyring);
  await service?.close();
  service = undefined;
  expect(await clientOf(port).keys('one')).toMatchObject({ fault: { code: 'HUB_UNREACHABLE' } });
  expect(await clientOf(port).keys('two')).toMatchObject({ fault: { code: 'HUB_UNREACHABLE' } });
});

test('Noise, a line without end, and a crowd of connections leave the service working', async () => {
  const { keyring, done } = testKeyring();
  const port = await listenAnywhere(keyring);
  const ends = ['\u0000\u0001\n', 'x'.repeat(hubLineLimit * 3), '{"id":1}'.repeat(10), '\n\n\n{}\n'].map(
    (noise) =>
      new Promise((settle) => {
        const socket = connect({ host: '127.0.0.1', port });
        socket.on('error', () => {}).once('close', settle);
        socket.write(noise, () => socket.end());
      }),
  );
  await Promise.all(ends);
  const crowd = Array.from({ length: 20 }, () => connect({ host: '127.0.0.1', port }).on('error', () => {}));
  await new Promise((resolve) => setImmediate(resolve));
  for (const socket of crowd) socket.destroy();
  await Promise.all(crowd.map((socket) => new Promise((settle) => socket.once('close', settle))));
  await expect.poll(async () => (await clientOf(port).keys('one')).ok, { timeout: 5000 }).toBe(true);
  expect(done).toEqual([]);
});

test('A port that is taken is named', async () => {
  const { keyring } = testKeyring();
  const servicePort = await listenAnywhere(keyring);
  expect(await startService({ probeAddress: '127.0.0.1', servicePort }, parts(keyring))).toMatchObject({
    fault: { code: 'PORT_IN_USE' },
  });
});

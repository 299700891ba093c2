import { expect, test } from 'vitest';
import type { Log } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { FakeEchoSocket, fakeLine, type FakeLine } from '../probes/fake-echo-socket.ts';
import { StandingFaults } from './faults.ts';
import { Prober } from './prober.ts';
import { testSettings } from './test-settings.ts';

const silent: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silent,
} as unknown as Log;
const hubs = ['10.78.255.1', '10.78.255.2'];

async function probing() {
  const clock = new TestClock();
  const faults = new StandingFaults(silent, () => clock.monotonic());
  const lines = new Map<string, FakeLine>();
  const sockets: FakeEchoSocket[] = [];
  let lost = 0;
  const prober = new Prober({
    settings: testSettings(),
    openSocket(device, listener) {
      const line = lines.get(device) ?? fakeLine({ answers: new Set(hubs) });
      lines.set(device, line);
      const socket = new FakeEchoSocket(line, clock, listener);
      sockets.push(socket);
      return Promise.resolve({ ok: true, value: socket });
    },
    clock,
    faults,
    budgets: new Map(),
    onLost: () => lost++,
  });
  for (const name of ['dsl', 'lte']) {
    await prober.open(name);
    prober.setUsable(name, true);
  }
  const run = async (millis: number): Promise<void> => {
    for (let passed = 0; passed < millis; passed += 100) {
      prober.tick();
      await clock.advance(100);
    }
  };
  const states = (name: string): string[] => prober.view(name)?.paths.map(({ meter }) => meter.state) ?? [];
  return {
    clock,
    prober,
    run,
    states,
    sockets,
    faults,
    lost: () => lost,
    line: (at: number) => lines.get(`checkpost-p${at}`) ?? fakeLine(),
  };
}

test('Every path that answers is up within two seconds, and its size is found', async () => {
  const { run, states, prober } = await probing();
  await run(2000);
  expect(states('dsl')).toEqual(['up', 'up']);
  expect(prober.view('dsl')?.mtu).toMatchObject({ state: 'good', size: 1420 });
});

test('A hub that falls silent takes its own paths down and no others', async () => {
  const { run, states, line, prober } = await probing();
  await run(2000);
  prober.setCarrying({ uplink: 'dsl', hub: 'one' });
  line(0).answers.delete('10.78.255.1');
  await run(3600);
  expect(states('dsl')).toEqual(['down', 'up']);
});

test('What was measured of a line that cannot be used any more is forgotten, and nothing is sent over it', async () => {
  const { run, states, prober, sockets } = await probing();
  await run(2000);
  prober.setUsable('dsl', false);
  expect(states('dsl')).toEqual(['untested', 'untested']);
  const sent = sockets[0]?.sent.length;
  await run(5000);
  expect(sockets[0]?.sent.length).toBe(sent);
  prober.setUsable('dsl', true);
  await run(2000);
  expect(states('dsl')).toEqual(['up', 'up']);
});

test('A device that was made anew under its name is told of, and probed again once it was opened anew', async () => {
  const { run, states, prober, line, lost } = await probing();
  await run(2000);
  prober.setCarrying({ uplink: 'dsl', hub: 'one' });
  line(0).deviceGone = true;
  await run(3000);
  expect(lost()).toBeGreaterThan(0);
  expect(states('dsl')).toEqual(['down', 'down']);
  line(0).deviceGone = false;
  await prober.open('dsl');
  await run(2000);
  expect(states('dsl')).toEqual(['up', 'up']);
});

test('In a black hole the largest size that passes is found within 10 s, while small probes stay up', async () => {
  const { clock, run, states, prober, line } = await probing();
  await run(3000);
  prober.setCarrying({ uplink: 'dsl', hub: 'one' });
  line(0).pathMtu = 1220;
  for (let passed = 0; passed < 10_000; passed += 100) {
    // What suffers from it is sent again and again.
    prober.witness(100 * passed, 100);
    prober.tick();
    await clock.advance(100);
  }
  expect(states('dsl')).toEqual(['up', 'up']);
  expect(prober.view('dsl')?.mtu).toMatchObject({ state: 'good', size: 1200 });
});

test('A metered uplink that stands by is left alone for minutes once it was tested', async () => {
  const { run, sockets, prober } = await probing();
  prober.setCarrying({ uplink: 'dsl', hub: 'one' });
  await run(20_000);
  const early = sockets[1]?.sent.length ?? 0;
  expect(early).toBeGreaterThan(0);
  await run(300_000);
  expect(sockets[1]?.sent.length).toBe(early);
});

test.each([
  ['metered', 'lte', 1],
  ['not metered', 'dsl', 0],
])(
  'A word that nobody answers costs a few probes of a line that is %s, not one each half second',
  async (_, uplink, at) => {
    const { run, sockets, prober } = await probing();
    prober.setCarrying({ uplink, hub: 'one' });
    prober.witness(0, 0);
    await run(5000);
    const before = sockets[at]?.sent.length ?? 0;
    // The counters are told only when they move.
    prober.witness(100, 0);
    await run(10_000);
    const sent = sockets[at]?.sent.slice(before).filter(({ size }) => size < 100) ?? [];
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.length).toBeLessThan(10);
  },
);

test('Asked for, every path is probed at once, the metered ones too', async () => {
  const { run, sockets, prober } = await probing();
  prober.setCarrying({ uplink: 'dsl', hub: 'one' });
  await run(20_000);
  const before = sockets[1]?.sent.length ?? 0;
  prober.want();
  await run(200);
  expect(sockets[1]?.sent.slice(before).map(({ to }) => to)).toEqual(hubs);
});

test('While the traffic that carries comes back, its own path is not probed, and the other hub still is', async () => {
  const { clock, prober, sockets } = await probing();
  let bytes = 0;
  const run = async (millis: number): Promise<void> => {
    for (let passed = 0; passed < millis; passed += 100) {
      bytes += 1000;
      prober.witness(bytes, bytes);
      prober.tick();
      await clock.advance(100);
    }
  };
  await run(3000);
  prober.setCarrying({ uplink: 'dsl', hub: 'one' });
  await run(1000);
  const before = sockets[0]?.sent.length ?? 0;
  await run(3000);
  const small = sockets[0]?.sent.slice(before).filter(({ size }) => size < 100) ?? [];
  expect(new Set(small.map(({ to }) => to))).toEqual(new Set(['10.78.255.2']));
});

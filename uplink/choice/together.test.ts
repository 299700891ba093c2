import { describe, expect, test } from 'vitest';
import { monotonic } from '#contracts/units.ts';
import { TestClock } from '#runtime/test-clock.ts';
import type { EchoReply } from '../probes/echo-socket.ts';
import { type FakeLine, fakeLine, FakeEchoSocket } from '../probes/fake-echo-socket.ts';
import { type PathMeter, probeReplied, probeSent, timePassed, untestedPath } from '../probes/path-meter.ts';
import { dueProbes } from '../probes/schedule.ts';
import { type Choice, choose } from './choose.ts';

// Sockets, meters, schedule and choice as the outer half puts them together, on a clock that the test moves.

const settings = {
  everyMillis: 2000,
  timeoutMillis: 700,
  lossesDown: 3,
  failbackSeconds: 30,
  meteredBytesPerMonth: 5_000_000,
};
const hubs = ['hub-a', 'hub-b'];
const addresses: Readonly<Record<string, string>> = { 'hub-a': '10.80.0.1', 'hub-b': '10.80.0.2' };

interface Site {
  readonly lines: Readonly<Record<string, FakeLine>>;
  readonly clock: TestClock;
  choice(): Choice | undefined;
  /** Time passes; gives when the choice was another for the first time, in ms from now. */
  pass(millis: number): Promise<number | undefined>;
}

function site(names: readonly string[]): Site {
  const clock = new TestClock();
  const lines = Object.fromEntries(
    names.map((name) => [name, fakeLine({ answers: new Set(Object.values(addresses)) })]),
  );
  const meters = new Map<string, PathMeter>();
  const meterOf = (place: string): PathMeter => meters.get(place) ?? untestedPath(settings);
  const sockets = names.map((name) => {
    const onReply = ({ from, sequence, at }: EchoReply): void => {
      const place = `${name} ${hubs.find((hub) => addresses[hub] === from) ?? ''}`;
      meters.set(place, probeReplied(meterOf(place), { sequence, at }, settings));
    };
    return {
      name,
      socket: new FakeEchoSocket(lines[name] ?? fakeLine(), clock, { onReply, onError: () => {} }),
    };
  });
  let sequence = 0;
  let choice: Choice | undefined;

  function step(): void {
    const now = clock.monotonic();
    for (const [place, meter] of meters) meters.set(place, timePassed(meter, now, settings));
    const scheduled = names.map((uplink) => ({
      uplink,
      role: choice?.uplink === uplink ? ('carrying' as const) : ('standby' as const),
      usable: true,
      carries: choice?.uplink === uplink ? choice.hub : undefined,
      paths: hubs.map((hub) => ({ hub, meter: meterOf(`${uplink} ${hub}`) })),
      quietMillis: 15_000,
      budgetBytes: 0,
    }));
    const due = dueProbes({
      now,
      lines: scheduled,
      settings,
      traffic: undefined,
      allDownSince: undefined,
      wantedAt: undefined,
    });
    for (const { uplink, hub } of due) {
      const place = `${uplink} ${hub}`;
      sequence++;
      sockets
        .find(({ name }) => name === uplink)
        ?.socket.send({ to: addresses[hub] ?? '', sequence, size: 48 });
      meters.set(place, probeSent(meterOf(place), { sequence, at: now }, settings));
    }
    choice = choose(
      choice,
      {
        hubs,
        uplinks: names.map((name, index) => ({
          name,
          metric: index + 1,
          usable: true,
          overBudget: false,
          largeLost: false,
          paths: Object.fromEntries(hubs.map((hub) => [hub, meterOf(`${name} ${hub}`)])),
        })),
      },
      now,
      { failbackMillis: 30_000 },
    );
  }

  return {
    lines,
    clock,
    choice: () => choice,
    async pass(millis) {
      const place = (): string => `${choice?.uplink} ${choice?.hub}`;
      const before = place();
      let changed: number | undefined;
      for (let passed = 0; passed < millis; passed += 50) {
        step();
        if (changed === undefined && place() !== before) changed = passed;
        await clock.advance(50);
      }
      return changed;
    },
  };
}

describe('a site with two uplinks and two hubs', () => {
  test('begins with the preferred pair and stays there', async () => {
    const { pass, choice } = site(['dsl', 'lte']);
    await pass(10_000);
    expect(choice()).toMatchObject({ uplink: 'dsl', hub: 'hub-a', state: 'up', since: monotonic(1000) });
  });

  test('leaves an uplink that fails within 3.5 s, and is back 30 s after it has come back', async () => {
    const { pass, choice, lines } = site(['dsl', 'lte']);
    await pass(5000);
    const { dsl } = lines;
    const answers = dsl?.answers ?? new Set();
    if (dsl !== undefined) dsl.answers = new Set();
    expect(await pass(5000)).toBeLessThan(3500);
    expect(choice()).toMatchObject({ uplink: 'lte', hub: 'hub-a' });
    if (dsl !== undefined) dsl.answers = answers;
    const back = (await pass(40_000)) ?? 0;
    expect(back).toBeGreaterThanOrEqual(30_000);
    expect(back).toBeLessThan(32_000);
    expect(choice()).toMatchObject({ uplink: 'dsl', hub: 'hub-a' });
  });

  test('leaves a hub that fails within 3.5 s, for the other one over the same uplink', async () => {
    const { pass, choice, lines } = site(['dsl', 'lte']);
    await pass(5000);
    for (const line of Object.values(lines)) line.answers = new Set(['10.80.0.2']);
    expect(await pass(5000)).toBeLessThan(3500);
    expect(choice()).toMatchObject({ uplink: 'dsl', hub: 'hub-b' });
  });

  test('that has lost everything for a minute comes back within 3 s without help', async () => {
    const { pass, choice, lines } = site(['dsl', 'lte']);
    await pass(5000);
    for (const line of Object.values(lines)) line.answers = new Set();
    await pass(60_000);
    expect(choice()?.state).toBe('all-down');
    for (const line of Object.values(lines)) line.answers = new Set(Object.values(addresses));
    await pass(3000);
    expect(choice()?.state).toBe('up');
    await pass(70_000);
    expect(choice()).toMatchObject({ uplink: 'dsl', hub: 'hub-a' });
  });
});

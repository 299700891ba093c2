import { describe, expect, test } from 'vitest';
import type { MonotonicTime } from '#contracts/units.ts';
import { budgetLeft, fullProbeCost, openBudget, readBudget, reserve, smallProbeCost } from './budget.ts';
import { probeReplied, probeSent, timePassed, untestedPath } from './path-meter.ts';
import { dueProbes } from './schedule.ts';
import { confirmMillis, fullProbeSpent, saveUp, sizeConfirmed, startSizeWatch } from './size-watch.ts';
import { at, input, line, play, settings, sizing, start, traffic } from './test-bench.ts';

/**
 * Bytes a day, by IP, of the probes of an uplink that is not metered and carries, where so many bytes pass its tunnel so
 * often and are answered. An hour is played, and what was saved up before is added once.
 */
function costOfDay(hubs: number, passesEvery: number, passing: number): number {
  const hour = 3_600_000;
  const step = 50;
  let [passed, sizes, sizedAt] = [0, 0, 0];
  const { saved } = startSizeWatch(at(start));
  let watch = { ...startSizeWatch(at(start)), saved: 0 };
  const sent = play(
    (_now, [one = []]) => [line('carrying', one, { carries: 'hub-0' })],
    [hubs],
    hour,
    (now) => {
      const since = now - start;
      if (since % passesEvery < step && passing > 0) passed += passing;
      watch = saveUp(watch, at(now));
      if (since - sizedAt >= confirmMillis('carrying', sizing, watch, passed)) {
        sizedAt = since;
        sizes += 1;
        watch = sizeConfirmed(fullProbeSpent(watch), passed);
      }
      const receivedAt = since - (since % passesEvery);
      return Number.isFinite(receivedAt) ? { traffic: traffic({ receivedAt: at(start + receivedAt) }) } : {};
    },
    undefined,
    step,
  );
  // An echo of 48 bytes and one of 1420, there and back, inside of WireGuard.
  return 24 * (sent.length * 2 * 108 + sizes * 2 * 1480) + saved * 2 * 1480;
}

describe('a day of an uplink that is not metered', () => {
  test.each([
    ['nobody says anything', Infinity, 0],
    ['everyday talk passes', 30_000, 1200],
    ['it carries much all day', 50, 50_000],
  ])('costs at most 20 MB where %s, with four hubs too', (_, every, bytes) => {
    for (const hubs of [2, 4]) expect(costOfDay(hubs, every, bytes)).toBeLessThan(20_000_000);
    expect(costOfDay(2, every, bytes)).toBeGreaterThan(5_000_000);
  });
});

/**
 * What WireGuard puts on the wire, IPv4 and UDP headers included, in bytes: initiation 176 and response 120 of a handshake,
 * which is needed where the last one is two minutes old; an echo of 48 bytes 108 each way; 60 for a keepalive. Where
 * nothing answers, an initiation every 5 s until 90 s after the last packet (WireGuard, section 6.4).
 */
interface Month {
  readonly bytes: number;
  readonly probes: number;
  readonly probesInOutage: number;
}

function simulateMonth(dead: (now: number) => boolean, allDown: (now: number) => boolean): Month {
  const month = settings.meteredBytesPerMonth;
  const step = 5000;
  const days = 86_400_000;
  let meters = [untestedPath(settings), untestedPath(settings)];
  let budget = openBudget(undefined, month, at(0));
  let [bytes, probes, probesInOutage, handshakeAt] = [0, 0, 0, -Infinity];
  let allDownSince: MonotonicTime | undefined;
  for (let now = 0; now < 30 * days; now += step) {
    allDownSince = allDown(now) ? (allDownSince ?? at(now)) : undefined;
    budget = readBudget(
      budget,
      { at: at(now), counter: bytes, standsBy: true, doubled: allDownSince !== undefined },
      month,
    );
    meters = meters.map((meter) => timePassed(meter, at(now), settings));
    const standby = line('metered-standby', meters, { budgetBytes: budgetLeft(budget) });
    for (const { hub } of dueProbes(input([standby], { now: at(now), allDownSince }))) {
      budget = reserve(budget, smallProbeCost, at(now));
      probes++;
      if (dead(now)) probesInOutage++;
      meters = meters.map((meter, index) => {
        if (`hub-${index}` !== hub) return meter;
        const sent = probeSent(meter, { sequence: now, at: at(now) }, settings);
        return dead(now) ? sent : probeReplied(sent, { sequence: now, at: at(now + 80) }, settings);
      });
      if (!dead(now)) {
        bytes += 2 * 108 + 60 + (now - handshakeAt > 120_000 ? 176 + 120 : 0);
        if (now - handshakeAt > 120_000) handshakeAt = now;
      }
    }
    if (dead(now) && meters.some(({ lastSentAt }) => now - (lastSentAt ?? -Infinity) <= 90_000)) bytes += 176;
  }
  return { bytes, probes, probesInOutage };
}

describe('a month of a metered uplink that stands by', () => {
  const days = 86_400_000;
  const tenth = (now: number): boolean => now >= 10 * days && now < 11 * days;

  test('costs about 2.5 MB where nothing happens', () => {
    const { bytes, probes } = simulateMonth(
      () => false,
      () => false,
    );
    expect(bytes).toBeGreaterThan(2_300_000);
    expect(bytes).toBeLessThan(2_600_000);
    expect(probes).toBeGreaterThan(4300);
  });

  test('costs less than 3 MB where it is dead for a day', () => {
    const { bytes } = simulateMonth(tenth, () => false);
    expect(bytes).toBeLessThan(3_000_000);
  });

  test('costs less than 3.5 MB where everything is down for a day, and goes on being probed all the while', () => {
    const { bytes, probesInOutage } = simulateMonth(tenth, tenth);
    expect(bytes).toBeLessThan(3_500_000);
    expect(probesInOutage).toBeGreaterThan(100);
  });

  test('costs less than 5 MB where it is dead the whole month', () => {
    const { bytes } = simulateMonth(
      () => true,
      () => false,
    );
    expect(bytes).toBeLessThan(5_000_000);
  });
});

/** Bytes of the probes of a metered uplink that carries for 30 days, where something passes its tunnel so often, in ms. */
function simulateCarrying(quietMillis: number, passesEvery: number): number {
  const days = 2;
  const end = days * 86_400_000;
  let meters = [untestedPath(settings), untestedPath(settings)];
  let [bytes, moved] = [0, 0];
  for (let now = 0; now < end; now += 500) {
    if (now % passesEvery === 0) moved = now;
    const seen = traffic({ sentAt: at(moved), receivedAt: at(moved) });
    meters = meters.map((meter) => timePassed(meter, at(now), settings));
    const carrying = { ...line('metered-carrying', meters, { carries: 'hub-0' }), quietMillis };
    for (const { hub } of dueProbes(input([carrying], { now: at(now), traffic: seen }))) {
      bytes += smallProbeCost;
      meters = meters.map((meter, index) => {
        if (`hub-${index}` !== hub) return meter;
        const sent = probeSent(meter, { sequence: now, at: at(now) }, settings);
        return probeReplied(sent, { sequence: now, at: at(now + 80) }, settings);
      });
    }
  }
  const sizes = end / confirmMillis('metered-carrying', { ...sizing, quietMillis }, startSizeWatch(at(0)), 0);
  return (bytes + sizes * fullProbeCost) * (30 / days);
}

describe('a month of a metered uplink that carries', () => {
  test('costs less than 3 MB in the metered profile, where MQTT speaks each ten minutes', () => {
    const bytes = simulateCarrying(900_000, 600_000);
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBeLessThan(3_000_000);
    expect(simulateCarrying(3_600_000, 600_000)).toBeLessThan(700_000);
  });

  test('costs a multiple where a failure must be noticed within 18 s', () => {
    expect(simulateCarrying(15_000, 600_000)).toBeGreaterThan(30_000_000);
  });
});

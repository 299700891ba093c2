import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { monotonic } from '#contracts/units.ts';
import {
  type PathMeter,
  probeFailed,
  probeReplied,
  probeSent,
  type ProbeSettings,
  timePassed,
  untestedPath,
} from './path-meter.ts';

const settings: ProbeSettings = {
  everyMillis: 500,
  timeoutMillis: 700,
  lossesDown: 3,
  failbackSeconds: 30,
  meteredBytesPerMonth: 5_000_000,
};
const at = monotonic;
const sent = (meter: PathMeter, sequence: number, now: number) =>
  probeSent(meter, { sequence, at: at(now) }, settings);
const replied = (meter: PathMeter, sequence: number, now: number) =>
  probeReplied(meter, { sequence, at: at(now) }, settings);
const passed = (meter: PathMeter, now: number) => timePassed(meter, at(now), settings);

/** Probes at a steady pace over a line whose delay at each moment is given; undefined for lost. */
function run(
  delayAt: (now: number) => number | undefined,
  until: number,
  { every = 500, begin = untestedPath(settings), from = 0 } = {},
): PathMeter {
  let meter = begin;
  const coming: { sequence: number; at: number }[] = [];
  for (let now = from; now <= until; now += 10) {
    for (const one of coming.filter((reply) => reply.at === now)) meter = replied(meter, one.sequence, now);
    meter = passed(meter, now);
    if (now % every === 0) {
      meter = sent(meter, now, now);
      const delay = delayAt(now);
      if (delay !== undefined) coming.push({ sequence: now, at: now + Math.ceil(delay / 10) * 10 });
    }
  }
  return meter;
}

describe('a path', () => {
  test('is untested until something has happened', () => {
    expect(untestedPath(settings)).toMatchObject({
      state: 'untested',
      loss: undefined,
      delayMillis: undefined,
    });
    expect(sent(untestedPath(settings), 1, 0)).toMatchObject({
      state: 'untested',
      loss: undefined,
      lastSentAt: 0,
    });
  });

  test('is up with its first reply', () => {
    expect(replied(sent(untestedPath(settings), 1, 0), 1, 40)).toMatchObject({
      state: 'up',
      upSince: 40,
      loss: 0,
      delayMillis: 40,
      varianceMillis: 20,
      lastReplyAt: 40,
    });
  });

  test('is down after three losses in a row, at the moment at which the third was over', () => {
    let meter = run(() => 40, 10_400);
    for (const now of [10_500, 11_000, 11_500]) meter = sent(meter, now, now);
    meter = passed(meter, 12_199);
    expect(meter).toMatchObject({ state: 'up', lostInRow: 2 });
    meter = passed(meter, 13_000);
    expect(meter).toMatchObject({ state: 'down', lostInRow: 3, downSince: 12_200, upSince: undefined });
  });

  test('that was never answered is down after as many', () => {
    expect(run(() => undefined, 3000)).toMatchObject({ state: 'down', downSince: 1700, loss: 1 });
  });

  test('is up again with the second reply in a row, and remembers that it was down', () => {
    const down = run(() => undefined, 3000);
    const one = replied(sent(down, 1, 20_000), 1, 20_040);
    expect(one).toMatchObject({ state: 'down', lostInRow: 0, answeredInRow: 1 });
    const broken = passed(sent(one, 2, 20_500), 22_000);
    expect(replied(sent(broken, 3, 22_000), 3, 22_040)).toMatchObject({ state: 'down', answeredInRow: 1 });
    expect(replied(sent(one, 2, 20_500), 2, 20_540)).toMatchObject({
      state: 'up',
      upSince: 20_540,
      downSince: 1700,
    });
  });

  test('stays up without a break through losses that are not in a row', () => {
    expect(run((now) => (now % 1500 === 0 ? 40 : undefined), 60_000)).toMatchObject({
      state: 'up',
      upSince: 40,
    });
  });

  test('has the loss of its last 50 probes', () => {
    const half = run((now) => (now % 1000 === 0 ? 40 : undefined), 100_000);
    expect(half.loss).toBeCloseTo(0.5, 1);
    expect(run(() => 40, 130_000, { begin: half, from: 100_010 }).loss).toBe(0);
  });

  test('smooths delay and variance as RFC 6298 does', () => {
    let meter = replied(sent(untestedPath(settings), 1, 0), 1, 100);
    meter = replied(sent(meter, 2, 1000), 2, 1180);
    expect(meter.varianceMillis).toBeCloseTo((3 * 50 + 80) / 4);
    expect(meter.delayMillis).toBeCloseTo((7 * 100 + 180) / 8);
  });

  test('counts a reply once, and one to nothing not at all', () => {
    const once = replied(sent(untestedPath(settings), 1, 0), 1, 40);
    expect(replied(once, 1, 50)).toEqual(once);
    expect(replied(once, 99, 50)).toEqual(once);
  });

  test('that cannot even be sent to counts as lost', () => {
    let meter = run(() => 40, 10_400);
    for (const now of [11_000, 11_500, 12_000]) meter = probeFailed(meter, at(now), settings);
    expect(meter).toMatchObject({ state: 'down', downSince: 12_000, lastSentAt: 12_000 });
  });
});

describe('a late reply', () => {
  test('counts as a delay and ends the row of losses, but stays lost', () => {
    const lost = passed(
      sent(
        run(() => 40, 10_400),
        1,
        10_500,
      ),
      11_300,
    );
    expect(lost.lostInRow).toBe(1);
    const late = replied(lost, 1, 11_400);
    expect(late).toMatchObject({ state: 'up', lostInRow: 0, loss: lost.loss, lastReplyAt: 11_400 });
    expect(late.delayMillis).toBeGreaterThan(140);
  });

  test('that nobody has looked for is judged by its own time', () => {
    const late = replied(
      sent(
        run(() => 40, 10_400),
        1,
        10_500,
      ),
      1,
      11_400,
    );
    expect(late.loss).toBeGreaterThan(0);
  });

  test('after ten seconds more is none', () => {
    const lost = sent(
      run(() => 40, 10_400),
      1,
      10_500,
    );
    expect(replied(lost, 1, 21_300).lastReplyAt).toBe(10_040);
  });
});

describe('lines that are slow by nature', () => {
  test.each([600, 1000, 1500])('a satellite with a delay of %i ms comes up and never is down', (delay) => {
    let downs = 0;
    const wobble = (now: number): number => delay + ((now / 500) % 7) * 20;
    let meter = untestedPath(settings);
    for (let from = 0; from < 60_000; from += 5000) {
      meter = run(wobble, 5000 + from, { begin: meter, from: from + 10 });
      if (meter.state === 'down') downs++;
    }
    expect(run(wobble, 60_000)).toMatchObject({ state: 'up', downSince: undefined, lostInRow: 0 });
    expect(downs).toBe(0);
    expect(run(wobble, 60_000).timeoutMillis).toBeGreaterThanOrEqual(4 * delay * 0.95);
  });

  test('a line that turns slow is not down for long', () => {
    const meter = run((now) => (now < 20_000 ? 30 : 1500), 40_000);
    expect(meter).toMatchObject({ state: 'up', lostInRow: 0 });
    expect(meter.upSince).toBeLessThan(26_000);
  });

  test('a queue that empties after an outage does not hide the next outage', () => {
    // 9 s of probes come back all at once.
    const flushed = run((now) => (now >= 20_000 && now < 29_000 ? 29_000 - now : 30), 29_500);
    expect(flushed.timeoutMillis).toBeLessThanOrEqual(6000);
    expect(run(() => 30, 45_000, { begin: flushed, from: 29_510 }).timeoutMillis).toBe(700);
  });
});

describe('whatever happens', () => {
  const event = fc.record({
    kind: fc.constantFrom('sent', 'replied', 'passed', 'failed'),
    sequence: fc.nat(12),
    after: fc.nat(1500),
  });

  test('what is said of a path fits together', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        let meter = untestedPath(settings);
        let now = 0;
        let next = 0;
        for (const { kind, sequence, after } of events) {
          now += after;
          if (kind === 'sent') meter = sent(meter, next++, now);
          else if (kind === 'replied') meter = replied(meter, Math.max(0, next - sequence), now);
          else if (kind === 'failed') meter = probeFailed(meter, at(now), settings);
          else meter = passed(meter, now);
          expect(meter.state === 'up').toBe(meter.upSince !== undefined);
          expect(meter.loss ?? 0).toBeGreaterThanOrEqual(0);
          expect(meter.loss ?? 0).toBeLessThanOrEqual(1);
          if (meter.state === 'up') expect(meter.lostInRow).toBeLessThan(settings.lossesDown);
          expect(meter.ended.length).toBeLessThanOrEqual(50);
          expect(meter.timeoutMillis).toBeGreaterThanOrEqual(700);
        }
        expect(passed(meter, now + 100_000).waiting).toEqual([]);
      }),
    );
  });
});

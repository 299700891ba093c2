import { describe, expect, test } from 'vitest';
import { wall } from '#contracts/units.ts';
import { TestClock } from './test-clock.ts';
import { TrustedTime } from './trusted-time.ts';

const at = (text: string) => wall(Date.parse(text));

function machine(start: string, kept?: string, boot = 'boot-1') {
  const clock = new TestClock(start);
  let memory = kept;
  const time = new TrustedTime({
    clock,
    boot,
    memory: {
      read: () => memory,
      write: (value) => {
        memory = value;
      },
    },
  });
  return { clock, time, kept: () => memory };
}

describe('Trusted time', () => {
  test('A terminal that starts in 1970 is unverified, and every age is a lower bound', () => {
    const { time } = machine('1970-01-01T00:00:10.000Z');
    time.atLeast(at('2026-01-15T00:00:00.000Z'));
    expect(time.state).toBe('unverified');
    expect(time.now()).toBe(at('2026-01-15T00:00:00.000Z'));
    expect(time.ageOf(at('2026-01-14T00:00:00.000Z'))).toEqual({ seconds: 86_400, bound: 'at-least' });
  });

  test('Age is never flattered by a clock that is wrong into the past, nor made up by one in the future', () => {
    const future = machine('2099-01-01T00:00:00.000Z');
    expect(future.time.ageOf(at('2026-01-15T00:00:00.000Z'))).toEqual({ seconds: 0, bound: 'at-least' });
    const past = machine('2000-01-01T00:00:00.000Z');
    past.time.verify(at('2026-01-15T12:00:00.000Z'), past.clock.monotonic());
    expect(past.time.ageOf(at('2026-01-15T00:00:00.000Z'))).toEqual({ seconds: 43_200, bound: 'exact' });
    expect(past.time.offset()).toBeLessThan(-8e11);
  });

  test('Once verified, time runs on the monotonic clock, whatever the wall clock does', async () => {
    const { clock, time } = machine('2000-01-01T00:00:00.000Z');
    time.verify(at('2026-01-15T12:00:00.000Z'), clock.monotonic());
    await clock.advance(5000);
    clock.setWall('1980-01-01T00:00:00.000Z');
    expect(time.now()).toBe(at('2026-01-15T12:00:05.000Z'));
  });

  test('A date that lies ahead has an age that nobody knows, and a clock set back makes nothing younger', () => {
    const { clock, time } = machine('2026-01-15T08:00:00.000Z');
    time.verify(at('2026-01-15T08:00:00.000Z'), clock.monotonic());
    expect(time.ageOf(at('2026-01-15T08:09:00.000Z')).bound).toBe('exact');
    expect(time.ageOf(at('2027-01-15T08:00:00.000Z'))).toEqual({ seconds: 0, bound: 'at-least' });
    time.verify(at('2025-01-15T08:00:00.000Z'), clock.monotonic());
    expect(time.ageOf(at('2026-01-14T08:00:00.000Z')).seconds).toBe(86_400);
    expect(time.least()).toBe(time.now());
  });

  test('While nothing is verified, the least that now can be is the floor, whatever the machine’s clock says', () => {
    const { clock, time } = machine('2099-01-01T00:00:00.000Z');
    time.atLeast(at('2026-01-15T00:00:00.000Z'));
    expect([time.verified(), time.least()]).toEqual([undefined, at('2026-01-15T00:00:00.000Z')]);
    time.verify(at('2026-01-16T00:00:00.000Z'), clock.monotonic());
    expect([time.verified(), time.least()]).toEqual([time.now(), time.now()]);
  });

  test('A restart of the process in the same boot keeps what was verified; a new boot keeps it as a floor only', () => {
    const first = machine('2026-01-15T08:00:00.000Z');
    first.time.verify(at('2026-01-15T12:00:00.000Z'), first.clock.monotonic());
    expect(machine('1970-01-01T00:00:00.000Z', first.kept()).time.state).toBe('verified');
    const rebooted = machine('1970-01-01T00:00:00.000Z', first.kept(), 'boot-2').time;
    expect(rebooted.state).toBe('unverified');
    expect(rebooted.now()).toBe(at('2026-01-15T12:00:00.000Z'));
  });

  test('What was kept and is damaged is no floor and no failure', () => {
    for (const kept of ['', '{', '{"boot":1}', 'null']) {
      expect(machine('2026-01-15T08:00:00.000Z', kept).time.state).toBe('unverified');
    }
  });

  test('It writes to flash seldom', async () => {
    const { clock, time, kept } = machine('2026-01-15T08:00:00.000Z');
    time.verify(at('2026-01-15T08:00:00.000Z'), clock.monotonic());
    const first = kept();
    await clock.advance(300_000);
    time.verify(at('2026-01-15T08:05:00.000Z'), clock.monotonic());
    expect(kept()).toBe(first);
    await clock.advance(400_000);
    time.verify(at('2026-01-15T08:11:40.000Z'), clock.monotonic());
    expect(kept()).not.toBe(first);
  });
});

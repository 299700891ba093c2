import { describe, expect, test } from 'vitest';
import { TestClock } from '#runtime/test-clock.ts';
import { Budget } from './budget.ts';

/** Takes pieces for ever, and counts the bytes that came through. */
function drain(budget: Budget, piece: number): { taken: number } {
  const count = { taken: 0 };
  const go = async (): Promise<void> => {
    for (;;) {
      count.taken += piece;
      await budget.pay(piece);
    }
  };
  void go();
  return count;
}

describe('a budget of 8000 bytes per second', () => {
  test('lets through what it says over a minute, and one second and one piece more at the most', async () => {
    const clock = new TestClock();
    const count = drain(new Budget(clock, 8000), 1000);
    await clock.advance(60_000);
    expect(count.taken).toBeGreaterThanOrEqual(60 * 8000);
    expect(count.taken).toBeLessThanOrEqual(61 * 8000 + 1000);
  });

  test('lets one second’s worth through at once, however long nothing was taken', async () => {
    const clock = new TestClock();
    const budget = new Budget(clock, 8000);
    await clock.advance(3_600_000);
    const count = drain(budget, 1000);
    await clock.advance(0);
    expect(count.taken).toBe(9000);
  });

  test('makes up for a piece that is larger than a second’s worth', async () => {
    const clock = new TestClock();
    const count = drain(new Budget(clock, 8000), 64_000);
    await clock.advance(6999);
    expect(count.taken).toBe(64_000);
    await clock.advance(1);
    expect(count.taken).toBe(128_000);
  });

  test('is one for all that take from it', async () => {
    const clock = new TestClock();
    const budget = new Budget(clock, 8000);
    const [one, other] = [drain(budget, 500), drain(budget, 1000)];
    await clock.advance(60_000);
    expect(one.taken + other.taken).toBeLessThanOrEqual(61 * 8000 + 1500);
    expect(one.taken).toBeGreaterThan(60_000);
    expect(other.taken).toBeGreaterThan(60_000);
  });

  test('holds nobody any longer who is told to stop', async () => {
    const clock = new TestClock();
    const stop = new AbortController();
    const waits = new Budget(clock, 8000).pay(1_000_000, stop.signal);
    stop.abort();
    await waits;
    expect(clock.waiting).toBe(0);
  });

  test('can be changed while it is used', async () => {
    const clock = new TestClock();
    const budget = new Budget(clock, 8000);
    const count = drain(budget, 1000);
    await clock.advance(10_000);
    budget.setRate(80_000);
    const before = count.taken;
    await clock.advance(10_000);
    expect(count.taken - before).toBeGreaterThan(790_000);
    expect(count.taken - before).toBeLessThan(900_000);
  });
});

test('A budget of 0 is no limit', async () => {
  const clock = new TestClock();
  const budget = new Budget(clock, 0);
  for (let times = 0; times < 1000; times++) await budget.pay(1_000_000);
  expect(clock.waiting).toBe(0);
});

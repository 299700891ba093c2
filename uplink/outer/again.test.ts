import { expect, test } from 'vitest';
import { ms } from '#contracts/units.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { Again } from './again.ts';

test('Asked for while it runs, it runs once more after, and never twice at the same time', async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const waiting: (() => void)[] = [];
  const again = new Again(
    async () => {
      most = Math.max(most, ++running);
      runs++;
      await new Promise<void>((resolve) => waiting.push(resolve));
      running--;
      return true;
    },
    { clock: new TestClock(), random: () => 0 },
  );
  const first = again.now();
  void again.now();
  void again.now();
  waiting.shift()?.();
  await new Promise((resolve) => setImmediate(resolve));
  waiting.shift()?.();
  await first;
  expect([runs, most]).toEqual([2, 1]);
});

test('What did not succeed is tried again by itself with growing pauses, and rests once it has', async () => {
  const clock = new TestClock();
  const at: number[] = [];
  const again = new Again(
    () => {
      at.push(clock.monotonic());
      return Promise.resolve(at.length >= 4);
    },
    { clock, random: () => 1 },
  );
  await again.now();
  await clock.advance(60_000);
  expect(at.map((time) => time - (at[0] ?? 0))).toEqual([0, 500, 1500, 3500]);
});

test('Many calls for soon are one run, and after the end there is none', async () => {
  const clock = new TestClock();
  let runs = 0;
  const again = new Again(
    () => {
      runs++;
      return Promise.resolve(true);
    },
    { clock, random: () => 0 },
  );
  for (let i = 0; i < 10; i++) again.soon(ms(100));
  await clock.advance(1000);
  expect(runs).toBe(1);
  again.soon(ms(100));
  await again.close();
  await clock.advance(1000);
  await again.now();
  expect(runs).toBe(1);
});

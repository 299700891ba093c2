import { expect, test } from 'vitest';
import { monotonic } from '#contracts/units.ts';
import { Flood } from './flood.ts';

const shown = (flood: Flood, from: number, to: number, step: number, reader = 'a'): number => {
  let count = 0;
  for (let at = from; at < to; at += step) if (flood.mayShow(reader, monotonic(at))) count++;
  return count;
};

test('An officer who swipes badly five times sees each of them, whatever the pace', () => {
  expect(shown(new Flood(), 0, 5000, 1000)).toBe(5);
  expect(shown(new Flood(), 0, 500, 100)).toBe(5);
});

test('A reader that sends noise a hundred times a second is shown five times, and then once in five seconds', () => {
  const flood = new Flood();
  expect(shown(flood, 0, 60_000, 10)).toBeLessThanOrEqual(5 + 12);
  expect(shown(flood, 60_000, 120_000, 10)).toBeLessThanOrEqual(12);
});

test('A document that was read, and a quiet half minute, begin it anew; another reader is not held up', () => {
  const flood = new Flood();
  shown(flood, 0, 1000, 10);
  expect(flood.mayShow('a', monotonic(1000))).toBe(false);
  expect(flood.mayShow('b', monotonic(1000))).toBe(true);
  flood.ended('a');
  expect(shown(flood, 1000, 1100, 10)).toBe(5);
  expect(shown(flood, 31_200, 31_300, 10)).toBe(5);
});

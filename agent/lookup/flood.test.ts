import { expect, test } from 'vitest';
import { monotonic } from '#contracts/units.ts';
import { Flood } from './flood.ts';

const shown = (flood: Flood, from: number, to: number, step: number, reader = 'a'): number => {
  let count = 0;
  for (let at = from; at < to; at += step) if (flood.mayShow(reader, monotonic(at))) count++;
  return count;
};

test('An officer who swipes badly again and again sees each try, for as long as anybody tries', () => {
  expect(shown(new Flood(), 0, 500, 100)).toBe(5);
  expect(shown(new Flood(), 0, 100_000, 2500)).toBe(40);
});

test('A reader that sends noise a hundred times a second is shown some fifty times, and then once a minute', () => {
  const flood = new Flood();
  expect(shown(flood, 0, 120_000, 10)).toBeLessThanOrEqual(51);
  expect(shown(flood, 120_000, 3_720_000, 10)).toBeLessThanOrEqual(61);
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

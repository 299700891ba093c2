import { describe, expect, test } from 'vitest';
import { parseRange } from './range.ts';

describe('of a file of 1000 bytes', () => {
  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-499', 0, 499],
    ['bytes=500-', 500, 999],
    ['bytes=-1', 999, 999],
    ['bytes=-300', 700, 999],
    ['bytes=-5000', 0, 999],
    ['bytes=900-5000', 900, 999],
    ['bytes=0-99999999999999999999999', 0, 999],
    ['BYTES=7-8', 7, 8],
    ['bytes= 7-8 ', 7, 8],
  ])('%s is bytes %i to %i', (field, first, last) => {
    expect(parseRange(field, 1000)).toEqual({ first, last });
  });

  test.each(['bytes=1000-', 'bytes=1000-2000', 'bytes=-0', 'bytes=99999999999999999999999-'])(
    '%s has nothing of it',
    (field) => {
      expect(parseRange(field, 1000)).toBe('unsatisfiable');
    },
  );

  test.each([
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=0-1,5-6',
    'bytes=0-1, -1',
    'bytes=a-b',
    'bytes=1.5-2',
    'bytes=-5-7',
    'bytes 0-1',
    'lines=0-1',
    '0-1',
  ])('%s is ignored', (field) => {
    expect(parseRange(field, 1000)).toBe('whole');
  });
});

test('of an empty file there is the whole, or nothing', () => {
  expect(parseRange('bytes=-5', 0)).toBe('whole');
  expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
});

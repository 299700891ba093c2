import { expect, test } from 'vitest';
import { acceptsGzip, isUnchanged, rangeHolds } from './conditions.ts';

test.each([
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
])('With If-None-Match %s, a client that has "a" is told so: %s', (field, told) => {
  expect(isUnchanged(field === undefined ? {} : { 'if-none-match': field }, '"a"')).toBe(told);
});

test.each([
  [undefined, true],
  ['"a"', true],
  ['W/"a"', false],
  ['"b"', false],
  ['Tue, 24 Nov 2026 08:00:00 GMT', false],
])('With If-Range %s a range counts: %s', (field, counts) => {
  expect(rangeHolds(field === undefined ? {} : { 'if-range': field }, '"a"')).toBe(counts);
});

test.each([
  [undefined, false],
  ['', false],
  ['identity', false],
  ['gzip', true],
  ['br, GZIP;q=0.5', true],
  ['gzip;q=0', false],
  ['gzip; q=0.000, *', false],
  ['*', true],
  ['*;q=0', false],
  ['gzipped', false],
])('With Accept-Encoding %s gzip is sent: %s', (field, sent) => {
  expect(acceptsGzip(field === undefined ? {} : { 'accept-encoding': field })).toBe(sent);
});

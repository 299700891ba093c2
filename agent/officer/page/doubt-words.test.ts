import { expect, test } from 'vitest';
import { lookupView } from '#test/rigs/officer-desk.ts';
import { spotWords, warningOf } from './doubt-words.ts';

test.each([
  ['line-length', { line: 2, from: 18, to: 44 }, 'Line 2: characters 18 to 44 are missing.'],
  ['line-length', { line: 2, from: 44, to: 44 }, 'Line 2: character 44 is missing.'],
  ['line-length', { line: 1, from: 45, to: 46 }, 'Line 1: characters 45 to 46 are too many.'],
  ['line-count', { line: 2, from: 1, to: 44 }, 'Line 2 is missing.'],
  ['not-read', { line: 2, from: 3, to: 3 }, 'Line 2: character 3 could not be read.'],
  ['characters', { line: 1, from: 3, to: 5 }, 'Line 1: characters 3 to 5 are not ones that a passport has.'],
  ['document-code', { line: 1, from: 1, to: 2 }, 'Line 1: characters 1 to 2 are wrong.'],
] as const)('Where reading failed is said in plain words: %s %o', (reason, spot, words) => {
  expect(spotWords(reason, spot)).toBe(words);
});

test('How many characters were put right stands beside the warning', () => {
  const document = { ...lookupView(0).document!, repairs: 2 };
  expect(warningOf('repaired', document)).toBe('Characters put right: 2');
  expect(warningOf('repaired', null)).toBe('Characters put right');
  expect(warningOf('expired', document)).toBe('Expired');
});

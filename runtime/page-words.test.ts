import { expect, test } from 'vitest';
import { ageWords, boundWords, maskNumber, referenceWords } from './page-words.ts';

test.each([
  [0, '0 s'],
  [59.9, '59 s'],
  [60, '1 min'],
  [3599, '59 min'],
  [3600, '1 h'],
  [259_199, '71 h'],
  [259_200, '3 days'],
])('an age of %d seconds is %s, never more than it is', (seconds, words) => {
  expect(ageWords(seconds)).toBe(words);
});

test('a lower bound says that it is one', () => {
  expect(boundWords({ seconds: 7200, bound: 'at-least' })).toBe('at least 2 h old');
});

test('a masked number shows its last three characters, a short one none', () => {
  expect(maskNumber('L898902C3')).toBe('••••••2C3');
  expect(maskNumber('123')).toBe('•••');
});

test('the reference of a lookup is its random end, in groups for the telephone', () => {
  expect(referenceWords('019ac0de-0000-7000-8000-0000beef00a1')).toBe('BEEF-00A1');
});

import { expect, test } from 'vitest';
import { lookupView, verdicts } from '#test/rigs/officer-desk.ts';
import { copyWords, spoken } from './words.ts';

test('The age of the copy grows with every minute that the page is open, though the terminal says nothing new', () => {
  const source = { collection: 'sltd', version: 1, date: '2026-11-25T05:00:00.000Z', count: 3 } as const;
  const edition = {
    source,
    age: { seconds: 10_800, bound: 'exact' },
    tooOld: false,
    aging: false,
    damaged: false,
  } as const;
  const said = '2026-11-25T08:00:00.000Z';
  expect(copyWords(edition, said, new Date(said))).toContain('3 h old');
  expect(copyWords(edition, said, new Date('2026-11-25T10:00:00.000Z'))).toContain('5 h old');
  // A page whose clock was set back shows no younger copy.
  expect(copyWords(edition, said, new Date('2026-11-25T07:00:00.000Z'))).toContain('3 h old');
});

test('Whoever hears the page hears of a training hit that it is one, before the word hit', () => {
  const now = new Date('2026-11-25T08:00:00.000Z');
  const real = spoken(lookupView(1, { verdict: verdicts.hit }), now);
  const training = spoken(lookupView(1, { verdict: verdicts.hit, training: true }), now);
  expect(training).toBe(`Training, not a real check. ${real}`);
});

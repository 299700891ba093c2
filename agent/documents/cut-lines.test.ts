import { describe, expect, test } from 'vitest';
import type { Reading } from '#contracts/documents.ts';
import { below, generateMrz } from '#test/rigs/generate-mrz.ts';
import { digitOf } from '#test/rigs/mrz.ts';
import { seeded } from '#test/rigs/random.ts';
import { specimens } from '#test/rigs/specimens.ts';
import { readDocument } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };
const { passport, smallCard, smallVisa, visa } = specimens;

function read(...lines: readonly string[]): Reading {
  return readDocument(Buffer.from(lines.join('\r'), 'latin1'), today);
}

/** Without so many columns from this one on, counted from 0. */
const without = (line: string, at: number, many = 8): string => line.slice(0, at) + line.slice(at + many);
const isWarned = (reading: Reading): boolean =>
  reading.kind === 'document' && reading.warnings.includes('maybe-cut');

describe('a passport or a visa from which the same eight columns are missing in both lines', () => {
  test.each([
    ['passport', passport],
    ['visa', visa],
  ] as const)('%s: is no card of two lines with another number, wherever the gap is in it', (_, lines) => {
    for (let at = 0; at <= 8; at++) {
      const cut = lines.map((line) => without(line, at));
      expect(read(...cut)).toEqual({ kind: 'unreadable', reason: 'line-length', spots: [] });
      expect(read(cut.join(''))).toEqual({ kind: 'unreadable', reason: 'line-length', spots: [] });
    }
  });

  test('nothing of it is shown as a part of a card, where characters were not read besides', () => {
    const [first, second] = passport.map((line) => without(line, 4));
    const reading = read(first ?? '', `${(second ?? '').slice(0, 30)}?${(second ?? '').slice(31)}`);
    expect(reading).not.toHaveProperty('partial');
  });

  test('with an unknown birth it looks like a card or a small visa, and is one that may be cut', () => {
    const second = 'L898902C36UTO<<<<<<0F1204159<<<<<<<<<<<<<<<4';
    for (const [first, format] of [
      [passport[0], 'TD2'],
      [visa[0], 'MRV-B'],
    ] as const) {
      const reading = read(without(first, 6), without(second, 6));
      expect(reading).toMatchObject({ kind: 'document', document: { format } });
      expect(isWarned(reading)).toBe(true);
    }
  });

  test('of 60,000 never has another number or state, unless in doubt or right in every digit by chance', () => {
    const random = seeded(31);
    const seen = { documents: 0, wrong: 0, inDoubt: 0, byChance: 0 };
    for (let index = 0; index < 60_000; index++) {
      const sent = generateMrz(random, index % 2 === 0 ? 'TD3' : 'MRV-A');
      const at = below(random, 37);
      const reading = read(...sent.lines.map((line) => without(line, at)));
      if (reading.kind !== 'document') continue;
      seen.documents += 1;
      const { document, warnings } = reading;
      if (document.documentNumber === sent.number && document.issuingState === sent.state) continue;
      seen.wrong += 1;
      if (warnings.includes('number-check-digit') || warnings.includes('maybe-cut')) seen.inDoubt += 1;
      else if (Object.values(document.checks).every(Boolean)) seen.byChance += 1;
    }
    expect(seen.wrong).toBe(seen.inDoubt + seen.byChance);
    expect(seen.byChance).toBeLessThanOrEqual(2);
    // Most of what is read has lost nothing of number and state; most of what has is not read at all.
    expect(seen.documents).toBeGreaterThan(20_000);
    expect(seen.wrong).toBeLessThan(600);
  });
});

describe('documents whose lines have 36 characters', () => {
  test.each(['TD2', 'MRV-B', 'FRA-ID'] as const)('%s: whole ones are never said to be cut', (format) => {
    const random = seeded(32);
    for (let index = 0; index < 10_000; index++) {
      const { lines, number } = generateMrz(random, format);
      const reading = read(...lines);
      expect(reading).toMatchObject({ kind: 'document', document: { documentNumber: number } });
      expect(isWarned(reading)).toBe(false);
    }
  });

  test.each([
    ['birth', 13],
    ['expiry', 21],
    ['whole', 35],
  ] as const)('a check digit of %s that does not hold says that they may be', (_, at) => {
    const [first, second] = smallCard;
    const wrong = (Number(second.charAt(at)) + 1) % 10;
    expect(isWarned(read(first, second.slice(0, at) + wrong + second.slice(at + 1)))).toBe(true);
  });

  test('that of the number says so for itself', () => {
    const [first, second] = smallVisa;
    const reading = read(first, `L8988902${second.slice(8)}`);
    expect(reading).toMatchObject({ warnings: expect.arrayContaining(['number-check-digit']) });
    expect(isWarned(reading)).toBe(false);
  });

  test('a filler for the digit of an unknown birth is no sign of it', () => {
    const [first, second] = smallVisa;
    expect(isWarned(read(first, `${second.slice(0, 13)}<<<<<<<${second.slice(20)}`))).toBe(false);
  });

  test('nor for that of an unknown expiry, where the composite digit holds; a visa has none, and its end looks so', () => {
    const begin = `${smallCard[1].slice(0, 21)}<<<<<<<<<<<<<<`;
    const composite = digitOf(begin.slice(0, 10) + begin.slice(13, 20) + begin.slice(21));
    expect(isWarned(read(smallCard[0], begin + composite))).toBe(false);
    expect(isWarned(read(smallCard[0], begin + ((Number(composite) + 1) % 10)))).toBe(true);
    expect(isWarned(read(smallVisa[0], `${smallVisa[1].slice(0, 21)}${'<'.repeat(15)}`))).toBe(true);
  });
});

test('documents of other lengths are never said to be cut', () => {
  const [first, second] = passport;
  expect(isWarned(read(first, `${second.slice(0, 43)}9`))).toBe(false);
});

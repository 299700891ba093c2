import { describe, expect, test } from 'vitest';
import type { Reading, UnreadableSpot } from '#contracts/documents.ts';
import { specimens } from '#test/rigs/specimens.ts';
import { readDocument } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };
const { passport, card, smallCard, visa, smallVisa } = specimens;

function read(text: string): Reading {
  return readDocument(Buffer.from(text, 'latin1'), today);
}

function unreadable(...lines: readonly string[]) {
  const reading = read(lines.join('\r'));
  if (reading.kind !== 'unreadable') throw new Error('it was read');
  return reading;
}

const all = (line: number, length: number): UnreadableSpot => ({ line, from: 1, to: length });

describe('one line is missing: which one is told by what the other looks like', () => {
  test.each([
    ['passport', 'passport', passport],
    ['identity-card', 'card of two lines', smallCard],
    ['visa', 'visa', visa],
    ['visa', 'visa of the smaller size', smallVisa],
  ] as const)('%s: only the first line of a %s came', (documentType, _, [first]) => {
    expect(unreadable(first)).toEqual({
      kind: 'unreadable',
      reason: 'line-count',
      spots: [all(2, first.length)],
      partial: { line: 2, text: '_'.repeat(first.length), issuingState: 'UTO', documentType },
    });
  });

  test.each([
    ['passport', passport],
    ['card of two lines', smallCard],
    ['visa of the smaller size', smallVisa],
  ] as const)('only the second line of a %s came: the number is there, the state is not', (_, lines) => {
    const [, second] = lines;
    const { spots, partial } = unreadable(second);
    expect(spots).toEqual([all(1, second.length)]);
    expect(partial).toMatchObject({ line: 2, text: second });
    expect(partial).not.toHaveProperty('issuingState');
  });

  test('an absent first line that the RTE6701 sends as a bare CR, with the other at the bottom', () => {
    expect(read(`\r${passport[1]}\r`)).toMatchObject({ spots: [all(1, 44)], partial: { text: passport[1] } });
    expect(read(`\r${card[1]}\r${card[2]}\r`)).toMatchObject({ spots: [all(1, 30)] });
  });

  test.each([
    ['first', 1, '_'.repeat(30)],
    ['second', 2, card[0]],
    ['third', 3, card[0]],
  ] as const)('two of the three lines of a card came, the %s is missing', (_, line, text) => {
    const { spots, partial } = unreadable(...card.filter((__, at) => at !== line - 1));
    expect(spots).toEqual([all(line, 30)]);
    expect(partial).toEqual({ line: 1, text, documentType: 'identity-card' });
  });

  test.each([
    [1, card[0]],
    [2, '_'.repeat(30)],
    [3, '_'.repeat(30)],
  ] as const)('only line %d of the three of a card came', (line, text) => {
    const { spots, partial } = unreadable(card[line - 1] ?? '');
    expect(spots).toEqual([1, 2, 3].filter((other) => other !== line).map((other) => all(other, 30)));
    expect(partial).toMatchObject({ line: 1, text });
  });
});

describe('a line is cut: the columns that are missing are named', () => {
  test.each([
    ['passport', passport, 2, 44],
    ['card of three lines', card, 1, 30],
    ['card of two lines', smallCard, 2, 36],
    ['visa', visa, 2, 44],
    ['visa of the smaller size', smallVisa, 2, 36],
  ] as const)('%s: the end of the line with the number', (_, whole, line, length) => {
    const lines: readonly string[] = whole;
    const text = lines[line - 1]?.slice(0, 20) ?? '';
    const { reason, spots, partial } = unreadable(...lines.with(line - 1, text));
    expect({ reason, spots }).toEqual({ reason: 'line-length', spots: [{ line, from: 21, to: length }] });
    expect(partial).toMatchObject({ line, text: text.padEnd(length, '_') });
  });

  test.each([
    ['passport', passport, 44],
    ['card of two lines', smallCard, 36],
    ['visa', visa, 44],
  ] as const)('%s: the beginning of the line with the number', (_, [first, second], length) => {
    const { spots, partial } = unreadable(first, second.slice(13));
    expect(spots).toEqual([{ line: 2, from: 1, to: 13 }]);
    expect(partial?.text).toBe(second.slice(13).padStart(length, '_'));
    expect(partial?.issuingState).toBe('UTO');
  });

  test('the end of the line of names: the line with the number stands, and of the other one nothing', () => {
    const { spots, partial } = unreadable(passport[0].slice(0, 12), passport[1]);
    expect(spots).toEqual([{ line: 1, from: 13, to: 44 }]);
    // Where in the names the gap is nobody knows: code and state may be from before it or from behind it.
    expect(partial).toEqual({ line: 2, text: passport[1], documentType: 'passport' });
  });

  test('the beginning of the line of names: a name is not taken for code and state', () => {
    for (const missing of [3, 8, 12, 20]) {
      const { spots, partial } = unreadable(passport[0].slice(missing), passport[1]);
      expect(spots).toEqual([{ line: 1, from: 1, to: missing }]);
      expect(partial).toEqual({ line: 2, text: passport[1], documentType: 'passport' });
    }
  });

  test('a part inside a line: also the characters that may belong on either side of it', () => {
    const [first, second] = passport;
    const { spots, partial } = unreadable(first, second.slice(0, 15) + second.slice(19));
    expect(spots).toEqual([{ line: 2, from: 13, to: 20 }]);
    expect(partial?.text).toBe(`${second.slice(0, 12)}________${second.slice(20)}`);
  });

  test('a part of the number: none of it is shown, since any of it may stand before the gap', () => {
    const [first, second] = passport;
    for (const cut of [second.slice(3), second.slice(0, 4) + second.slice(7)]) {
      const { spots, partial } = unreadable(first, cut);
      expect(spots).toEqual([{ line: 2, from: 1, to: 10 }]);
      expect(partial?.text).toBe(`__________${second.slice(10)}`);
    }
  });

  test('a card’s line that does not begin with its code: nothing of the number is shown', () => {
    for (const missing of [1, 2, 4]) {
      const { spots, partial } = unreadable(card[0].slice(missing), card[1], card[2]);
      expect(spots).toEqual([all(1, 30)]);
      expect(partial?.text).toBe('_'.repeat(30));
    }
  });

  test('nor where a filler stands in the place of the digit that would prove the number’s place', () => {
    const [first, ...others] = specimens.longNumberCard;
    // A character is missing in the code, in the state, in the number, or behind it: it looks alike.
    for (const at of [1, 3, 7, 12, 29]) {
      const { partial } = unreadable(first.slice(0, at) + first.slice(at + 1), ...others);
      if (at < 14) expect(partial?.text ?? '').not.toMatch(/[0-9]/);
    }
    const long = unreadable('I<UTOD23145<7349<<<<<<<<<<<', ...others).partial?.text ?? '';
    expect(long).not.toMatch(/[0-9]/);
    expect(unreadable(first.slice(0, 20), ...others).partial?.text).toBe('_'.repeat(30));
  });

  test('so little of a line that it may be its beginning or its end counts as not read', () => {
    expect(unreadable(passport[0], passport[1].slice(0, 3))).toMatchObject({
      spots: [all(2, 44)],
      partial: { text: '_'.repeat(44), issuingState: 'UTO' },
    });
    expect(unreadable(passport[0], passport[1].slice(43))).toMatchObject({ spots: [all(2, 44)] });
  });

  test('no line ends, and a part of the first line is missing: its state may be none', () => {
    const [first, second] = passport;
    const { partial } = unreadable(`${first.slice(0, 3)}${first.slice(5)}${second}`);
    expect(partial).toBeDefined();
    expect(partial).not.toHaveProperty('issuingState');
  });

  test('no line ends, and the end is missing', () => {
    expect(unreadable(passport.join('').slice(0, 68))).toMatchObject({
      spots: [{ line: 2, from: 25, to: 44 }],
      partial: { line: 2, text: passport[1].slice(0, 24).padEnd(44, '_'), issuingState: 'UTO' },
    });
    expect(unreadable(card.join('').slice(0, 70))).toMatchObject({
      spots: [{ line: 3, from: 11, to: 30 }],
      partial: { line: 1, text: card[0] },
    });
  });

  test('a fragment that may be a part of anything says nothing', () => {
    for (const fragment of [passport[1].slice(0, 9), card[1].slice(10), passport[0].slice(10), 'ERIKSSON']) {
      expect(unreadable(fragment)).toEqual({ kind: 'unreadable', reason: 'line-count', spots: [] });
    }
  });
});

describe('characters that were not read', () => {
  test('are named, and the line with the number is there without them', () => {
    const [first, second] = smallCard;
    expect(unreadable(first, `${second.slice(0, 4)}?${second.slice(5, 30)}**${second.slice(32)}`)).toEqual({
      kind: 'unreadable',
      reason: 'not-read',
      spots: [
        { line: 2, from: 5, to: 5 },
        { line: 2, from: 31, to: 32 },
      ],
      partial: {
        line: 2,
        text: `${second.slice(0, 4)}_${second.slice(5, 30)}__${second.slice(32)}`,
        issuingState: 'UTO',
        documentType: 'identity-card',
      },
    });
  });

  test('in the state: the officer types it, nothing is guessed', () => {
    const { partial } = unreadable(passport[0].replace('UTO', 'U_O'), passport[1]);
    expect(partial).toEqual({ line: 2, text: passport[1], documentType: 'passport' });
  });

  test('in a card’s first line, which holds the state itself', () => {
    expect(unreadable(card[0].replace('UTO', 'U_O'), card[1], card[2]).partial).toEqual({
      line: 1,
      text: card[0].replace('UTO', 'U_O'),
      documentType: 'identity-card',
    });
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reading, Repair } from '#contracts/documents.ts';
import { stolenPassport } from '#test/rigs/documents.ts';
import { digitOf, validMrz, writeMrz, plainPassport as fields } from '#test/rigs/mrz.ts';
import { specimens } from '#test/rigs/specimens.ts';
import { readDocument } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };
// L898902C3 6 UTO 740812 2 F 300415 7 …
const [first, second] = stolenPassport;
const formats = ['TD1', 'TD2', 'TD3', 'MRV-A', 'MRV-B'] as const;

function read(...lines: readonly string[]): Reading {
  return readDocument(Buffer.from(lines.join('\r'), 'latin1'), today);
}

function documentOf(...lines: readonly string[]) {
  const reading = read(...lines);
  if (reading.kind !== 'document') throw new Error(`unreadable: ${reading.reason}`);
  return { ...reading.document, warnings: reading.warnings };
}

describe('a letter where only a digit may stand', () => {
  test('in a date becomes the digit that it looks like, since the date’s check digit then holds', () => {
    const document = documentOf(first, second.replace('7408122', '74O8I22').replace('300415', '3OO4IS'));
    expect(document).toMatchObject({
      birth: { raw: '74O8I2', iso: '1974-08-12' },
      expiry: { raw: '3OO4IS', iso: '2030-04-15' },
      checks: { number: true, birth: true, expiry: true, optional: true, composite: true },
      repairs: [
        { line: 2, column: 16, from: 'O', to: '0' },
        { line: 2, column: 18, from: 'I', to: '1' },
        { line: 2, column: 23, from: 'O', to: '0' },
        { line: 2, column: 24, from: 'O', to: '0' },
        { line: 2, column: 26, from: 'I', to: '1' },
        { line: 2, column: 27, from: 'S', to: '5' },
      ],
    });
    expect(document.warnings).toEqual(['specimen', 'repaired']);
  });

  test.each([
    ['O', '0'],
    ['I', '1'],
    ['Z', '2'],
    ['S', '5'],
    ['B', '8'],
  ])('%s in the place of the number’s check digit is %s, since it is the right one', (letter, digit) => {
    const number = Array.from({ length: 10 }, (_, n) => `${n}`.padEnd(9, '0')).find(
      (text) => digitOf(text) === digit,
    );
    const [, whole = ''] = writeMrz({ ...fields, number: number ?? '' });
    const document = documentOf(first, whole.slice(0, 9) + letter + whole.slice(10));
    expect(document.checks).toMatchObject({ number: true, composite: true });
    expect(document.repairs).toEqual([{ line: 2, column: 10, from: letter, to: digit }]);
  });

  test('in the composite digit’s place is put right last, over what was put right before', () => {
    const lines = writeMrz({ ...fields, number: '000000000', optional: composedTo('0') });
    const whole = lines[1] ?? '';
    expect(whole.at(-1)).toBe('0');
    const document = documentOf(first, `${whole.slice(0, 43).replace('740812', '74O812')}O`);
    expect(document.checks).toMatchObject({ birth: true, composite: true });
    expect(document.repairs).toEqual([
      { line: 2, column: 16, from: 'O', to: '0' },
      { line: 2, column: 44, from: 'O', to: '0' },
    ]);
  });

  test('in both a date and its digit is put right where the two fit each other', () => {
    const repairs = documentOf(first, second.replace('7408122', '74O812Z')).repairs;
    expect(repairs).toEqual([
      { line: 2, column: 16, from: 'O', to: '0' },
      { line: 2, column: 20, from: 'Z', to: '2' },
    ]);
  });
});

describe('what is not proven stays as it was read', () => {
  test.each([
    ['a date whose check digit does not hold even so', '7408122', '74O8129', 'birth'],
    ['a digit’s place that would not hold even so', 'C36UTO', 'C3OUTO', 'number'],
    ['a letter that looks like no digit', '7408122', '74X8122', 'birth'],
  ] as const)('%s', (_, from, to, check) => {
    const document = documentOf(first, second.replace(from, to));
    expect(document.repairs).toEqual([]);
    expect(document.checks[check]).toBe(false);
    expect(document.warnings).toContain(`${check}-check-digit`);
    expect(document.warnings).not.toContain('repaired');
  });

  test('a date with letters that stay is impossible and has no day', () => {
    const { birth, warnings } = documentOf(first, second.replace('7408122', '74O8129'));
    expect(birth).toEqual({ raw: '74O812' });
    expect(warnings).toEqual(expect.arrayContaining(['birth-check-digit', 'birth-date-impossible']));
  });

  test('the nationality and the sex, which nothing is searched by', () => {
    expect(documentOf(first, second.replace('6UTO', '6UT0'))).toMatchObject({
      nationality: 'UT0',
      repairs: [],
    });
    expect(documentOf(first, second.replace('F300415', '0300415'))).toMatchObject({
      sex: 'unspecified',
      repairs: [],
    });
  });

  test('the issuing state, where a guess would make a wrong key: the document is refused instead', () => {
    expect(read(first.replace('UTO', 'UT0'), second)).toMatchObject({
      kind: 'unreadable',
      reason: 'characters',
      spots: [{ line: 1, from: 5, to: 5 }],
    });
  });

  test('the optional data and what it holds of a long number', () => {
    const [line1, ...others] = specimens.longNumberCard;
    const document = documentOf(line1.replace('7349<', '7B49<'), ...others);
    expect(document).toMatchObject({
      documentNumber: 'D231458907B4',
      repairs: [],
      checks: { number: false },
    });
  });
});

describe('nothing is ever folded silently', () => {
  /** Valid documents with letters that look like digits, and digits that look like letters, put in anywhere. */
  const spoilt = fc
    .tuple(
      fc.constantFrom(...formats).chain((format) => validMrz({ format })),
      fc.array(fc.tuple(fc.nat(2), fc.nat(43)), { maxLength: 12 }),
    )
    .map(([written, places]) => {
      const lines = writeMrz(written).map((line) => line.split(''));
      for (const [line, at] of places) {
        const characters = lines[line % lines.length] ?? [];
        const old = characters[at] ?? '';
        if (old in alike) characters[at] = alike[old] ?? old;
      }
      return lines.map((characters) => characters.join(''));
    });

  test('with the repairs undone, every field is what the frame says, and the number is never changed', () => {
    let repaired = 0;
    fc.assert(
      fc.property(spoilt, (lines) => {
        const reading = read(...lines);
        if (reading.kind !== 'document') return;
        const { repairs, documentNumber, format, birth, checks } = reading.document;
        for (const { line, column, from, to } of repairs) {
          expect(lines[line - 1]?.charAt(column - 1)).toBe(from);
          expect(alike[from]).toBe(to);
          expect(to).toMatch(/[0-9]/);
          expect(isNumber(format, line, column)).toBe(false);
        }
        const [line, from] = format === 'TD1' ? [0, 5] : [1, 0];
        expect(lines[line]?.slice(from, from + 9).replace(/<+$/, '')).toBe(documentNumber.slice(0, 9));
        expect(reading.warnings.includes('repaired')).toBe(repairs.length > 0);
        // Read again as put right, nothing is left to put right, and every proof still stands.
        const again = read(...applied(lines, repairs));
        if (again.kind !== 'document') throw new Error(again.reason);
        expect(again.document.repairs).toEqual([]);
        expect(again.document.checks).toEqual(checks);
        expect(again.document.documentNumber).toBe(documentNumber);
        expect(again.document.birth.iso).toBe(birth.iso);
        repaired += repairs.length;
      }),
      { numRuns: 2000 },
    );
    expect(repaired).toBeGreaterThan(500);
  });
});

const alike: Readonly<Record<string, string>> = {
  O: '0',
  I: '1',
  Z: '2',
  S: '5',
  B: '8',
  0: 'O',
  1: 'I',
  2: 'Z',
  5: 'S',
  8: 'B',
};

/** Optional data that makes the composite digit of `fields` with the number 000000000 this one. */
function composedTo(digit: string): string {
  const found = Array.from({ length: 100 }, (_, n) => String(n)).find((optional) =>
    writeMrz({ ...fields, number: '000000000', optional })[1]?.endsWith(digit),
  );
  if (found === undefined) throw new Error('There is none.');
  return found;
}

function applied(lines: readonly string[], repairs: readonly Repair[]): string[] {
  const characters = lines.map((line) => line.split(''));
  for (const { line, column, to } of repairs) {
    const text = characters[line - 1];
    if (text !== undefined) text[column - 1] = to;
  }
  return characters.map((line) => line.join(''));
}

/** Where the number stands, its continuation in the optional data included. */
function isNumber(format: string, line: number, column: number): boolean {
  if (format === 'TD1') return line === 1 && column >= 6 && column !== 15;
  return line === 2 && (column <= 9 || (format === 'TD2' && column >= 29 && column <= 35));
}

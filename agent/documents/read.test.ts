import { describe, expect, test } from 'vitest';
import type { TravelDocument } from '#contracts/documents.ts';
import { maxNumbers } from '#contracts/lookup.ts';
import { passport, stolenPassport } from '#test/rigs/documents.ts';
import { digitOf, plainCard as card, writeMrz } from '#test/rigs/mrz.ts';
import type { Reading } from '#contracts/documents.ts';
import { readDocument } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };
const [first, second] = stolenPassport;

function read(text: string): Reading {
  return readDocument(Buffer.from(text, 'latin1'), today);
}

function documentOf(...lines: readonly string[]): TravelDocument {
  const reading = read(lines.join('\n'));
  if (reading.kind !== 'document') throw new Error(`unreadable: ${reading.reason}`);
  return reading.document;
}

describe('what readers do to the lines', () => {
  const plain = read(`${first}\n${second}`);

  test.each([
    ['bare CR', `${first}\r${second}\r`],
    ['CRLF', `${first}\r\n${second}\r\n`],
    ['LF', `${first}\n${second}\n`],
    ['CR CR', `${first}\r\r${second}\r\r`],
    ['no line ends', `${first}${second}`],
    ['STX and ETX around', `\x02${first}\r${second}\r\x03`],
    ['brackets of control characters', `\x1c\x02${first}\r${second}\r\x03\x1d`],
    ['NULs and blanks around', `\0\0  ${first} \r\t${second}  \r\n\0`],
    ['blanks between groups', `${first.slice(0, 5)} ${first.slice(5)}\r${second}\r`],
    ['lower case', `${first}\r${second}\r`.toLowerCase()],
  ])('%s make no difference', (_, text) => {
    expect(plain.kind).toBe('document');
    expect(read(text)).toEqual(plain);
  });

  test.each([
    ['a passport', [first, second]],
    ['a card of two lines', writeMrz({ ...card, format: 'TD2' })],
    ['a card of three lines', writeMrz(card)],
  ])('%s without line ends is divided by its length', (_, lines) => {
    expect(read(lines.join(''))).toEqual(read(lines.join('\n')));
  });
});

describe('what is no document says why and where', () => {
  test.each([
    ['nothing', ''],
    ['line ends and control characters only', '\r\n\x02\x03\r\n \t'],
  ])('%s is empty', (_, text) => {
    expect(read(text)).toEqual({ kind: 'unreadable', reason: 'empty', spots: [] });
  });

  test.each([
    ['four lines', [first, second, first, second].join('\r')],
    ['three lines of a passport', [first, second, first].join('\r')],
  ])('%s: the wrong count of lines', (_, text) => {
    expect(read(text)).toEqual({ kind: 'unreadable', reason: 'line-count', spots: [] });
  });

  test('a swipe that stutters: the columns that are missing are named', () => {
    expect(read(`${first}\r${second.slice(0, 17)}\r`)).toEqual({
      kind: 'unreadable',
      reason: 'line-length',
      spots: [{ line: 2, from: 18, to: 44 }],
      partial: {
        line: 2,
        text: second.slice(0, 17).padEnd(44, '_'),
        issuingState: 'UTO',
        documentType: 'passport',
      },
    });
  });

  test('a line that is too long: the columns that are too many are named', () => {
    expect(read(`${first}7K\r${second}`)).toEqual({
      kind: 'unreadable',
      reason: 'line-length',
      spots: [{ line: 1, from: 45, to: 46 }],
    });
  });

  test.each([1025, 1_000_000])('a frame of %d bytes is refused by its length alone', (length) => {
    expect(read('A'.repeat(length))).toEqual({ kind: 'unreadable', reason: 'line-length', spots: [] });
  });

  test('characters that no MRZ has are refused where they stand, even in the names', () => {
    const noisy = `${first.slice(0, 9)}\xc4\xd6${first.slice(11)}\r${second.slice(0, 3)}#${second.slice(4)}`;
    expect(read(noisy)).toEqual({
      kind: 'unreadable',
      reason: 'characters',
      spots: [
        { line: 1, from: 10, to: 11 },
        { line: 2, from: 4, to: 4 },
      ],
    });
  });

  test.each(['_', '?', '*'])('%s is a character that was not read, never data', (mark) => {
    const spoilt = `${first}\r${second.slice(0, 2)}${mark.repeat(3)}${second.slice(5, 43)}${mark}`;
    expect(read(spoilt)).toEqual({
      kind: 'unreadable',
      reason: 'not-read',
      spots: [
        { line: 2, from: 3, to: 5 },
        { line: 2, from: 44, to: 44 },
      ],
      partial: {
        line: 2,
        text: `${second.slice(0, 2)}___${second.slice(5, 43)}_`,
        issuingState: 'UTO',
        documentType: 'passport',
      },
    });
  });

  test('a character not read in the names does not keep a document from being searched', () => {
    expect(read(`${first.slice(0, 8)}?${first.slice(9)}\r${second}`)).toMatchObject({
      kind: 'document',
      document: { documentNumber: 'L898902C3', names: { primary: 'ERI?SSON' } },
    });
  });

  test('the names of the old French card are covered by its composite digit, so they must be read', () => {
    expect(read('IDFRABERT?IER<<<<<<<<<<<<<<<<<<<<<<<\r8806923102858CORINNE<<<<<<<6512068F6')).toMatchObject({
      reason: 'not-read',
      spots: [{ line: 1, from: 10, to: 10 }],
    });
  });

  test.each([
    ['lines in the wrong order', `${second}\r${first}`],
    ['a digit for a letter', `1${first.slice(1)}\r${second}`],
    ['fillers', `<<${first.slice(2)}\r${second}`],
    ['a visa of three lines', writeMrz({ ...card, code: 'V' }).join('\r')],
  ])('no document code: %s', (_, text) => {
    expect(read(text)).toEqual({
      kind: 'unreadable',
      reason: 'document-code',
      spots: [{ line: 1, from: 1, to: 2 }],
    });
  });

  test('the line with the number sent twice: letters of the number are not taken for code and state', () => {
    // PAUZB1234 begins as a passport of Uzbekistan does.
    for (const number of ['ABCDE1234', 'PAUZB1234']) {
      const [, line] = passport(number);
      expect(read(`${line}\r${line}`)).toEqual({
        kind: 'unreadable',
        reason: 'document-code',
        spots: [{ line: 1, from: 1, to: 2 }],
      });
    }
  });

  test('digits among misread names do not keep a document from being read', () => {
    const names = 'P<UTO3R1K55'.padEnd(44, '<');
    expect(read(`${names}\r${second}`)).toMatchObject({
      kind: 'document',
      document: { issuingState: 'UTO' },
    });
  });

  test('a digit in the state would make a wrong key: it is refused where it stands', () => {
    expect(read(`${first.replace('UTO', 'UT0')}\r${second}`)).toEqual({
      kind: 'unreadable',
      reason: 'characters',
      spots: [{ line: 1, from: 5, to: 5 }],
    });
  });

  test('no number at all', () => {
    expect(read(`${first}\r${'<'.repeat(9)}${second.slice(9)}`)).toEqual({
      kind: 'unreadable',
      reason: 'number-missing',
      spots: [{ line: 2, from: 1, to: 9 }],
    });
  });
});

describe('the document number', () => {
  test('a filler inside stays and counts, the ones at the end go', () => {
    expect(documentOf(...passport('AB<123'))).toMatchObject({
      documentNumber: 'AB<123',
      checks: { number: true },
    });
  });

  test('a genuine letter O stays an O', () => {
    const read = documentOf(...passport('OO1234567'));
    expect(read.documentNumber).toBe('OO1234567');
    expect(read.variants).not.toContain(read.documentNumber);
  });

  test.each([
    ['TD1', 'AB123456789012345678', false],
    ['TD1', 'AB123456789012345678', true],
    ['TD2', 'AB123456789012', false],
    ['TD2', 'AB123456789012', true],
  ] as const)('%s: %s goes on in the optional data, its digit counted with the filler: %s', (...long) => {
    const [format, number, countsFiller] = long;
    const read = documentOf(...writeMrz({ ...card, format, number, countsFiller }));
    expect(read).toMatchObject({ documentNumber: number, checks: { number: true, composite: true } });
  });

  test('what follows a long number in the optional data is not part of it', () => {
    const read = documentOf(...writeMrz({ ...card, number: 'AB1234567890', optional: 'XYZ' }));
    expect(read).toMatchObject({ documentNumber: 'AB1234567890', optional: ['XYZ', ''] });
  });

  test('optional data that is full to the last character does not become part of a number', () => {
    const read = documentOf(...writeMrz({ ...card, optional: '123456789012345' }));
    expect(read).toMatchObject({
      documentNumber: 'AB1234567',
      optional: ['123456789012345', ''],
      checks: { number: true },
    });
  });

  test('optional data behind a filler in the digit’s place may be no number: the field alone is searched as well', () => {
    let held = 0;
    for (let n = 0; n < 200; n++) {
      const optional = `${10_000_000 + n * 7919}`;
      const [line1 = '', ...others] = writeMrz({ ...card, optional });
      const read = documentOf(`${line1.slice(0, 14)}<${line1.slice(15)}`, ...others);
      expect(read.variants[0]).toBe('AB1234567');
      expect(read.variants.length).toBeLessThan(maxNumbers);
      if (read.checks.number === true) held += 1;
    }
    // By chance: counted in two ways, each holds once in ten.
    expect(held).toBeGreaterThan(10);
    expect(held).toBeLessThan(80);
  });

  test('a number that seems to go on and whose digit does not hold is searched without the rest as well', () => {
    const [line1 = '', ...others] = writeMrz({ ...card, number: 'AB1234567890' });
    const wrong = (Number(line1.charAt(18)) + 1) % 10;
    const read = documentOf(`${line1.slice(0, 18)}${wrong}${line1.slice(19)}`, ...others);
    expect(read.documentNumber).toBe('AB1234567890');
    expect(read.checks.number).toBe(false);
    expect(read.variants).toContain('AB1234567');
  });
});

describe('check digits', () => {
  test.each([
    ['number', 9],
    ['birth', 19],
    ['expiry', 27],
    ['optional', 42],
    ['composite', 43],
  ] as const)('a wrong digit of %s is a warning, and the document is searched all the same', (name, at) => {
    const wrong = (Number(second.charAt(at)) + 1) % 10;
    const reading = read(`${first}\r${second.slice(0, at)}${wrong}${second.slice(at + 1)}`);
    expect(reading).toMatchObject({
      document: { checks: { [name]: false } },
      warnings: expect.arrayContaining([`${name}-check-digit`]),
    });
  });

  test.each(['<', '0'])('empty optional data of a passport may have the digit %s', (digit) => {
    const begin = second.slice(0, 28) + '<'.repeat(14) + digit;
    const composite = digitOf(begin.slice(0, 10) + begin.slice(13, 20) + begin.slice(21, 43));
    expect(documentOf(first, begin + composite).checks).toMatchObject({ optional: true, composite: true });
  });
});

test('an expired document is read, with the warning', () => {
  const reading = read(passport('L898902C3', '261123').join('\r'));
  expect(reading).toMatchObject({ kind: 'document', warnings: ['expired', 'specimen'] });
  expect(read(passport('L898902C3', '261124').join('\r'))).toMatchObject({ warnings: ['specimen'] });
});

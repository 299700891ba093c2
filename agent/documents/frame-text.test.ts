import { describe, expect, test } from 'vitest';
import type { Reading } from '#contracts/documents.ts';
import { stolenPassport } from '#test/rigs/documents.ts';
import { specimens } from '#test/rigs/specimens.ts';
import { readDocument } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };
const [first, second] = stolenPassport;

function read(text: string): Reading {
  return readDocument(Buffer.from(text, 'latin1'), today);
}

describe('control characters', () => {
  test.each([
    ['SUBSTITUTE, which drivers put where keys are lost', '\x1a'],
    ['NUL', '\0'],
    ['any other control character', '\x07'],
    ['DEL', '\x7f'],
  ])('inside a line %s stands for a character that was not read', (_, mark) => {
    const noisy = `${first}\r${second.slice(0, 4)}${mark}${mark}${second.slice(6, 30)}${mark}${second.slice(31)}`;
    const spots = [
      { line: 2, from: 5, to: 6 },
      { line: 2, from: 31, to: 31 },
    ];
    expect(read(noisy)).toMatchObject({ reason: 'not-read', spots });
    expect(read(`${first.slice(0, 3)}${mark}${first.slice(4)}\r${second}`)).toMatchObject({
      reason: 'not-read',
      spots: [{ line: 1, from: 4, to: 4 }],
    });
    // One that was put in besides makes the line too long.
    expect(read(`${first}\r${second.slice(0, 4)}${mark}${second.slice(4)}`)).toMatchObject({
      reason: 'line-length',
    });
  });

  test('keys lost twice, eight of them each time: what is left is never a shorter document', () => {
    for (const [line1, line2] of [stolenPassport, specimens.visa]) {
      for (let at = 0; at <= 36; at++) {
        for (const lost of [8, 9]) {
          const hole = (line: string): string => `${line.slice(0, at)}\x1a${line.slice(at + lost)}`;
          expect(read(`${hole(line1)}\r${hole(line2)}\r`).kind, `${at}`).toBe('unreadable');
        }
      }
    }
  });

  test('inside the names they keep no document from being searched', () => {
    expect(read(`${first.slice(0, 8)}\0${first.slice(9)}\r${second}`)).toMatchObject({
      kind: 'document',
      document: { documentNumber: 'L898902C3', names: { primary: 'ERI_SSON' } },
    });
  });

  test('at the ends of a line go, but for SUBSTITUTE, behind which something is missing', () => {
    expect(read(`\x02${first}\0\r\0 ${second}\x03\r`)).toEqual(read(`${first}\r${second}`));
    expect(read(`${first}\x1a\r${second}\r`)).toMatchObject({ reason: 'line-length' });
    expect(read(`\x1a${first.slice(1)}\r${second}\r`)).toMatchObject({
      reason: 'not-read',
      spots: [{ line: 1, from: 1, to: 1 }],
    });
  });
});

describe('blanks inside a line', () => {
  test('go where they make it longer than a line is', () => {
    expect(read(`${first.slice(0, 5)}  ${first.slice(5)}\r${second}`)).toEqual(read(`${first}\r${second}`));
  });

  test('stand for a character, and one that no MRZ has, where it has the length of a line with them', () => {
    expect(read(`${first}\r${second.slice(0, 4)} ${second.slice(5)}`)).toMatchObject({
      reason: 'characters',
      spots: [{ line: 2, from: 5, to: 5 }],
    });
  });
});

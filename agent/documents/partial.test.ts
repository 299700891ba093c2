import { describe, expect, test } from 'vitest';
import type { PartialRead, Reading } from '#contracts/documents.ts';
import { below, generatedFormats, generateMrz } from '#test/rigs/generate-mrz.ts';
import { seeded } from '#test/rigs/random.ts';
import { specimens } from '#test/rigs/specimens.ts';
import { readDocument } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };
const { passport } = specimens;
const french = ['IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<', '8806923102858CORINNE<<<<<<<6512068F6'] as const;

function read(text: string): Reading {
  return readDocument(Buffer.from(text, 'latin1'), today);
}

function unreadable(...lines: readonly string[]) {
  const reading = read(lines.join('\r'));
  if (reading.kind !== 'unreadable') throw new Error('it was read');
  return reading;
}

describe('a partial text is never a line with names', () => {
  test('the second line of the old French card holds given names, so there is none of it', () => {
    for (const second of [
      french[1].slice(0, 24),
      french[1].slice(6),
      `88069231028__${french[1].slice(13)}`,
    ]) {
      expect(unreadable(french[0], second).partial?.text ?? '').not.toMatch(/[A-Z]/);
    }
    expect(unreadable(french[1]).partial).toBeUndefined();
    // Not even where the state was misread, so that it looks like another card.
    expect(
      unreadable(french[0].replace('FRA', 'FPA'), `${french[1].slice(0, 10)}___BO<<<<<<<<<<<<6512068F6`),
    ).not.toHaveProperty('partial');
  });

  test('nor its first line, where it was cut to the length of a shorter card’s', () => {
    const lines = ['IDFRABERTHIERDUPONT<<<<<<<<<<<952042', french[1]];
    for (let at = 0; at <= 30; at++) {
      const cut = lines.map((line) => line.slice(0, at) + line.slice(at + 6));
      expect(unreadable(...cut).partial?.text ?? '').not.toMatch(/BERTH|THIER/);
    }
  });

  test('nor where its given names were not read, or nothing but a digit of its number', () => {
    for (const second of [`8806923102858${'_'.repeat(14)}6512068F6`, french[1].replace('880692', '88069?')]) {
      expect(unreadable(french[0], second)).not.toHaveProperty('partial');
    }
  });

  test('lines in the wrong order, with a character not read, are not taken for one with a number', () => {
    const names = passport[0].replace('P<UTO', 'P<U7O').replace('ANNA', 'A1NA');
    expect(unreadable(`${passport[1].slice(0, 4)}?${passport[1].slice(5)}`, names)).not.toHaveProperty(
      'partial',
    );
  });

  test('a misread character in its line does not hide what there is of the number', () => {
    const second = passport[1].replace('6UTO', '6UT0').replace('F1204159', 'F?204159');
    expect(unreadable(passport[0], second).partial?.text).toBe(second.replace('?', '_'));
  });

  test('of 30,000 documents cut inside a line none shows a name or a state other than theirs', () => {
    const seen = cutDocuments(30_000, false);
    expect(seen.partials).toBeGreaterThan(15_000);
    expect(seen.names).toBe(0);
    // A first line with a gap in it says nothing of its state.
    expect(seen.states).toBe(0);
    // Characters of the number in wrong places: its check digit holds there by chance.
    expect(seen.numbers / seen.partials).toBeLessThan(0.02);
  });

  test('of 30,000 documents cut across line ends hardly any does: letters of it have to fit check digits', () => {
    const seen = cutDocuments(30_000, true);
    expect(seen.partials).toBeGreaterThan(1500);
    expect(seen.names / seen.partials).toBeLessThan(0.02);
    expect(seen.states).toBe(0);
  });
});

/** Valid documents that lack one piece of their bytes, with or without line ends in it. */
function cutDocuments(count: number, across: boolean) {
  const random = seeded(across ? 7 : 8);
  const seen = { partials: 0, names: 0, states: 0, numbers: 0 };
  for (let index = 0; index < count; index++) {
    const format = generatedFormats[index % generatedFormats.length] ?? 'TD3';
    const { lines, state } = generateMrz(random, format);
    const whole = lines.join('\r');
    const from = below(random, whole.length);
    const to = from + 1 + below(random, random() < 0.5 ? 6 : whole.length - from);
    if (whole.slice(from, to).includes('\r') !== across) continue;
    const reading = read(whole.slice(0, from) + whole.slice(to));
    if (reading.kind !== 'unreadable' || reading.partial === undefined) continue;
    seen.partials += 1;
    const { partial, spots } = reading;
    expect(spots.length).toBeGreaterThan(0);
    const own = lines[format === 'TD1' ? 0 : 1] ?? '';
    if (partial.issuingState !== undefined && partial.issuingState !== state) seen.states += 1;
    if (!showsOnly(partial, format === 'TD1' ? own + lines[1] : own)) seen.names += 1;
    if (format === 'FRA-ID' && /[A-Z]/.test(partial.text.slice(13, 27))) seen.names += 1;
    const places = format === 'TD1' ? [5, 15] : [0, 10];
    if (!isAlike(partial.text.slice(...places), own.slice(...places))) seen.numbers += 1;
  }
  return seen;
}

/** Whether the text has only characters of this line, in their order. */
function showsOnly({ text }: PartialRead, line: string): boolean {
  const read = text.replaceAll('_', '');
  let at = 0;
  for (const character of line) if (read.charAt(at) === character) at += 1;
  return at >= read.length;
}

function isAlike(text: string, whole: string): boolean {
  return Array.from(text).every((character, at) => character === '_' || character === whole.charAt(at));
}

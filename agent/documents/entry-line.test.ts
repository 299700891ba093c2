import { describe, expect, test } from 'vitest';
import type { EntryRequest } from '#contracts/entry.ts';
import { specimens } from '#test/rigs/specimens.ts';
import { type Entry, readEntry } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };
type LineEntry = Extract<EntryRequest, { kind: 'line' }>;

function typedLine(line: string, fields: Partial<LineEntry> = {}): Entry {
  return readEntry({ kind: 'line', documentType: 'passport', issuingState: 'UTO', line, ...fields }, today);
}

function documentOf({ reading }: Entry) {
  if (reading?.kind !== 'document') throw new Error('it cannot be searched');
  return { ...reading.document, warnings: reading.warnings };
}

const { passport, card, longNumberCard, smallCard, visa, smallVisa } = specimens;
const french = '8806923102858CORINNE<<<<<<<6512068F6';

describe('the line that holds the number', () => {
  test('of a passport: 44 characters, each check digit on its own, and the composite one over them', () => {
    const { check, reading } = typedLine(passport[1]);
    expect(check).toEqual({
      ready: true,
      problems: [],
      parts: [
        { part: 'number', value: 'L898902C3', holds: true },
        { part: 'birth', value: '740812', holds: true },
        { part: 'expiry', value: '120415', holds: true },
        { part: 'optional', value: 'ZE184226B', holds: true },
        { part: 'composite', value: '0', holds: true },
      ],
      stateListed: true,
    });
    expect(reading).toMatchObject({
      document: { format: 'TD3', documentCode: 'P', issuingState: 'UTO', names: { primary: '' } },
      warnings: ['expired', 'specimen'],
    });
  });

  test('of a card of two lines: 36 characters, and the composite digit as well', () => {
    const { check, reading } = typedLine(smallCard[1], { documentType: 'identity-card' });
    expect(check.parts).toEqual([
      { part: 'number', value: 'D23145890', holds: true },
      { part: 'birth', value: '740812', holds: true },
      { part: 'expiry', value: '120415', holds: true },
      { part: 'optional', value: '', holds: null },
      { part: 'composite', value: '6', holds: true },
    ]);
    expect(reading).toMatchObject({ document: { format: 'TD2', documentCode: 'I' } });
  });

  test('of visas of both sizes: no composite digit', () => {
    for (const [format, { 1: line }] of [
      ['MRV-A', visa],
      ['MRV-B', smallVisa],
    ] as const) {
      const { check, reading } = typedLine(line, { documentType: 'visa' });
      expect(check.parts.map(({ part, holds }) => [part, holds])).toEqual([
        ['number', true],
        ['birth', true],
        ['expiry', true],
        ['optional', null],
      ]);
      expect(reading).toMatchObject({ document: { format, documentCode: 'V', documentNumber: 'L8988901C' } });
    }
  });

  test('of a card of three lines: 30 characters, with code and state, which nobody types then', () => {
    const { check, reading } = typedLine(card[0], { documentType: 'identity-card', issuingState: '' });
    expect(check).toMatchObject({ ready: true, stateListed: true });
    // Its composite digit covers another line and is not looked at.
    expect(check.parts).toEqual([
      { part: 'number', value: 'D23145890', holds: true },
      { part: 'optional', value: '', holds: null },
    ]);
    expect(reading).toMatchObject({
      document: { format: 'TD1', documentCode: 'I', issuingState: 'UTO', checks: { number: true } },
    });
  });

  test('with a number that goes on in the optional data', () => {
    const { check, reading } = typedLine(longNumberCard[0], { documentType: 'identity-card' });
    expect(check.parts[0]).toEqual({ part: 'number', value: 'D23145890734', holds: true });
    expect(reading).toMatchObject({ document: { documentNumber: 'D23145890734', checks: { number: true } } });
  });

  test('of the old French card, when the state is FRA', () => {
    const entry = typedLine(french, { documentType: 'identity-card', issuingState: 'FRA' });
    expect(documentOf(entry)).toMatchObject({
      format: 'FRA-ID',
      documentNumber: '880692310285',
      checks: { number: true, birth: true },
    });
    expect(entry.check.parts.map(({ part }) => part)).not.toContain('composite');
  });

  test('of the old French card under another state is refused: it would have a wrong number', () => {
    const entry = typedLine(french, { documentType: 'identity-card', issuingState: 'UTO' });
    expect(entry).toMatchObject({
      check: { ready: false, problems: [{ field: 'line', problem: 'characters' }] },
    });
    expect(entry.reading).toBeUndefined();
  });

  test('small letters and blanks make no difference', () => {
    const spaced = `${passport[1].slice(0, 10)} ${passport[1].slice(10)} `.toLowerCase();
    expect(typedLine(spaced, { issuingState: ' uto ' })).toEqual(typedLine(passport[1]));
  });

  test('a digit that does not hold keeps nothing from being searched', () => {
    const entry = typedLine(passport[1].replace('C36UTO', 'C35UTO'));
    expect(entry.check).toMatchObject({ ready: true, problems: [] });
    expect(entry.check.parts.map(({ holds }) => holds)).toEqual([false, true, true, true, false]);
    expect(documentOf(entry).warnings).toEqual(
      expect.arrayContaining(['number-check-digit', 'composite-check-digit']),
    );
  });

  test('while it is being typed, each part is checked as soon as it is whole', () => {
    const holds = (typedSoFar: string) =>
      typedLine(typedSoFar.padEnd(44, '_')).check.parts.map((part) => part.holds);
    expect(holds(passport[1].slice(0, 9))).toEqual([null, null, null, null, null]);
    expect(holds(passport[1].slice(0, 10))).toEqual([true, null, null, null, null]);
    expect(holds(passport[1].slice(0, 28))).toEqual([true, true, true, null, null]);
    expect(holds(passport[1].slice(0, 43))).toEqual([true, true, true, true, null]);
    // The same without the marks behind what is typed.
    expect(typedLine(passport[1].slice(0, 28)).check.parts.map((part) => part.holds)).toEqual([
      true,
      true,
      true,
      null,
      null,
    ]);
  });
});

describe('what is wrong with a line', () => {
  test.each([
    ['', { problem: 'missing' }],
    [passport[1].slice(0, 43), { problem: 'length', found: 43, wanted: [30, 36, 44] }],
    [`${passport[1]}0`, { problem: 'length', found: 45, wanted: [30, 36, 44] }],
    [passport[1].replace('7408', '74_8'), { problem: 'not-read' }],
    [passport[1].replace('7408', '74?8'), { problem: 'not-read' }],
    [passport[1].replace('7408', '74#8'), { problem: 'characters' }],
    [passport[0], { problem: 'characters' }],
    // A passport's without eight characters: as long as a card's, with another number.
    [passport[1].slice(0, 3) + passport[1].slice(11), { problem: 'characters' }],
  ] as const)('%s: %j', (line, problem) => {
    const { check, reading } = typedLine(line);
    expect(check).toMatchObject({ ready: false, problems: [{ field: 'line', ...problem }] });
    expect(check.problems).toHaveLength(1);
    expect(reading).toBeUndefined();
  });

  test('several at once, and the state first', () => {
    const { check } = typedLine('L8989#_', { issuingState: '' });
    expect(check.problems.map(({ field, problem }) => `${field} ${problem}`)).toEqual([
      'state missing',
      'line characters',
      'line length',
      'line not-read',
    ]);
  });

  test('a line without a number', () => {
    const { check } = typedLine('<'.repeat(9) + passport[1].slice(9));
    expect(check).toMatchObject({ ready: false, problems: [{ field: 'number', problem: 'missing' }] });
  });

  test.each([
    ['its second line', card[1]],
    ['its line of names', card[2]],
    ['a state with a digit', card[0].replace('UTO', 'UT0')],
    ['a visa, which has no such line', card[0].replace('I<', 'V<')],
  ])('of a card of three lines: %s', (_, line) => {
    const { check } = typedLine(line, { documentType: 'identity-card' });
    expect(check).toMatchObject({ ready: false, problems: [{ field: 'line', problem: 'characters' }] });
  });
});

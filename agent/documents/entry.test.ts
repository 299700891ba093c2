import { describe, expect, test } from 'vitest';
import type { EntryRequest } from '#contracts/entry.ts';
import { documentTypeOf, searchKey } from '#contracts/search-key.ts';
import { digitOf } from '#test/rigs/mrz.ts';
import { type Entry, readEntry } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };
type NumberEntry = Extract<EntryRequest, { kind: 'number' }>;

function typed(fields: Partial<NumberEntry>): Entry {
  const plain = {
    documentType: 'passport',
    issuingState: 'UTO',
    documentNumber: 'L898902C3',
    checkDigit: '6',
  } as const;
  return readEntry({ kind: 'number', ...plain, ...fields }, today);
}

function documentOf({ reading }: Entry) {
  if (reading?.kind !== 'document') throw new Error('it cannot be searched');
  return { ...reading.document, warnings: reading.warnings };
}

describe('state and number', () => {
  test('make a document of the format typed, and the check digit holds', () => {
    const { check, reading } = typed({});
    expect(check).toEqual({
      ready: true,
      problems: [],
      parts: [{ part: 'number', value: 'L898902C3', holds: true }],
      stateListed: true,
    });
    expect(reading).toMatchObject({
      kind: 'document',
      document: {
        format: 'typed',
        documentCode: 'P',
        issuingState: 'UTO',
        documentNumber: 'L898902C3',
        checks: { number: true },
        doubtful: [],
        repairs: [],
        names: { primary: '', secondary: '', truncated: false },
        birth: { raw: '' },
        expiry: { raw: '' },
      },
      warnings: ['specimen'],
    });
  });

  test('small letters and blanks make no difference, and neither do fillers at the end', () => {
    const plain = documentOf(typed({}));
    expect(
      documentOf(typed({ issuingState: ' uto', documentNumber: 'l898 902 c3', checkDigit: ' 6 ' })),
    ).toEqual(plain);
    expect(documentOf(typed({ documentNumber: 'L898902C3<<' }))).toEqual(plain);
    expect(documentOf(typed({ issuingState: 'd<<' })).issuingState).toBe('D');
  });

  test('a hyphen, a dot and a slash are what the machine readable zone has there: a filler, which counts', () => {
    const { documentNumber, checks } = documentOf(typed({ documentNumber: 'AB-123/4.5', checkDigit: '' }));
    expect({ documentNumber, checks }).toEqual({ documentNumber: 'AB<123<4<5', checks: {} });
    expect(searchKey('UTO', documentNumber)).toBe('UTO|AB12345');
  });

  test.each(['', '<'])(
    'with %j for a check digit nothing is said of it, and nothing is in doubt',
    (checkDigit) => {
      const entry = typed({ checkDigit });
      expect(entry.check).toMatchObject({ ready: true, parts: [{ part: 'number', holds: null }] });
      expect(documentOf(entry)).toMatchObject({ checks: {}, doubtful: [], warnings: ['specimen'] });
    },
  );

  test('a digit that does not hold keeps nothing from being searched: a warning, and what may be wrong', () => {
    const entry = typed({ documentNumber: 'L8989O2C3' });
    expect(entry.check).toMatchObject({ ready: true, problems: [], parts: [{ holds: false }] });
    const { checks, warnings, variants, doubtful } = documentOf(entry);
    expect(checks).toEqual({ number: false });
    expect(warnings).toContain('number-check-digit');
    expect(variants).toContain('L898902C3');
    expect(doubtful).toContain(5);
  });

  test('a number of more than nine characters, its digit counted with the filler that is printed or without', () => {
    const number = 'D23145890732';
    const digits = [digitOf(number), digitOf('D23145890<732')];
    expect(new Set(digits).size).toBe(2);
    for (const checkDigit of digits) {
      const { checks, documentNumber } = documentOf(typed({ documentNumber: number, checkDigit }));
      expect({ checks, documentNumber }).toEqual({ checks: { number: true }, documentNumber: number });
    }
  });

  test.each(['passport', 'identity-card', 'visa', 'other'] as const)(
    'the code of a %s stands for it',
    (type) => {
      const { documentCode } = documentOf(typed({ documentType: type }));
      expect(documentTypeOf(documentCode)).toBe(type);
    },
  );

  test('a state that is nowhere listed is said at once and is a warning, no problem', () => {
    const entry = typed({ issuingState: 'QQQ' });
    expect(entry.check).toMatchObject({ ready: true, stateListed: false });
    expect(documentOf(entry).warnings).toContain('state-unlisted');
  });
});

describe('what is wrong with state, number and digit is said in the order of the fields', () => {
  test.each([
    [{ issuingState: '' }, 'state', { problem: 'missing' }],
    [{ issuingState: '<<' }, 'state', { problem: 'missing' }],
    [{ issuingState: 'U_O' }, 'state', { problem: 'not-read' }],
    [{ issuingState: 'UT0' }, 'state', { problem: 'characters' }],
    [{ issuingState: 'UTOP' }, 'state', { problem: 'length', found: 4, wanted: [1, 2, 3] }],
    [{ documentNumber: '' }, 'number', { problem: 'missing' }],
    [{ documentNumber: '<<' }, 'number', { problem: 'missing' }],
    [{ documentNumber: 'L89_902C3' }, 'number', { problem: 'not-read' }],
    [{ documentNumber: 'L89#902C3' }, 'number', { problem: 'characters' }],
    [{ documentNumber: '1'.repeat(28) }, 'number', { problem: 'length', found: 28 }],
    // Letters whose capitals are others, or several: nobody typed those.
    [{ documentNumber: 'ß123' }, 'number', { problem: 'characters' }],
    [{ documentNumber: 'ı123' }, 'number', { problem: 'characters' }],
    [{ documentNumber: 'ſ123' }, 'number', { problem: 'characters' }],
    [{ documentNumber: 'ﬁ123' }, 'number', { problem: 'characters' }],
    [{ issuingState: 'ß' }, 'state', { problem: 'characters' }],
    [{ issuingState: 'ıta' }, 'state', { problem: 'characters' }],
    [{ checkDigit: '_' }, 'digit', { problem: 'not-read' }],
    [{ checkDigit: 'O' }, 'digit', { problem: 'characters' }],
    [{ checkDigit: '66' }, 'digit', { problem: 'length', found: 2, wanted: [1] }],
  ] as const)('%j: %s %j', (fields, field, problem) => {
    const { check, reading } = typed(fields);
    expect(check).toMatchObject({ ready: false, problems: [{ field, ...problem }] });
    expect(check.problems).toHaveLength(1);
    expect(reading).toBeUndefined();
  });

  test('all at once', () => {
    const { check } = typed({ issuingState: '', documentNumber: '', checkDigit: 'X' });
    expect(check.problems.map(({ field }) => field)).toEqual(['state', 'number', 'digit']);
    expect(check.parts).toEqual([{ part: 'number', value: '', holds: null }]);
  });
});

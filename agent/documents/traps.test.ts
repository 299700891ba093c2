import { parse } from 'mrz';
import { describe, expect, test } from 'vitest';
import type { Reading, TravelDocument } from '#contracts/documents.ts';
import { searchKey } from '#contracts/search-key.ts';
import { passport, stolenPassport } from '#test/rigs/documents.ts';
import { digitOf, plainCard as card, writeMrz } from '#test/rigs/mrz.ts';
import { specimens } from '#test/rigs/specimens.ts';
import { readDocument } from './index.ts';

/** Traps of machine readable zones that others have stepped into, each by its name. */

const today = { year: 2026, month: 11, day: 24 };
const [first, second] = stolenPassport;

function read(...lines: readonly string[]): Reading {
  return readDocument(Buffer.from(lines.join('\r'), 'latin1'), today);
}

function documentOf(...lines: readonly string[]): TravelDocument {
  const reading = read(...lines);
  if (reading.kind !== 'document') throw new Error(`unreadable: ${reading.reason}`);
  return reading.document;
}

/** The passport with this number as a reader sends it that takes its characters for others. */
function misread(meant: string, seen: string): TravelDocument {
  const [line1, line2] = passport(meant);
  return documentOf(line1, seen.padEnd(9, '<') + line2.slice(9));
}

describe('a right check digit does not prove that the number is right', () => {
  test.each(['6G', '1L', '1B', '8S', '8I', 'K<', '0U', '0A', '5Z', 'FP', 'MW', 'O4'])(
    '%s: no check digit sees the one taken for the other, so each is searched with the other as a variant',
    (pair) => {
      const [one = '', other = ''] = pair.split('');
      for (const [meant, seen] of [[one, other] as const, [other, one] as const]) {
        const found = misread(`X7${meant}3X2X`, `X7${seen}3X2X`);
        expect(found.checks).toMatchObject({ number: true, composite: true });
        expect(found.documentNumber).toBe(`X7${seen}3X2X`);
        expect(found.variants).toContain(`X7${meant}3X2X`);
        expect(found.doubtful).toEqual([]);
      }
    },
  );

  test.each(['0O', '1I', '5S', '2Z', '8B'])(
    '%s: one alone is caught, and its place is the one in doubt',
    (pair) => {
      const [one = '', other = ''] = pair.split('');
      for (const [meant, seen] of [[one, other] as const, [other, one] as const]) {
        const found = misread(`X7${meant}37Y`, `X7${seen}37Y`);
        expect(found.checks).toMatchObject({ number: false, composite: false });
        expect(found.documentNumber).toBe(`X7${seen}37Y`);
        expect(found.variants).toContain(`X7${meant}37Y`);
        expect(found.doubtful).toContain(2);
      }
    },
  );
});

describe('a genuine letter O in a number', () => {
  test.each(['OO1234567', 'A0O000001', 'O'])('%s is searched as it is, never folded to 0', (number) => {
    const found = documentOf(...passport(number));
    expect(found).toMatchObject({ documentNumber: number, repairs: [], checks: { number: true } });
    expect(searchKey('UTO', found.documentNumber)).toBe(`UTO|${number}`);
    expect(searchKey('UTO', number.replaceAll('O', '0'))).not.toBe(searchKey('UTO', number));
  });

  test('where its check digit does not hold, 0 is offered as a variant and the number stays what was read', () => {
    const found = misread('X7037Y', 'X7O37Y');
    expect(found.documentNumber).toBe('X7O37Y');
    expect(found.variants).toContain('X7037Y');
  });
});

describe('long numbers of cards', () => {
  test.each([
    ['TD1', 'without the filler', false],
    ['TD1', 'with the filler', true],
    ['TD2', 'without the filler', false],
    ['TD2', 'with the filler', true],
  ] as const)('%s: a check digit counted %s holds', (format, _, countsFiller) => {
    // Of this number the two ways give different digits.
    const number = 'D23145890732';
    expect(digitOf(number)).not.toBe(digitOf('D23145890<732'));
    const found = documentOf(...writeMrz({ ...card, format, number, countsFiller }));
    expect(found).toMatchObject({ documentNumber: number, checks: { number: true, composite: true } });
  });

  test('the published one', () => {
    const found = documentOf(...specimens.longNumberCard);
    expect(found).toMatchObject({ documentNumber: 'D23145890734', checks: { number: true } });
  });
});

test('a filler inside a number counts for the check digit and not for the search key', () => {
  const found = documentOf(...passport('AB<123'));
  expect(found).toMatchObject({ documentNumber: 'AB<123', checks: { number: true } });
  expect(digitOf('AB<123')).not.toBe(digitOf('AB123'));
  expect(searchKey('UTO', found.documentNumber)).toBe('UTO|AB123');
});

describe('states that fill all the optional data', () => {
  test.each([
    ['TD1', '123456789012345'],
    ['TD2', '1234567'],
    ['TD3', '12345678901234'],
    ['MRV-A', '1234567890123456'],
    ['MRV-B', '12345678'],
  ] as const)('%s: it does not become part of the number', (format, optional) => {
    const code = format.startsWith('MRV') ? 'V' : format === 'TD3' ? 'P' : 'ID';
    const found = documentOf(...writeMrz({ ...card, format, code, optional }));
    expect(found.documentNumber).toBe('AB1234567');
    expect(found.optional[0]).toBe(optional);
    expect(Object.values(found.checks)).not.toContain(false);
  });
});

describe('state codes', () => {
  test('Germany’s is D<<, the same key as D and DEU', () => {
    const found = documentOf(
      ...writeMrz({ ...card, format: 'TD3', code: 'P', state: 'D', nationality: 'D' }),
    );
    expect(found).toMatchObject({ issuingState: 'D', nationality: 'D' });
    expect(searchKey(found.issuingState, 'X')).toBe(searchKey('DEU', 'X'));
  });

  test.each(
    'D GBD GBN GBO GBP GBS UNO UNA UNK XOM XXA XXB XXC XXX EUE RKS XPO UTO INP XMP XCT IAO KS ROM ZAR YUG SCG SUN TPE'.split(
      ' ',
    ),
  )('%s, beyond ISO 3166, is read and is no unlisted state', (state) => {
    const reading = read(...writeMrz({ ...card, state, nationality: state }));
    expect(reading).toMatchObject({ document: { issuingState: state, nationality: state } });
    expect(reading).toMatchObject({ warnings: state === 'UTO' ? ['specimen'] : [] });
  });

  test('one that nobody lists is read all the same, with a warning', () => {
    expect(read(...writeMrz({ ...card, state: 'QQQ', nationality: 'UZB' }))).toMatchObject({
      document: { issuingState: 'QQQ' },
      warnings: ['state-unlisted'],
    });
  });
});

describe('two-digit years', () => {
  test.each([
    ['birth', '261124', '2026-11-24'],
    ['birth', '261125', '1926-11-25'],
    ['expiry', '261125', '2026-11-25'],
    ['expiry', '750101', '2075-01-01'],
    ['birth', '750101', '1975-01-01'],
    ['expiry', '770101', '1977-01-01'],
  ] as const)(
    '%s %s is %s: the rule for the century is another one for birth than for expiry',
    (field, raw, iso) => {
      const found = documentOf(...writeMrz({ ...card, [field]: raw }));
      expect(found[field]).toEqual({ raw, iso });
    },
  );

  test.each(['<<<<<<', '74<<<<', '7408<<'])(
    'unknown parts of a date (%s) are no error and no known day',
    (raw) => {
      const reading = read(...writeMrz({ ...card, birth: raw, expiry: raw.replace('74', '30') }));
      expect(reading).toMatchObject({
        document: { birth: { raw }, checks: { birth: true, expiry: true } },
        warnings: ['specimen'],
      });
      if (reading.kind === 'document') expect(reading.document.birth.iso).toBeUndefined();
    },
  );
});

describe('the old French card, as long as a TD2 and none', () => {
  const french = ['IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<', '8806923102858CORINNE<<<<<<<6512068F6'] as const;
  const refused = { kind: 'unreadable', reason: 'document-code', spots: [{ line: 1, from: 1, to: 5 }] };

  test('has its own fields', () => {
    expect(documentOf(...french)).toMatchObject({ format: 'FRA-ID', documentNumber: '880692310285' });
  });

  test.each([
    ['the state', 'IDFPA'],
    ['the state, so that it is another one that exists', 'IDUZB'],
    ['the code', 'LDFRA'],
    ['the code, so that it looks like a visa', 'VDFRA'],
    ['the code, so that it looks like a passport', 'PDFRA'],
  ])('%s misread: it is refused, since its number would be a wrong one', (_, begin) => {
    expect(read(french[0].replace('IDFRA', begin), french[1])).toEqual(refused);
    const withOffice = `${begin}BERTHIER<<<<<<<<<<<<<<<<<952042`;
    expect(read(withOffice, french[1])).toEqual(refused);
  });

  test('with a short given name that could be a date’s letters it is told by what has no nationality', () => {
    const short = '8806923102858BO<<<<<<<<<<<<6512068F6';
    expect(documentOf(french[0], short).format).toBe('FRA-ID');
    expect(read(french[0].replace('FRA', 'FPA'), short)).toEqual(refused);
  });

  test('with a digit of its number misread as a letter it is still itself', () => {
    for (const [at, letter] of [
      [10, 'S'],
      [11, 'B'],
      [12, 'B'],
    ] as const) {
      const spoilt = french[1].slice(0, at) + letter + french[1].slice(at + 1);
      expect(documentOf(french[0], spoilt).format).toBe('FRA-ID');
      expect(read(french[0].replace('FRA', 'FPA'), spoilt)).toEqual(refused);
    }
  });

  test('with three characters misread and a given name of two letters it is still not a TD2', () => {
    const spoilt = '5102FI812006VSS<<<<<<<4<<<<33M5245F0';
    expect(documentOf('IDFRAHUTVJPRKJB<<<<<<<<<<<<<<<671104', spoilt)).toMatchObject({
      format: 'FRA-ID',
      documentNumber: '5102FI812006',
    });
  });

  test('a French TD2 with a letter of its nationality misread as a digit is still a TD2', () => {
    const td2 = ['IDFRAERIKSSON<<ANNA<MARIA'.padEnd(36, '<'), 'D231458907FR47408122F1204159<<<<<<<6'];
    expect(documentOf(...td2)).toMatchObject({ format: 'TD2', documentNumber: 'D23145890' });
  });

  test('and TD2s of other states are never taken for it', () => {
    for (const state of ['UTO', 'D', 'FRA', 'XXA']) {
      const found = documentOf(
        ...writeMrz({ ...card, format: 'TD2', state, nationality: state, optional: '12345' }),
      );
      expect(found).toMatchObject({ format: 'TD2', documentNumber: 'AB1234567' });
    }
  });
});

describe('what the package mrz 5.0.2 stumbles over does not matter here', () => {
  test('a CR at the end of a line, at which it throws', () => {
    expect(() => parse([`${first}\r`, `${second}\r`])).toThrow();
    expect(read(`${first}\r`, `${second}\r`)).toEqual(read(first, second));
  });

  test('lower case, which it does not fold', () => {
    expect(parse([first.toLowerCase(), second.toLowerCase()]).valid).toBe(false);
    expect(read(first.toLowerCase(), second.toLowerCase())).toEqual(read(first, second));
  });

  test('visas, which it takes for invalid passports and cards', () => {
    for (const [lines, format] of [
      [specimens.visa, 'MRV-A'],
      [specimens.smallVisa, 'MRV-B'],
    ] as const) {
      expect(parse([...lines]).valid).toBe(false);
      const found = documentOf(...lines);
      expect(found.format).toBe(format);
      expect(Object.values(found.checks)).not.toContain(false);
    }
  });

  test('specimens of the state UTO, all of which it calls invalid', () => {
    expect(parse([...specimens.passport]).valid).toBe(false);
    expect(Object.values(documentOf(...specimens.passport).checks)).not.toContain(false);
  });

  test('a day that no calendar has, which it lets pass', () => {
    const lines = writeMrz({ ...card, state: 'UZB', nationality: 'UZB', birth: '740231' });
    expect(parse(lines).valid).toBe(true);
    expect(read(...lines)).toMatchObject({
      document: { birth: { raw: '740231' } },
      warnings: ['birth-date-impossible'],
    });
  });

  test('years, which it leaves at two digits', () => {
    expect(parse([...specimens.passport]).fields.birthDate).toBe('740812');
    expect(documentOf(...specimens.passport).birth.iso).toBe('1974-08-12');
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { validMrz, writeMrz } from '#test/rigs/mrz.ts';
import { specimens } from '#test/rigs/specimens.ts';
import { type Description, describeDocument, readDocument } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };

function describeLines(lines: readonly string[]): Description {
  return describeDocument(Buffer.from(lines.join('\r'), 'latin1'), today);
}

function read(lines: readonly string[]) {
  const description = describeLines(lines);
  if (description.verdict !== 'read') throw new Error(description.reason);
  return description;
}

describe('a document, field by field', () => {
  test('each field as it was read and what it means', () => {
    const { fields, searchKey, documentType } = read(specimens.passport);
    expect({ searchKey, documentType }).toEqual({ searchKey: 'UTO|L898902C3', documentType: 'passport' });
    expect(fields).toMatchObject({
      documentCode: { raw: 'P<', value: 'P' },
      birth: { raw: '740812', value: '1974-08-12' },
      expiryDigit: { raw: '9', value: '9' },
      optional: { raw: 'ZE184226B<<<<<', value: 'ZE184226B' },
    });
  });

  test.each([
    ['passport', ['optionalDigit', 'compositeDigit'], ['optional2', 'givenNames']],
    ['card', ['optional2', 'compositeDigit'], ['optionalDigit', 'givenNames']],
    ['smallCard', ['optional', 'compositeDigit'], ['optional2', 'optionalDigit']],
    ['visa', ['optional', 'expiryDigit'], ['optionalDigit', 'compositeDigit']],
    ['smallVisa', ['optional', 'expiryDigit'], ['optionalDigit', 'compositeDigit']],
  ] as const)('%s has the fields of its format and no others', (name, there, absent) => {
    const { fields } = read(specimens[name]);
    for (const field of there) expect(fields).toHaveProperty(field);
    for (const field of absent) expect(fields).not.toHaveProperty(field);
  });

  test('an unknown or impossible date has no value, a filler in a digit’s place is no digit', () => {
    const [first, second] = specimens.passport;
    const { fields } = read([first, second.replace('740812', '74<<<<').replace('120415', '120231')]);
    expect(fields['birth']).toEqual({ raw: '74<<<<', value: null });
    expect(fields['expiry']).toEqual({ raw: '120231', value: null });
    const bare = read([first, `${second.slice(0, 28)}${'<'.repeat(15)}0`]);
    expect(bare.fields['optionalDigit']).toEqual({ raw: '<', value: null });
  });

  test('a digit that was put right has its letter as raw and the digit as value', () => {
    const [first, second] = specimens.passport;
    const { fields, repairs, warnings } = read([
      first,
      second.replace('F1204159', 'FI2O4159').replace(/0$/, 'O'),
    ]);
    expect(fields['expiry']).toEqual({ raw: 'FI2O4159'.slice(1, 7), value: '2012-04-15' });
    expect(fields['compositeDigit']).toEqual({ raw: 'O', value: '0' });
    expect(repairs).toHaveLength(3);
    expect(warnings).toContain('repaired');
  });

  test('variants have their own keys, and the places in doubt are there where the digit does not hold', () => {
    const [first, second] = specimens.passport;
    const { variants, doubtful, checks } = read([first, second.replace('L898902C3', 'L8989O2C3')]);
    expect(checks.number).toBe(false);
    expect(variants).toContainEqual({ number: 'L898902C3', searchKey: 'UTO|L898902C3' });
    expect(doubtful).toContain(5);
    expect(read(specimens.passport).doubtful).toEqual([]);
  });

  test('a document without a state that can be searched is read, with no key', () => {
    const [first, second] = specimens.passport;
    expect(read([first.replace('UTO', '<<<'), second]).searchKey).toBeNull();
  });
});

test('what is no document has its reason and its spots', () => {
  expect(describeLines([specimens.passport[0].replace('P', '1'), specimens.passport[1]])).toEqual({
    verdict: 'unreadable',
    reason: 'document-code',
    spots: [{ line: 1, from: 1, to: 2 }],
  });
});

test('it says of any document what reading says of it, and its raw fields are all of the lines', () => {
  const any = fc.constantFrom('TD1', 'TD2', 'TD3', 'MRV-A', 'MRV-B').chain((format) => validMrz({ format }));
  fc.assert(
    fc.property(any, (fields) => {
      const lines = writeMrz(fields);
      const reading = readDocument(Buffer.from(lines.join('\r'), 'latin1'), today);
      if (reading.kind !== 'document') throw new Error(reading.reason);
      const described = read(lines);
      expect(described.checks).toEqual(reading.document.checks);
      expect(described.warnings).toEqual(reading.warnings);
      expect(described.variants.map(({ number }) => number)).toEqual(reading.document.variants);
      expect(described.fields['documentNumber']?.value).toBe(reading.document.documentNumber);
      const length = Object.values(described.fields).reduce((sum, { raw }) => sum + raw.length, 0);
      expect(length).toBe(lines.join('').length);
    }),
    { numRuns: 300 },
  );
});

import { describe, expect, test } from 'vitest';
import type { DocumentWarning } from '#contracts/documents.ts';
import { type MrzFields, plainPassport, writeMrz } from '#test/rigs/mrz.ts';
import { readDocument } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };
const plain: MrzFields = { ...plainPassport, state: 'UZB', nationality: 'UZB', number: 'AB1234567' };

function warningsOf(fields: Partial<MrzFields>, on = today): readonly DocumentWarning[] {
  const lines = writeMrz({ ...plain, ...fields });
  const reading = readDocument(Buffer.from(lines.join('\r'), 'latin1'), on);
  if (reading.kind !== 'document') throw new Error(reading.reason);
  return reading.warnings;
}

test('a document without anything odd has no warning', () => {
  for (const format of ['TD1', 'TD2', 'TD3', 'MRV-A', 'MRV-B'] as const) {
    const code = { TD1: 'I', TD2: 'I', TD3: 'P', 'MRV-A': 'V', 'MRV-B': 'V' }[format];
    expect(warningsOf({ format, code }), format).toEqual([]);
  }
});

describe('an expiry further ahead than such documents are issued for', () => {
  test.each([
    ['TD3', 'P', '411124', '411125'],
    ['MRV-A', 'V', '411124', '411125'],
    ['MRV-B', 'V', '411124', '411125'],
    ['TD1', 'I', '611124', '611125'],
    ['TD2', 'I', '611124', '611125'],
  ] as const)(
    '%s with the code %s: %s is the last that is plausible, %s is not',
    (format, code, last, next) => {
      expect(warningsOf({ format, code, expiry: last })).toEqual([]);
      expect(warningsOf({ format, code, expiry: next })).toEqual(['expiry-implausible']);
    },
  );

  test('is reckoned from today, not from a fixed year', () => {
    expect(warningsOf({ expiry: '450101' }, { year: 2031, month: 1, day: 1 })).toEqual([]);
    expect(warningsOf({ expiry: '450101' })).toEqual(['expiry-implausible']);
  });

  test('an unknown day of expiry says nothing', () => {
    expect(warningsOf({ expiry: '45<<<<' })).toEqual([]);
  });
});

describe('a birth after the expiry', () => {
  test('is said: one of the two dates is misread, or the document is odd', () => {
    expect(warningsOf({ birth: '200101', expiry: '190101' })).toEqual(['expired', 'birth-after-expiry']);
  });

  test('the same day is none, and an unknown date is none', () => {
    expect(warningsOf({ birth: '200101', expiry: '200101' })).toEqual(['expired']);
    expect(warningsOf({ birth: '20<<<<', expiry: '190101' })).toEqual(['expired']);
  });

  test('does not keep the document from being read', () => {
    const lines = writeMrz({ ...plain, birth: '200101', expiry: '190101' });
    expect(readDocument(Buffer.from(lines.join('\r')), today)).toMatchObject({
      document: { documentNumber: 'AB1234567', checks: { birth: true, expiry: true } },
    });
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EditionRecord } from '#contracts/edition.ts';
import {
  compareEntries,
  decodePayload,
  encodePayload,
  isPayload,
  makeEntries,
  payloadBytes,
  reportDays,
  sliceEntries,
} from './entries.ts';
import { entriesOf } from './test-bench.ts';

const documentTypes = ['passport', 'identity-card', 'visa', 'other'] as const;
const kindsOfLoss = ['stolen', 'lost', 'revoked', 'invalid', 'stolen-blank'] as const;
const day = fc
  .integer({ min: Date.parse(reportDays.first) / 86_400_000, max: Date.parse(reportDays.last) / 86_400_000 })
  .map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10));
const record: fc.Arbitrary<EditionRecord> = fc.record({
  documentType: fc.constantFrom(...documentTypes),
  kindOfLoss: fc.constantFrom(...kindsOfLoss),
  reportedOn: day,
  reportedBy: fc.stringMatching(/^[A-Z]{3}$/),
});
const sample: EditionRecord = {
  documentType: 'identity-card',
  kindOfLoss: 'revoked',
  reportedOn: '2026-11-24',
  reportedBy: 'UTO',
};

describe('the payload of a record', () => {
  test('is the record again, and a number of 40 bits', () => {
    fc.assert(
      fc.property(record, (record) => {
        const payload = encodePayload(record);
        expect(payload).toBeLessThan(2 ** (8 * payloadBytes));
        expect(isPayload(payload)).toBe(true);
        expect(decodePayload(payload)).toEqual(record);
      }),
    );
  });

  test('has every document type with every kind of loss', () => {
    const payloads = new Set<number>();
    for (const documentType of documentTypes) {
      for (const kindOfLoss of kindsOfLoss) {
        const record = { ...sample, documentType, kindOfLoss };
        payloads.add(encodePayload(record));
        expect(decodePayload(encodePayload(record))).toEqual(record);
      }
    }
    expect(payloads.size).toBe(20);
  });

  test.each([reportDays.first, '1969-12-31', '1970-01-01', '2000-02-29', reportDays.last])(
    'has the day %s',
    (reportedOn) => {
      expect(decodePayload(encodePayload({ ...sample, reportedOn }))).toEqual({ ...sample, reportedOn });
    },
  );

  test.each(['AAA', 'AAZ', 'AZA', 'ZAA', 'UTO', 'ZZZ'])('has the bureau %s', (reportedBy) => {
    expect(decodePayload(encodePayload({ ...sample, reportedBy }))).toEqual({ ...sample, reportedBy });
  });

  // So that nobody moves a field or a position unnoticed: editions on disk have them.
  test('stands as the format says', () => {
    const [type, kind, bureau, days] = [1n, 2n, BigInt((20 * 26 + 19) * 26 + 14), 46_348n];
    expect(BigInt(encodePayload(sample))).toBe((((type << 3n) | kind) << 35n) | (bureau << 20n) | days);
    expect(
      documentTypes.map((documentType) => Math.floor(encodePayload({ ...sample, documentType }) / 2 ** 38)),
    ).toEqual([0, 1, 2, 3]);
    expect(
      kindsOfLoss.map((kindOfLoss) => Math.floor(encodePayload({ ...sample, kindOfLoss }) / 2 ** 35) % 8),
    ).toEqual([0, 1, 2, 3, 4]);
  });

  test('of a kind of loss or a bureau that is not known is no record, whatever its other bits are', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 40n - 1n }), (bits) => {
        const known = ((bits >> 35n) & 7n) < 5n && ((bits >> 20n) & 0x7fffn) < 17_576n;
        expect(isPayload(Number(bits))).toBe(known);
        expect(decodePayload(Number(bits)) !== undefined).toBe(known);
      }),
    );
    expect(decodePayload(-1)).toBeUndefined();
  });
});

describe('entries', () => {
  test('are in the order of the upper half, the lower half and the payload, all unsigned', () => {
    const entries = entriesOf([
      [0xffff_ffff, 0, 0],
      [0, 0xffff_ffff, 0],
      [0, 0, 2 ** 40 - 1],
      [0, 0, 0],
    ]);
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++)
        expect(Math.sign(compareEntries(entries, i, entries, j))).toBe(Math.sign(i - j));
    }
  });

  test('of a slice stand on the same memory', () => {
    const entries = makeEntries(4);
    sliceEntries(entries, 1, 3).payload[0] = 5;
    expect([...entries.payload]).toEqual([0, 5, 0, 0]);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EntryRequest } from '#contracts/entry.ts';
import { maxNumbers } from '#contracts/lookup.ts';
import { documentTypeOf, searchKey } from '#contracts/search-key.ts';
import { validMrz, writeMrz } from '#test/rigs/mrz.ts';
import { type Entry, readDocument, readEntry } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };
type LineEntry = Extract<EntryRequest, { kind: 'line' }>;

function typedLine(line: string, fields: Partial<LineEntry> = {}): Entry {
  return readEntry({ kind: 'line', documentType: 'passport', issuingState: 'UTO', line, ...fields }, today);
}

function documentOf({ reading }: Entry) {
  if (reading?.kind !== 'document') throw new Error('it cannot be searched');
  return { ...reading.document, warnings: reading.warnings };
}

describe('what is typed is read as what is swiped', () => {
  const formats = [
    { format: 'TD1', longest: 22 },
    { format: 'TD2', longest: 14 },
    { format: 'TD3', longest: 9 },
    { format: 'MRV-A', longest: 9 },
    { format: 'MRV-B', longest: 9 },
  ] as const;

  test.each(formats)('$format: the same number, state, type, dates, variants and checks', (format) => {
    fc.assert(
      fc.property(validMrz(format), fc.boolean(), fc.nat(9), (fields, isWrong, digit) => {
        const at = format.format === 'TD1' ? 0 : 1;
        const lines = writeMrz(fields);
        // Some with a wrong digit of the number.
        const place = format.format === 'TD1' ? 14 : 9;
        const line = lines[at] ?? '';
        if (isWrong && line.charAt(place) !== '<')
          lines[at] = `${line.slice(0, place)}${digit}${line.slice(place + 1)}`;
        const swiped = readDocument(Buffer.from(lines.join('\r'), 'latin1'), today);
        if (swiped.kind !== 'document') throw new Error(swiped.reason);
        const { document } = swiped;
        const documentType = documentTypeOf(document.documentCode);
        const entry = typedLine(lines[at] ?? '', { documentType, issuingState: document.issuingState });
        const read = documentOf(entry);
        expect(documentTypeOf(read.documentCode)).toBe(documentType);
        const { format: same, issuingState, documentNumber, doubtful, repairs } = document;
        expect(read).toMatchObject({ format: same, issuingState, documentNumber, doubtful, repairs });
        if (format.format === 'TD1') {
          // The composite digit stands in another line: it cannot rule out a variant here.
          expect(read.checks).toEqual({ number: document.checks.number });
          const isCut = read.variants.length === maxNumbers - 1;
          if (!isCut) expect(read.variants).toEqual(expect.arrayContaining([...document.variants]));
          return;
        }
        const { variants, checks, birth, expiry, nationality, sex, optional } = document;
        expect(read).toMatchObject({ variants, checks, birth, expiry, nationality, sex, optional });
        expect(read.warnings).toEqual(swiped.warnings);
        for (const { part, holds } of entry.check.parts) expect(holds ?? undefined, part).toBe(checks[part]);
      }),
      { numRuns: 300 },
    );
  });

  test('whatever is typed, it never throws, and is either ready with a reading or has a problem', () => {
    const text = (max: number) =>
      fc.string({ unit: fc.constantFrom(...'AIPVDFR019<_? #-x'.split('')), maxLength: max });
    const documentType = fc.constantFrom('passport', 'identity-card', 'visa', 'other' as const);
    const entries = fc.oneof(
      fc.record({
        kind: fc.constant('number' as const),
        documentType,
        issuingState: text(8),
        documentNumber: text(40),
        checkDigit: text(2),
      }),
      fc.record({ kind: fc.constant('line' as const), documentType, issuingState: text(8), line: text(64) }),
    );
    fc.assert(
      fc.property(entries, (entry) => {
        const { check, reading } = readEntry(entry, today);
        expect(check.ready).toBe(reading !== undefined);
        if (!check.ready) return;
        expect(check.problems).toEqual([]);
        if (reading?.kind !== 'document') throw new Error('no document');
        expect(searchKey(reading.document.issuingState, reading.document.documentNumber)).toBeDefined();
      }),
      { numRuns: 1000 },
    );
  });
});

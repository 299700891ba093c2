import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EditionRecord } from '#contracts/edition.ts';
import { type SearchKey, searchKey } from '#contracts/search-key.ts';
import { entryBytes } from './edition-entries.ts';
import { type Edition, encodeEdition, openEdition, readEdition, trustedSigner } from './edition.ts';
import { fingerprint } from './keyed.ts';

const secret = { id: '1', key: createSecretKey(Buffer.alloc(32, 1)) };
const signer = { id: 'editions-1', key: generateKeyPairSync('ed25519').privateKey };
const trusted = [trustedSigner(signer)];
const keys = { trusted, fingerprint: secret };
const state = { collection: 'sltd', version: 7, date: '2026-11-24T08:00:00.000Z' } as const;

const keyOf = (number: string): SearchKey => {
  const key = searchKey('UTO', number);
  if (key === undefined) throw new TypeError(number);
  return key;
};
const stolen: EditionRecord = {
  documentType: 'passport',
  kindOfLoss: 'stolen',
  reportedOn: '2026-03-02',
  reportedBy: 'UTO',
};
type Given = { key: SearchKey; record: EditionRecord };
const encode = (records: Iterable<Given>): Buffer =>
  encodeEdition({ state, records }, { fingerprint: secret, signer });
const opened = (bytes: Buffer): Edition => {
  const edition = openEdition(bytes, keys);
  if (!edition.ok) throw new Error(edition.fault.detail);
  return edition.value;
};
const codeOf = (bytes: Buffer, with_ = keys): string => {
  const edition = openEdition(bytes, with_);
  return edition.ok ? 'opened' : edition.fault.code;
};
const three = ['A1', 'B2', 'C3'].map((number) => ({ key: keyOf(number), record: stolen }));

const day = fc
  .integer({ min: 0, max: 2_958_463 })
  .map((days) => new Date(Date.parse('1900-01-01') + days * 86_400_000).toISOString().slice(0, 10));
const record: fc.Arbitrary<EditionRecord> = fc.record({
  documentType: fc.constantFrom('passport', 'identity-card', 'visa', 'other'),
  kindOfLoss: fc.constantFrom('stolen', 'lost', 'revoked', 'invalid', 'stolen-blank'),
  reportedOn: day,
  reportedBy: fc.stringMatching(/^[A-Z]{3}$/),
});
// Few different numbers, so that keys repeat.
const number = fc.stringMatching(/^[A-C0-2]{1,3}$/);
const sorted = (records: readonly EditionRecord[]): string[] =>
  records.map((one) => JSON.stringify(one)).sort();

describe('search', () => {
  test('finds exactly what a plain map of the same records holds, every record of a repeated key included', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ number, record })), fc.array(number), (given, others) => {
        const map = new Map<SearchKey, EditionRecord[]>();
        for (const { number, record } of given) {
          const key = keyOf(number);
          map.set(key, [...(map.get(key) ?? []), record]);
        }
        const edition = opened(encode(given.map(({ number, record }) => ({ key: keyOf(number), record }))));
        expect(edition.describe().count).toBe(given.length);
        for (const asked of [...given.map(({ number }) => number), ...others]) {
          expect(sorted(edition.search(keyOf(asked)))).toEqual(sorted(map.get(keyOf(asked)) ?? []));
        }
      }),
    );
  });

  test('finds the first and the last entry, and nothing in an edition without records', () => {
    const many = Array.from({ length: 1000 }, (_, at) => ({ key: keyOf(`N${at}`), record: stolen }));
    const edition = opened(encode(many));
    expect(many.filter(({ key }) => edition.search(key).length !== 1)).toEqual([]);
    expect(opened(encode([])).search(keyOf('N1'))).toEqual([]);
  });

  test('throws on a closed edition instead of finding nothing', () => {
    const edition = opened(encode(three));
    edition.close();
    expect(() => edition.search(keyOf('A1'))).toThrow(TypeError);
  });
});

describe('what an edition says of itself', () => {
  test('is version, date, count, keys and size', () => {
    const bytes = encode(three);
    expect(opened(bytes).describe()).toEqual({
      ...state,
      count: 3,
      fingerprintKey: '1',
      signedBy: 'editions-1',
      bytes: bytes.length,
    });
  });

  test('the file holds no document number', () => {
    const numbers = ['L898902C3', 'SPECLOOKG'];
    const bytes = encode(numbers.map((number) => ({ key: keyOf(number), record: stolen })));
    expect(numbers.filter((number) => bytes.includes(number))).toEqual([]);
  });
});

describe('a bad file is refused whole', () => {
  test('cut off at any length', () => {
    const bytes = encode(three);
    const codes = Array.from({ length: bytes.length }, (_, length) => codeOf(bytes.subarray(0, length)));
    expect(new Set(codes)).toEqual(new Set(['EDITION_DAMAGED']));
  });

  test('with something added at its end', () => {
    const bytes = encode(three);
    expect(codeOf(Buffer.concat([bytes, bytes.subarray(-entryBytes)]))).toBe('EDITION_DAMAGED');
  });

  test('any single altered byte is refused, or changes nothing of what it says', () => {
    const bytes = encode(three);
    const whole = opened(bytes);
    const refused = new Map<string, number>();
    const unseen: Edition[] = [];
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [0x01, 0x20, 0x80]) {
        const altered = Buffer.from(bytes);
        altered[at] = (altered[at] ?? 0) ^ bit;
        const edition = openEdition(altered, keys);
        if (edition.ok) unseen.push(edition.value);
        else refused.set(edition.fault.code, (refused.get(edition.fault.code) ?? 0) + 1);
      }
    }
    const says = (edition: Edition) => [edition.describe(), three.map(({ key }) => edition.search(key))];
    for (const edition of unseen) expect(says(edition)).toEqual(says(whole));
    expect([...refused.keys()].sort()).toEqual(['EDITION_DAMAGED', 'EDITION_NEWER', 'SIGNATURE_REFUSED']);
    // Only bits that base64 does not use may be altered unseen.
    expect(unseen.length).toBeLessThan(12);
  });

  test('whatever the bytes are, it is refused and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, begun) => {
        const bytes = begun ? Buffer.concat([encode(three).subarray(0, 12), noise]) : Buffer.from(noise);
        expect(codeOf(bytes)).not.toBe('opened');
      }),
    );
  });

  test('signed by a key that is not trusted, or trusted for something else only', () => {
    const bytes = encode(three);
    const other = generateKeyPairSync('ed25519').publicKey;
    expect(codeOf(bytes, { ...keys, trusted: [] })).toBe('SIGNATURE_REFUSED');
    expect(codeOf(bytes, { ...keys, trusted: [{ id: 'editions-1', role: 'editions', key: other }] })).toBe(
      'SIGNATURE_REFUSED',
    );
    const configuration = trusted.map((key) => ({ ...key, role: 'configuration' as const }));
    expect(codeOf(bytes, { ...keys, trusted: configuration })).toBe('SIGNATURE_REFUSED');
  });

  test('made with another fingerprint key, also one of the same id, which would find nothing and say so', () => {
    const bytes = encode(three);
    const sameId = { id: '1', key: createSecretKey(Buffer.alloc(32, 2)) };
    expect(fingerprint(sameId, keyOf('A1'))).not.toEqual(fingerprint(secret, keyOf('A1')));
    expect(codeOf(bytes, { ...keys, fingerprint: sameId })).toBe('EDITION_FOREIGN');
    expect(readEdition(bytes, trusted).ok).toBe(true);
  });

  test('of a newer format, with words of its own', () => {
    const bytes = encode(three);
    bytes.writeUInt8(2, 7);
    expect(codeOf(bytes)).toBe('EDITION_NEWER');
  });
});

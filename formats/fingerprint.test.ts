import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SearchKey } from '#contracts/search-key.ts';
import { Fingerprinter } from './fingerprint.ts';

const secretOf = (bytes: Uint8Array) => ({ id: '1', key: createSecretKey(bytes) });

function ours(secret: Uint8Array, keys: readonly string[]): string[] {
  const print = new Fingerprinter(secretOf(secret));
  return keys.map((key) => {
    print.of(key as SearchKey);
    expect([print.bytes().readUInt32BE(0), print.bytes().readUInt32BE(4)]).toEqual([print.hi, print.lo]);
    return print.bytes().toString('hex');
  });
}

describe('a fingerprint', () => {
  test('is the first 64 bits of Node’s HMAC-SHA-256, for any secret and every key that there can be', () => {
    const character = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789|'.split(''));
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.array(fc.string({ unit: character, maxLength: 31 }), { minLength: 1, maxLength: 20 }),
        (secret, keys) => {
          const right = keys.map((key) =>
            createHmac('sha256', secret).update(key).digest('hex').slice(0, 16),
          );
          expect(ours(secret, keys)).toEqual(right);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('is that of RFC 4231, test case 2', () => {
    // Key "Jefe", data "what do ya want for nothing?": 28 characters, 5bdcc146bf60754e…
    expect(ours(Buffer.from('Jefe'), ['what do ya want for nothing?'])).toEqual(['5bdcc146bf60754e']);
  });

  test('of the longest key is whole, and what is longer is no search key', () => {
    const print = new Fingerprinter(secretOf(Buffer.alloc(32, 5)));
    print.of(`UTO|${'A'.repeat(27)}` as SearchKey);
    expect(() => print.of(`UTO|${'A'.repeat(28)}` as SearchKey)).toThrow(TypeError);
  });
});

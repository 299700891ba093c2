import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeHeader, encodeHeader, type FileKind, type Header, headerBytes } from './header.ts';
import { codeOf, headerOf } from './test-bench.ts';

const kinds: FileKind[] = ['fingerprints', 'payload', 'delta'];
const number32 = fc.integer({ min: 0, max: 0xffff_ffff });
const header: fc.Arbitrary<Header> = fc.record({
  collection: fc.constant('sltd' as const),
  edition: fc.integer({ min: 1, max: 0xffff_ffff }),
  date: fc.integer({ min: 0, max: 8.64e15 }),
  count: number32,
  fingerprintKey: fc.stringMatching(/^[ -~]{1,62}$/),
  fingerprintCheck: fc.stringMatching(/^[0-9a-f]{16}$/),
  from: number32,
  additions: number32,
  removals: number32,
  parameters: fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 })),
});
const plain: Header = { ...headerOf(1000), from: 6, additions: 2, removals: 1, parameters: [4, 9] };
const sealed = (bytes: Buffer): Buffer => {
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 124)), 124);
  return bytes;
};

describe('the header of a file', () => {
  test('is every field again', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), header, (kind, header) => {
        const bytes = encodeHeader(kind, header);
        expect(bytes).toHaveLength(headerBytes);
        expect(decodeHeader(kind, Buffer.concat([bytes, Buffer.from('what follows')]))).toEqual({
          ok: true,
          value: header,
        });
      }),
    );
  });

  test('stands as the format says', () => {
    const expected = Buffer.concat([
      Buffer.from('CPDELTA\u0001', 'latin1'),
      Buffer.from('00000007000000060000019a', 'hex'),
    ]);
    const bytes = encodeHeader('delta', { ...plain, date: 0x19a_0000_0001 });
    expect(bytes.subarray(0, 20)).toEqual(expected);
    expect(bytes.toString('hex', 20, 46)).toBe(
      `00000001000003e800000002000000010409${plain.fingerprintCheck}`,
    );
    expect(bytes.toString('latin1', 46, 124)).toBe('sltd'.padEnd(16, '\0') + 'UTO-1'.padEnd(62, '\0'));
  });

  test('is refused as damaged when any of its bytes is another, as newer when its version is', () => {
    for (const kind of kinds) {
      const bytes = encodeHeader(kind, plain);
      for (let at = 0; at < headerBytes; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const broken = Buffer.from(bytes);
          broken[at] = (broken[at] as number) ^ (1 << bit);
          expect(codeOf(decodeHeader(kind, broken)), `byte ${at}, bit ${bit}`).toBe(
            at === 7 && bit > 0 ? 'EDITION_NEWER' : 'EDITION_DAMAGED',
          );
        }
      }
    }
  });

  test('of a newer format is told from a damaged one without a look at what only the newer one knows', () => {
    const bytes = Buffer.alloc(headerBytes, 0xa5);
    bytes.write('CPDELTA\u0002', 'latin1');
    expect(codeOf(decodeHeader('delta', bytes))).toBe('EDITION_NEWER');
    bytes[7] = 0;
    expect(codeOf(decodeHeader('delta', bytes))).toBe('EDITION_DAMAGED');
  });

  test('is refused when it is cut off at any length', () => {
    const bytes = encodeHeader('payload', plain);
    for (let length = 0; length < headerBytes; length++) {
      expect(codeOf(decodeHeader('payload', bytes.subarray(0, length)))).toBe('EDITION_DAMAGED');
    }
  });

  test.each(kinds)('of a file of %s is none of another kind', (kind) => {
    for (const other of kinds) {
      expect(decodeHeader(other, encodeHeader(kind, plain)).ok).toBe(other === kind);
    }
  });

  test.each<[string, (bytes: Buffer) => void]>([
    ['a collection that is not known', (bytes) => bytes.write('sltx', 46)],
    ['an edition without a number', (bytes) => bytes.writeUInt32BE(0, 8)],
    ['a date that no calendar has', (bytes) => bytes.writeBigUInt64BE(8_640_000_000_000_001n, 16)],
  ])('of %s is refused, whole as it is', (_, change) => {
    const bytes = encodeHeader('delta', plain);
    change(bytes);
    expect(codeOf(decodeHeader('delta', sealed(bytes)))).toBe('EDITION_DAMAGED');
  });

  test.each(['', 'x'.repeat(63), 'Łódź'])(
    'cannot be of a key with the id "%s", which has no room',
    (fingerprintKey) => {
      expect(() => encodeHeader('payload', { ...plain, fingerprintKey })).toThrow(TypeError);
    },
  );
});

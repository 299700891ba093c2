import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from 'node:zlib';
import { seeded } from '#test/rigs/random.ts';
import { FilterBuilder } from './filter-builder.ts';
import { decodeFilter, encodeFilter } from './filter-file.ts';
import type { Filter } from './filter.ts';

const base = Buffer.from([...Array(32).keys()]);
const build = (count: number, keysPerShard: number, seed = 1): Filter => {
  const random = seeded(seed);
  const word = (): number => Math.floor(random() * 2 ** 32);
  const keys = Array.from({ length: count }, () => ({ hi: word(), lo: word() }));
  const builder = new FilterBuilder(count, keysPerShard);
  for (const { hi, lo } of keys.sort((a, b) => a.hi - b.hi || a.lo - b.lo)) builder.add(hi, lo);
  return builder.finish();
};
const fileOf = (filter: Filter): Buffer => Buffer.concat(encodeFilter(filter, base));
const codeOf = (file: Buffer, records: number, from = base): string => {
  const decoded = decodeFilter(file, from, records);
  return decoded.ok ? 'decoded' : decoded.fault.code;
};

/** Four shards, some 500 bytes in all. */
const records = 60;
const file = fileOf(build(records, 15));
const headBytes = 48 + 4 * 20;
/** The file with a number of its header changed and the checksum of the header made to fit again. */
const forged = (offset: number, value: number): Buffer => {
  const copy = Buffer.from(file);
  copy.writeUInt32BE(value, offset);
  copy.writeUInt32BE(crc32(copy.subarray(0, headBytes)), headBytes);
  return copy;
};

describe('a filter read from its file', () => {
  test('is the one that was written, for any number of keys and shards', () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.integer({ min: 1, max: 100 }), (count, keysPerShard) => {
        const filter = build(count, keysPerShard, count);
        const decoded = decodeFilter(fileOf(filter), base, count);
        if (!decoded.ok) throw new Error(decoded.fault.detail);
        expect(decoded.value.shards).toEqual(filter.shards);
        expect(decoded.value.table).toEqual(filter.table);
        expect(decoded.value.records).toBe(count);
        const random = seeded(count);
        for (let i = 0; i < 500; i++) {
          const [hi, lo] = [Math.floor(random() * 2 ** 32), Math.floor(random() * 2 ** 32)];
          expect(decoded.value.mayHold(hi, lo)).toBe(filter.mayHold(hi, lo));
        }
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  test('lives in the bytes of the file, and is written from its own memory', () => {
    const decoded = decodeFilter(file, base, records);
    if (!decoded.ok) throw new Error(decoded.fault.detail);
    expect(decoded.value.table.buffer).toBe(file.buffer);
    expect(encodeFilter(decoded.value, base)[1]).toBe(decoded.value.table);
  });

  test('is found in the middle of a larger buffer', () => {
    const larger = Buffer.concat([Buffer.alloc(13, 1), file, Buffer.alloc(7, 2)]);
    expect(codeOf(larger.subarray(13, 13 + file.length), records)).toBe('decoded');
  });
});

describe('a file that is not whole is refused', () => {
  test('whichever of its bits is flipped', () => {
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const copy = Buffer.from(file);
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(codeOf(copy, records), `bit ${bit}`).toMatch(/^EDITION_(DAMAGED|NEWER)$/);
    }
  });

  test('whichever of its bytes is another one', () => {
    for (let at = 0; at < file.length; at++) {
      const copy = Buffer.from(file);
      copy.writeUInt8(0xff - copy.readUInt8(at), at);
      expect(codeOf(copy, records), `byte ${at}`).not.toBe('decoded');
    }
  });

  test('wherever it is cut off, and if anything follows it', () => {
    for (let length = 0; length < file.length; length++) {
      expect(codeOf(file.subarray(0, length), records), `${length} bytes`).toBe('EDITION_DAMAGED');
    }
    expect(codeOf(Buffer.concat([file, Buffer.alloc(1)]), records)).toBe('EDITION_DAMAGED');
  });

  test('if it was built from another base, or from one of another length', () => {
    expect(codeOf(file, records)).toBe('decoded');
    expect(codeOf(file, records, Buffer.alloc(32))).toBe('EDITION_DAMAGED');
    expect(codeOf(file, records, base.subarray(0, 31))).toBe('EDITION_DAMAGED');
    expect(codeOf(file, records - 1)).toBe('EDITION_DAMAGED');
    expect(codeOf(file, records + 1)).toBe('EDITION_DAMAGED');
  });

  test('as newer if a later release wrote it', () => {
    const copy = Buffer.from(file);
    copy.writeUInt8(2, 7);
    expect(codeOf(copy, records)).toBe('EDITION_NEWER');
    copy.writeUInt8(0, 7);
    expect(codeOf(copy, records)).toBe('EDITION_DAMAGED');
  });

  test.each([
    ['no shard', 44, 0],
    ['three shards', 44, 3],
    ['more shards than there may be', 44, 2 ** 17],
    ['fewer shards than bytes', 44, 2],
    ['more keys than bytes', 48, 5000],
    ['a shard with bytes for no key', 48, 0],
    ['more keys than records', 48, 40],
    ['segments of 0 bytes', 56, 0],
    ['segments of 2 bytes', 56, 2],
    ['segments whose length is no power of two', 56, 12],
    ['segments that are too long', 56, 2 ** 17],
    ['no segment for its keys', 60, 0],
    ['one segment more', 60, 17],
    ['more segments than a shard may have', 60, 2 ** 31],
    ['another checksum of its shard', 64, 1],
  ])('if it says %s, even with a checksum that fits', (_, offset, value) => {
    expect(codeOf(forged(offset, value), records)).toBe('EDITION_DAMAGED');
  });

  test('if it has no key for records that there are', () => {
    const copy = fileOf(build(0, 1));
    expect(codeOf(copy, 0)).toBe('decoded');
    copy.writeUInt32BE(1, 40);
    copy.writeUInt32BE(crc32(copy.subarray(0, 68)), 68);
    expect(codeOf(copy, 1)).toBe('EDITION_DAMAGED');
  });
});

test('a filter is not written without the whole hash of its base', () => {
  expect(() => encodeFilter(build(3, 3), base.subarray(1))).toThrow(TypeError);
});

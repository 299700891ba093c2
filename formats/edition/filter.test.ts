import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seeded } from '#test/rigs/random.ts';
import { FilterBuilder } from './filter-builder.ts';
import { encodeFilter } from './filter-file.ts';
import { type Filter, type Shard, shardBytes } from './filter.ts';

type Key = readonly [hi: number, lo: number];

const word = (random: () => number): number => Math.floor(random() * 2 ** 32);
const ascending = (keys: readonly Key[]): Key[] => [...keys].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
const randomKeys = (count: number, seed: number): Key[] => {
  const random = seeded(seed);
  return ascending(Array.from({ length: count }, (): Key => [word(random), word(random)]));
};
const build = (sorted: readonly Key[], keysPerShard?: number): Filter => {
  const builder = new FilterBuilder(sorted.length, keysPerShard);
  for (const [hi, lo] of sorted) builder.add(hi, lo);
  return builder.finish();
};
const bytesOf = (filter: Filter): Buffer => Buffer.concat(encodeFilter(filter, Buffer.alloc(32, 7)));
const missing = (filter: Filter, keys: readonly Key[]): Key[] =>
  keys.filter(([hi, lo]) => !filter.mayHold(hi, lo));

/** Product mod 2^32 without Math.imul: the upper half of one factor apart, so that all stays below 2^53. */
const times = (x: number, y: number): number =>
  (x * (y % 65_536) + ((x * Math.floor(y / 65_536)) % 65_536) * 65_536) % 2 ** 32;
const xor = (x: number, y: number): number => (x ^ y) >>> 0;
const finaliser = (x: number): number => {
  const once = times(xor(x, Math.floor(x / 2 ** 16)), 0x85ebca6b);
  const twice = times(xor(once, Math.floor(once / 2 ** 13)), 0xc2b2ae35);
  return xor(twice, Math.floor(twice / 2 ** 16));
};

/** Where the definition puts a key in the array of its shard, and what the bytes there must XOR to. */
function placeOf([hi, lo]: Key, { seed, segmentLength, segments }: Shard): { at: number[]; byte: number } {
  const x = xor(lo, finaliser(xor(hi, seed)));
  const a = xor(hi, finaliser(x));
  const b = times(xor(x, Math.floor(x / 2 ** 15)), 0x9e3779b9);
  const first = Number((BigInt(a) * BigInt(segments * segmentLength)) >> 32n);
  const segment = Math.floor(first / segmentLength);
  // XOR with a number below S moves a position inside its segment only.
  const within = (offset: number, by: number): number =>
    (segment + by) * segmentLength + xor(first % segmentLength, offset % segmentLength);
  return { at: [first, within(b, 1), within(Math.floor(b / 2 ** 16), 2)], byte: a % 256 };
}

/** The keys for which the definition does not hold. */
function violations(filter: Filter, keys: readonly Key[]): Key[] {
  const starts: number[] = [];
  let end = 0;
  for (const shard of filter.shards) {
    starts.push(end);
    end += shardBytes(shard);
  }
  expect(end).toBe(filter.table.length);
  return keys.filter((key) => {
    const index = Math.floor((key[0] / 2 ** 32) * filter.shards.length);
    const { at, byte } = placeOf(key, filter.shards[index] as Shard);
    const array = filter.table.subarray(starts[index], starts[index + 1]);
    return at.reduce((sum, position) => sum ^ (array[position] ?? Number.NaN), 0) !== byte;
  });
}

/** Standard deviations by which the share of strangers that are admitted is off 1 in 256. */
function deviation(filter: Filter, seed: number, strangers = 200_000): number {
  const random = seeded(seed);
  let admitted = 0;
  for (let i = 0; i < strangers; i++) if (filter.mayHold(word(random), word(random))) admitted++;
  const share = 1 / 256;
  return (admitted - strangers * share) / Math.sqrt(strangers * share * (1 - share));
}

describe('a filter of random keys', () => {
  test.each([1, 2, 3, 10, 100, 1000, 10_000, 100_000, 1_000_000])(
    'of %i holds every one of them, as the definition says, and one stranger in 256',
    (count) => {
      const keys = randomKeys(count, count);
      const filter = build(keys);
      expect(missing(filter, keys)).toEqual([]);
      expect(violations(filter, keys)).toEqual([]);
      expect(Math.abs(deviation(filter, 1))).toBeLessThan(5);
    },
  );

  test('is there for every small number of keys', () => {
    for (let count = 0; count <= 400; count++) {
      const keys = randomKeys(count, 1000 + count);
      const filter = build(keys);
      expect(missing(filter, keys)).toEqual([]);
      expect(violations(filter, keys)).toEqual([]);
    }
  });

  test('of a million takes no more than 9.2 bits a key, its file included', () => {
    const filter = build(randomKeys(1_000_000, 5));
    expect(filter.bitsPerKey).toBeLessThan(9.2);
    expect((8 * bytesOf(filter).length) / 1_000_000).toBeLessThan(9.2);
  });

  test('of none holds nothing and takes no memory', () => {
    const filter = build([]);
    expect([filter.mayHold(0, 0), filter.mayHold(0xffff_ffff, 0xffff_ffff)]).toEqual([false, false]);
    expect([filter.bytes, filter.bitsPerKey, filter.records]).toEqual([0, 0, 0]);
  });
});

describe('shards', () => {
  test.each([
    ['two', 1000, 999, 2],
    ['sixteen', 20_000, 1300, 16],
    ['more than there are keys', 100, 0.25, 512],
  ])('%s of them hold every key as one would', (_, count, keysPerShard, shards) => {
    const keys = randomKeys(count, 77);
    const filter = build(keys, keysPerShard);
    expect(filter.shards).toHaveLength(shards);
    expect(missing(filter, keys)).toEqual([]);
    expect(violations(filter, keys)).toEqual([]);
    expect(filter.shards.reduce((sum, shard) => sum + shard.keys, 0)).toBe(count);
  });

  test('without keys admit nothing, wherever they lie', () => {
    const keys = ascending([...Array(50).keys()].map((i): Key => [0x4000_0000 + i, i]));
    const filter = build(keys, 13);
    expect(filter.shards.map((shard) => shard.keys)).toEqual([0, 50, 0, 0]);
    expect(missing(filter, keys)).toEqual([]);
    const random = seeded(3);
    for (let i = 0; i < 5000; i++) {
      expect(filter.mayHold(0x8000_0000 + Math.floor(random() * 2 ** 31), word(random))).toBe(false);
    }
  });

  test('hold every key of any set, however unevenly it falls on them and whatever repeats', () => {
    const half = fc.oneof(
      fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
      fc.nat({ max: 60 }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(half, half), { maxLength: 200 }),
        fc.integer({ min: 1, max: 60 }),
        (given, keysPerShard) => {
          const keys = ascending(given);
          const filter = build(keys, keysPerShard);
          expect(missing(filter, keys)).toEqual([]);
          expect(violations(filter, keys)).toEqual([]);
          expect(filter.records).toBe(keys.length);
          expect(filter.shards.reduce((sum, shard) => sum + shard.keys, 0)).toBe(
            new Set(keys.map(String)).size,
          );
        },
      ),
      { numRuns: 300, seed: 4 },
    );
  });
});

describe('keys that are not random', () => {
  const count = 30_000;
  test.each<[string, (i: number) => Key]>([
    ['share all bits but the last', (i) => [0x1234_5678, i]],
    ['share their second half', (i) => [i, 0x9abc_def0]],
    ['have equal halves', (i) => [i * 65_537, i * 65_537]],
    [
      'differ in the upper bits of each half only',
      (i) => [(i % 256) * 2 ** 24, Math.floor(i / 256) * 2 ** 24],
    ],
    ['share their first 16 bits', (i) => [0xabcd_0000 + (i % 65_536), (i * 2_654_435_761) % 2 ** 32]],
  ])('that %s are held, and strangers are admitted no more often', (_, key) => {
    const keys = ascending([...Array(count).keys()].map(key));
    for (const keysPerShard of [count, 2000]) {
      const filter = build(keys, keysPerShard);
      expect(missing(filter, keys)).toEqual([]);
      expect(violations(filter, keys)).toEqual([]);
      // Most shards may be empty, and then there are fewer.
      expect(deviation(filter, 9)).toBeLessThan(5);
    }
  });
});

describe('building', () => {
  test('drops repeated keys, so that the filter is that of the different ones', () => {
    const keys = randomKeys(5000, 8);
    const repeated = keys.flatMap((key, i) => Array.from({ length: 1 + (i % 4) }, () => key));
    const filter = build(repeated, repeated.length);
    expect(filter.records).toBe(repeated.length);
    expect(filter.shards).toEqual(build(keys).shards);
    expect(filter.table).toEqual(build(keys).table);
  });

  test('gives the same bytes for the same keys, today and on any machine', () => {
    const keys = randomKeys(10_000, 6);
    const bytes = bytesOf(build(keys, 3000));
    expect(bytesOf(build(keys, 3000))).toEqual(bytes);
    const hash = createHash('sha256').update(bytes).digest('hex');
    expect(hash).toBe('d366ef6cb95daa5c0b64a790b9f4538ecb83cf1b85094ea328413d07409b1839');
  });

  test('refuses keys that are out of order or no unsigned integers', () => {
    const after = (hi: number, lo: number): (() => void) => {
      const builder = new FilterBuilder(2);
      builder.add(5, 5);
      return () => builder.add(hi, lo);
    };
    expect(after(5, 4)).toThrow(TypeError);
    expect(after(4, 9)).toThrow(TypeError);
    expect(after(6, -1)).toThrow(TypeError);
    expect(after(6, 2 ** 32)).toThrow(TypeError);
    expect(after(6.5, 0)).toThrow(TypeError);
    expect(after(5, 5)).not.toThrow();
    expect(after(6, 0)).not.toThrow();
  });

  test('refuses to end with fewer or more keys than were announced', () => {
    const fewer = new FilterBuilder(2);
    fewer.add(1, 1);
    expect(() => fewer.finish()).toThrow(TypeError);
    fewer.add(1, 2);
    fewer.add(1, 3);
    expect(() => fewer.finish()).toThrow(TypeError);
  });

  test('refuses a number of keys that no filter has', () => {
    for (const records of [-1, 0.5, Number.NaN, 2 ** 31])
      expect(() => new FilterBuilder(records)).toThrow(TypeError);
  });

  test('refuses more keys in one shard than it can place exactly', () => {
    const builder = new FilterBuilder(1_900_000);
    for (let i = 0; i < 1_900_000; i++) builder.add(7, i);
    expect(() => builder.finish()).toThrow(/in one shard/);
  });
});

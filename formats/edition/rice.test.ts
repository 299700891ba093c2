import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seeded } from '#test/rigs/random.ts';
import { type Entries, makeEntries } from './entries.ts';
import { decodeRice, encodeRice, riceParameter } from './rice.ts';
import {
  entriesOf,
  equalRows,
  extremeRows,
  highest,
  isInOrder,
  prefixedRows,
  randomRows,
  repeatedRows,
  type Row,
} from './test-bench.ts';

/** What comes back of it, and how many bytes it took. */
function roundTrip(
  entries: Entries,
  upper = riceParameter(entries),
): { back: Entries; bytes: Buffer; took: number | undefined } {
  const bytes = encodeRice(entries, upper);
  const back = makeEntries(entries.hi.length);
  const took = decodeRice(Buffer.concat([bytes, Buffer.from('more')]), upper, back);
  return { back, bytes, took };
}

function showsSame(entries: Entries, upper?: number): void {
  const { back, bytes, took } = roundTrip(entries, upper);
  expect(took).toBe(bytes.length);
  expect(back.hi).toEqual(entries.hi);
  expect(back.lo).toEqual(entries.lo);
}

const half = fc.oneof(
  fc.integer({ min: 0, max: highest }),
  fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, highest - 1, highest),
);
const rows = fc.array(fc.tuple(half, half, fc.constant(0)), { maxLength: 60 });

describe('Rice-coded fingerprints', () => {
  test('are the same again, as many bytes as they said, whatever stands behind them', () => {
    fc.assert(
      fc.property(rows, (rows) => {
        showsSame(entriesOf(rows));
      }),
    );
  });

  test('are the same again with any parameter that does not make them endless', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 16, max: 32 }), (rows, upper) => {
        showsSame(entriesOf(rows), upper);
      }),
    );
  });

  const random = seeded(1);
  test.each<[string, Row[]]>([
    ['none', []],
    ['the lowest', [[0, 0, 0]]],
    ['the highest', [[highest, highest, 0]]],
    [
      'the lowest and the highest',
      [
        [0, 0, 0],
        [highest, highest, 0],
      ],
    ],
    ['the extremes', extremeRows(random)],
    ['thousands that are equal', equalRows(3000, random)],
    ['thousands under one prefix', prefixedRows(3000, random)],
    ['thousands under the highest prefix', prefixedRows(3000, random, highest)],
    ['many twice', repeatedRows(3000, random)],
    ['many', randomRows(20_000, random)],
  ])('are the same again: %s', (_, rows) => {
    showsSame(entriesOf(rows));
  });

  test('take no bytes when there are none', () => {
    expect(encodeRice(makeEntries(0), riceParameter(makeEntries(0)))).toHaveLength(0);
  });

  test.each([1000, 3000, 10_000, 100_000])(
    'of %i random ones take no more than 1.02 times the bytes that are in them',
    (count) => {
      const bytes = roundTrip(entriesOf(randomRows(count, seeded(count)))).bytes;
      expect(bytes.length).toBeLessThanOrEqual((1.02 * count * (Math.log2(2 ** 64 / count) + 1.44)) / 8);
    },
  );

  test('are never shorter with another parameter than with the one that is chosen', () => {
    const random = seeded(3);
    const sets = [
      randomRows(100, random),
      randomRows(1000, random),
      repeatedRows(300, random),
      prefixedRows(100, random),
    ];
    for (const set of sets) {
      const entries = entriesOf(set);
      const chosen = encodeRice(entries, riceParameter(entries)).length;
      // Borrows are not counted in the choice: a bit a fingerprint at the very most, seen as one in a hundred.
      for (let upper = 16; upper <= 32; upper++) {
        expect(encodeRice(entries, upper).length, `${upper}`).toBeGreaterThanOrEqual(
          Math.floor(chosen * 0.99),
        );
      }
    }
  });

  test('out of order are refused', () => {
    const entries = makeEntries(2);
    entries.hi.set([5, 4]);
    expect(() => encodeRice(entries, 20)).toThrow(TypeError);
    entries.hi.set([5, 5]);
    entries.lo.set([5, 4]);
    expect(() => encodeRice(entries, 20)).toThrow(TypeError);
  });
});

describe('damaged Rice-coded fingerprints', () => {
  const entries = entriesOf([...extremeRows(seeded(4)), ...repeatedRows(100, seeded(5))]);
  const upper = riceParameter(entries);
  const bytes = encodeRice(entries, upper);

  test('are undefined when they are cut off at any length', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(
        decodeRice(bytes.subarray(0, length), upper, makeEntries(entries.hi.length)),
        `${length}`,
      ).toBeUndefined();
    }
  });

  test('are undefined or in order when any bit of them is another', () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const broken = Buffer.from(bytes);
      broken[bit >>> 3] = (broken[bit >>> 3] as number) ^ (0x80 >>> (bit & 7));
      const back = makeEntries(entries.hi.length);
      expect(decodeRice(broken, upper, back) === undefined || isInOrder(back), `bit ${bit}`).toBe(true);
    }
  });

  test('are undefined or in order whatever the bytes, the parameter and the number are', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc
            .array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff), { maxLength: 200 })
            .map((bytes) => Uint8Array.from(bytes)),
        ),
        fc.integer({ min: 0, max: 32 }),
        fc.integer({ min: 0, max: 60 }),
        (bytes, upper, count) => {
          const back = makeEntries(count);
          const took = decodeRice(Buffer.from(bytes), upper, back);
          if (took === undefined) return;
          expect(took).toBeLessThanOrEqual(bytes.length);
          expect(isInOrder(back)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('that would go past the highest fingerprint are undefined', () => {
    // Two gaps with parameter 64: 0xffffffff_ffffffff, then 0 or 1.
    const two = (lower: number): Buffer => {
      const bits = Buffer.from([0x7f, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0]);
      return Buffer.concat([bits, Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, lower])]);
    };
    expect(decodeRice(two(0), 32, makeEntries(2))).toBe(17);
    expect(decodeRice(two(1), 32, makeEntries(2))).toBeUndefined();
    // A quotient of 1 is 2^64 already.
    expect(decodeRice(Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0]), 32, makeEntries(1))).toBeUndefined();
    expect(decodeRice(Buffer.from([0x00, 0, 0, 0, 0, 0, 0, 0, 0]), 32, makeEntries(1))).toBe(9);
  });
});

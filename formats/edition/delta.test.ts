import { brotliCompressSync, crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seeded } from '#test/rigs/random.ts';
import { decodeDelta, type Delta, encodeDelta } from './delta.ts';
import { mostColumnBytes, onlyRecord } from './delta-columns.ts';
import { type Entries, makeEntries } from './entries.ts';
import { encodeHeader, type Header, headerBytes } from './header.ts';
import { encodeRice, riceParameter } from './rice.ts';
import {
  anyPayload,
  codeOf,
  entriesOf,
  equalRows,
  extremeRows,
  headerOf,
  prefixedRows,
  randomRows,
  repeatedRows,
  type Row,
  rowsOf,
  valueOf,
} from './test-bench.ts';

const header = { ...headerOf(1000), from: 6 };

function unnamed(rows: readonly Row[]): Row[] {
  return rows.map(([hi, lo]): Row => [hi, lo, onlyRecord]);
}

function deltaOf(additions: readonly Row[], removals: readonly Row[]): Delta {
  return { header, additions: entriesOf(additions), removals: entriesOf(removals) };
}

function showsSame(delta: Delta): void {
  const back = valueOf(decodeDelta(encodeDelta(delta)));
  expect(back.header).toEqual(delta.header);
  expect(rowsOf(back.additions)).toEqual(rowsOf(delta.additions));
  expect(rowsOf(back.removals)).toEqual(rowsOf(delta.removals));
}

/** With a check that holds, so that what it says is looked at. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(headerBytes + 4)), headerBytes);
  return bytes;
}

function withHeader(parts: Partial<Header>, body: Uint8Array): Buffer {
  const head = encodeHeader('delta', { ...header, additions: 0, removals: 0, parameters: [0, 0], ...parts });
  return sealed(Buffer.concat([head, Buffer.alloc(4), body]));
}

describe('a delta', () => {
  const random = seeded(1);
  const named: Row[] = repeatedRows(200, random);
  test.each<[string, Delta]>([
    ['nothing', deltaOf([], [])],
    ['additions only', deltaOf(randomRows(500, random), [])],
    ['removals only, unnamed', deltaOf([], unnamed(randomRows(500, random)))],
    ['removals only, named', deltaOf([], named)],
    ['all of it', deltaOf(repeatedRows(500, random), [...unnamed(randomRows(300, random)), ...named])],
    ['the same record many times', deltaOf(equalRows(300, random), equalRows(300, random))],
    ['the extremes', deltaOf(extremeRows(random), unnamed(extremeRows(random)))],
    ['one prefix', deltaOf(prefixedRows(500, random), unnamed(prefixedRows(500, random)))],
  ])('is the same again: %s', (_, delta) => {
    showsSame(delta);
  });

  test('is the same again with any records', () => {
    const rows = fc
      .tuple(fc.integer(), fc.integer({ min: 0, max: 80 }))
      .map(([seed, count]) => repeatedRows(count, seeded(seed)));
    fc.assert(
      fc.property(rows, rows, rows, (additions, named, alone) => {
        const nameOf = ([hi, lo]: Row): string => `${hi} ${lo}`;
        const once = new Map(alone.map((row) => [nameOf(row), row]));
        // What goes as the only record of its fingerprint is beside no other.
        for (const row of named) once.delete(nameOf(row));
        showsSame(deltaOf(additions, [...named, ...unnamed([...once.values()])]));
      }),
    );
  });

  test('is the same again with as many bureaus as there can be, and days that are far apart', () => {
    const rows = Array.from({ length: 26 ** 3 }, (_, bureau): Row => [
      bureau,
      0,
      ((bureau % 4) * 8 * 32_768 + bureau) * 2 ** 20 + (bureau % 2 === 0 ? 0 : 2 ** 20 - 1),
    ]);
    showsSame(deltaOf(rows, []));
  });

  test('costs nothing for the payload of what is removed as the only one', () => {
    const rows = randomRows(1000, random);
    const fingerprints = encodeRice(entriesOf(rows), riceParameter(entriesOf(rows))).length;
    expect(encodeDelta(deltaOf([], unnamed(rows))).length).toBeLessThan(
      headerBytes + 4 + fingerprints + 4 + 30,
    );
  });
});

const small = deltaOf(repeatedRows(60, seeded(2)), [
  ...unnamed(randomRows(20, seeded(3))),
  ...repeatedRows(20, seeded(4)),
]);

describe('a damaged delta', () => {
  const bytes = encodeDelta(small);

  test('is refused when any of its bytes is another', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [1 << (at & 7), 0xff]) {
        const broken = Buffer.from(bytes);
        broken[at] = (broken[at] as number) ^ flip;
        // The version of the format is byte 7.
        const codes = at === 7 ? ['EDITION_NEWER', 'EDITION_DAMAGED'] : ['EDITION_DAMAGED'];
        expect(codes, `byte ${at}`).toContain(codeOf(decodeDelta(broken)));
      }
    }
  });

  test('is refused when it is cut off at any length', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(decodeDelta(bytes.subarray(0, length))), `${length} bytes`).toBe('EDITION_DAMAGED');
    }
  });

  test('is refused with anything behind it', () => {
    for (const more of [Buffer.alloc(1), Buffer.from([3]), bytes]) {
      expect(codeOf(decodeDelta(Buffer.concat([bytes, more])))).toBe('EDITION_DAMAGED');
    }
  });

  test('with a check that holds is refused or makes records that are in order, never a crash', () => {
    let refused = 0;
    for (let at = headerBytes + 4; at < bytes.length; at++) {
      const broken = Buffer.from(bytes);
      broken[at] = (broken[at] as number) ^ (1 << (at & 7));
      const decoded = decodeDelta(sealed(broken));
      if (!decoded.ok) {
        expect(decoded.fault.code).toBe('EDITION_DAMAGED');
        refused++;
        continue;
      }
      for (const entries of [decoded.value.additions, decoded.value.removals]) {
        expect(rowsOf(entries)).toEqual(rowsOf(entriesOf(rowsOf(entries))));
      }
    }
    expect(refused).toBeGreaterThan(0);
  });

  test('that claims four billion records takes no memory for them', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (const body of [Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(1000, 0xff)]) {
      for (const claim of [
        { additions: 0xffff_ffff },
        { removals: 0xffff_ffff },
        { additions: 0xffff_ffff, removals: 0xffff_ffff },
        { additions: 0x8000_0000, removals: 0x8000_0000 },
        { additions: Math.floor(body.length / 4) + 1 },
      ]) {
        expect(codeOf(decodeDelta(withHeader(claim, body)))).toBe('EDITION_DAMAGED');
      }
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  test('that unpacks to more than its records can take is refused before it is unpacked', () => {
    const bomb = brotliCompressSync(Buffer.alloc(50_000_000));
    const before = process.memoryUsage().arrayBuffers;
    for (const claimed of [5, 50_000_000, 0xffff_ffff]) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(claimed);
      expect(codeOf(decodeDelta(withHeader({}, Buffer.concat([length, bomb]))))).toBe('EDITION_DAMAGED');
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000);
  });

  test.each<[string, Partial<Header>]>([
    ['a parameter that is too large', { parameters: [33, 0] }],
    ['a parameter of the removals that is too large', { parameters: [0, 33] }],
    ['the edition that it makes as the one that it changes', { from: header.edition }],
    ['a later edition as the one that it changes', { from: header.edition + 1 }],
  ])('with %s is refused', (_, parts) => {
    const empty = encodeDelta(deltaOf([], [])).subarray(headerBytes + 4);
    expect(codeOf(decodeDelta(withHeader({}, empty)))).toBeUndefined();
    expect(codeOf(decodeDelta(withHeader(parts, empty)))).toBe('EDITION_DAMAGED');
  });
});

describe('a delta that was signed but not well made', () => {
  /** As they are, in whatever order. */
  function unsorted(rows: readonly Row[]): Entries {
    const entries = makeEntries(rows.length);
    rows.forEach(([hi, lo, payload], at) => {
      entries.hi[at] = hi;
      entries.lo[at] = lo;
      entries.payload[at] = payload;
    });
    return entries;
  }

  test.each<[string, Row[], Row[]]>([
    [
      'adds records of one fingerprint in another order than that of their payloads',
      [
        [1, 1, 9],
        [1, 1, 8],
      ],
      [],
    ],
    [
      'removes them so',
      [],
      [
        [1, 1, 9],
        [1, 1, 8],
      ],
    ],
    [
      'removes the only record of a fingerprint twice',
      [],
      [
        [1, 1, onlyRecord],
        [1, 1, onlyRecord],
      ],
    ],
    [
      'removes the only record of a fingerprint and another one',
      [],
      [
        [1, 1, onlyRecord],
        [1, 1, 8],
      ],
    ],
  ])('is refused when it %s', (_, additions, removals) => {
    const bytes = encodeDelta({ header, additions: unsorted(additions), removals: unsorted(removals) });
    expect(codeOf(decodeDelta(bytes))).toBe('EDITION_DAMAGED');
  });

  test.each<[string, number]>([
    ['a kind of loss', 5 * 2 ** 35],
    ['a bureau', 26 ** 3 * 2 ** 20],
  ])('is refused when it adds a record with %s that nobody knows', (_, payload) => {
    expect(codeOf(decodeDelta(encodeDelta(deltaOf([[1, 1, payload]], []))))).toBe('EDITION_DAMAGED');
  });
});

test('the most that the columns of a delta can take is never exceeded', () => {
  const random = seeded(9);
  for (const [added, removed] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [300, 20],
    [20_000, 5],
  ] as const) {
    const additions = Array.from({ length: added }, (_, at): Row => [at, 0, anyPayload(random)]);
    const removals = Array.from({ length: removed }, (_, at): Row => [at, 0, anyPayload(random)]);
    const bytes = encodeDelta(deltaOf(additions, removals));
    const fingerprints = [additions, removals].map(
      (rows) => encodeRice(entriesOf(rows), riceParameter(entriesOf(rows))).length,
    );
    const lengthAt = headerBytes + 4 + (fingerprints[0] as number) + (fingerprints[1] as number);
    expect(bytes.readUInt32BE(lengthAt)).toBeLessThanOrEqual(mostColumnBytes(added, removed));
    expect(codeOf(decodeDelta(bytes))).toBeUndefined();
  }
});

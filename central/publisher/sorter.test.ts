import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compareEntries } from '#formats/edition/index.ts';
import { seeded } from '#test/rigs/random.ts';
import { EntrySorter } from './sorter.ts';

type Row = readonly [hi: number, lo: number, payload: number];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-sorter-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What comes out, and which files were written meanwhile. */
function sort(rows: readonly Row[], pieceEntries?: number) {
  const sorter = new EntrySorter(folder, pieceEntries);
  const sorted: Row[] = [];
  try {
    for (const [hi, lo, payload] of rows) sorter.add(hi, lo, payload);
    expect(sorter.count).toBe(rows.length);
    const files = readdirSync(folder);
    for (const chunk of sorter.sorted()) {
      for (let at = 0; at < chunk.hi.length; at++) {
        if (at > 0) expect(compareEntries(chunk, at - 1, chunk, at)).toBeLessThanOrEqual(0);
        sorted.push([chunk.hi[at] as number, chunk.lo[at] as number, chunk.payload[at] as number]);
      }
    }
    return { sorted, files };
  } finally {
    sorter.close();
  }
}

const inOrder = (rows: readonly Row[]): Row[] =>
  [...rows].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);

// Few values, so that equal ones come up; and the first and the last that there are.
const half = fc.oneof(
  fc.nat(0xffff_ffff),
  fc.constantFrom(0, 1, 0x00ff_ffff, 0x0100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
);
const payload = fc.oneof(fc.nat(3), fc.constantFrom(2 ** 32 - 1, 2 ** 32, 2 ** 40 - 1));

describe('sorting entries', () => {
  test('gives what came in any order in its order, nothing lost and nothing doubled, wherever it was kept', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(half, half, payload), { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        (rows, pieceEntries) => {
          expect(sort(rows, pieceEntries).sorted).toEqual(inOrder(rows));
          expect(readdirSync(folder)).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('goes to files where there is more than fits into memory, and never before', () => {
    const random = seeded(20_261_124);
    const word = (): number => Math.floor(random() * 2 ** 32);
    const rows = Array.from({ length: 20_000 }, (): Row => [word(), word(), Math.floor(random() * 2 ** 40)]);
    const spilt = sort(rows, 8);
    expect(spilt.files).toHaveLength(256);
    expect(spilt.sorted).toEqual(inOrder(rows));
    expect(readdirSync(folder)).toEqual([]);
    const kept = sort(rows);
    expect(kept.files).toEqual([]);
    expect(kept.sorted).toEqual(spilt.sorted);
  });

  test('holds many of one part, alike in everything or in nothing but the first byte', () => {
    const random = seeded(7);
    const rows = Array.from({ length: 3000 }, (_, at): Row =>
      at % 3 === 0
        ? [0x4200_0000, 1, 5]
        : [0x4200_0000 + Math.floor(random() * 2 ** 24), Math.floor(random() * 2 ** 32), at],
    );
    const { sorted, files } = sort(rows, 16);
    expect(files).toEqual(['part-66']);
    expect(sorted).toEqual(inOrder(rows));
    expect(sorted.filter(([, lo, known]) => lo === 1 && known === 5)).toHaveLength(1000);
  });

  test('gives nothing for nothing, and leaves no file when it is given up before its end', () => {
    expect(sort([]).sorted).toEqual([]);
    const sorter = new EntrySorter(folder, 1);
    for (let at = 0; at < 100; at++) sorter.add(at, at, 0);
    expect(existsSync(join(folder, 'part-0'))).toBe(true);
    const [first] = sorter.sorted();
    expect(first?.hi).toHaveLength(100);
    sorter.close();
    sorter.close();
    expect(readdirSync(folder)).toEqual([]);
  });
});

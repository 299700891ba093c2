import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RecordIds, type RepeatedId } from './record-ids.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'checkpost-ids-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What it says of these ids, of which the first stands in row 2. */
function repeated(ids: readonly string[], inMemory: number): { atOnce: RepeatedId[]; atEnd: RepeatedId[] } {
  const seen = new RecordIds({ folder, inMemory });
  const atOnce: RepeatedId[] = [];
  for (const [at, id] of ids.entries()) {
    const bytes = Buffer.from(`,${id},`);
    const earlier = seen.add(bytes, 1, bytes.length - 1, at + 2);
    if (earlier !== undefined) atOnce.push({ row: at + 2, earlier });
  }
  const atEnd = [...seen.repeated()].flat();
  seen.close();
  return { atOnce, atEnd };
}

/** The same, the plain way. */
function expected(ids: readonly string[]): RepeatedId[] {
  const first = new Map<string, number>();
  return ids.flatMap((id, at) => {
    const earlier = first.get(id);
    if (earlier !== undefined) return [{ row: at + 2, earlier }];
    first.set(id, at + 2);
    return [];
  });
}

describe('ids that are there twice', () => {
  test('are found with the first row that has them, whether they fit into memory or not', () => {
    const id = fc.string({ unit: fc.constantFrom('a', 'b', 'Ж'), minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(id, { maxLength: 60 }), fc.integer({ min: 0, max: 40 }), (ids, inMemory) => {
        const { atOnce, atEnd } = repeated(ids, inMemory);
        const all = [...atOnce, ...atEnd].sort((a, b) => a.row - b.row);
        expect(all).toEqual(expected(ids));
      }),
    );
  });

  test('are told at once while they fit, and all others at the end', () => {
    const ids = ['a', 'b', 'a', 'c', 'd', 'a', 'd'];
    expect(repeated(ids, 100).atEnd).toEqual([]);
    const { atOnce, atEnd } = repeated(ids, 2);
    expect(atOnce).toEqual([{ row: 4, earlier: 2 }]);
    expect(atEnd).toHaveLength(2);
  });

  test('are found among so many that parts of them were written to the file', () => {
    // One id again and again belongs to one part, which fills several blocks.
    const ids = Array.from({ length: 30_000 }, (_, at) => (at % 3 === 0 ? 'again' : `id-${at}`));
    const { atEnd } = repeated(ids, 1000);
    const late = expected(ids).filter(({ row }) => atEnd.some((found) => found.row === row));
    expect(atEnd.length).toBeGreaterThan(9000);
    expect(atEnd.sort((a, b) => a.row - b.row)).toEqual(late);
  });

  test('leave nothing in the folder, not even while they are being compared', () => {
    const seen = new RecordIds({ folder, inMemory: 1 });
    for (let row = 2; row < 20; row++) seen.add(Buffer.from(`id-${row}`), 0, 5, row);
    expect(readdirSync(folder)).toEqual([]);
    seen.close();
  });

  test('cannot be looked for where there is no folder, and the fault names it', () => {
    const seen = new RecordIds({ folder: join(folder, 'missing'), inMemory: 0 });
    expect(() => seen.add(Buffer.from('a'), 0, 1, 2)).toThrow(join(folder, 'missing'));
    seen.close();
  });
});

test('ids that are alike but not the same are none: of half a million no two are taken for one', () => {
  const ids = Array.from({ length: 500_000 }, (_, at) => `UTO-2026-${String(at).padStart(9, '0')}`);
  expect(repeated(ids, 100_000)).toEqual({ atOnce: [], atEnd: [] });
});

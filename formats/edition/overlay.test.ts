import { describe, expect, test } from 'vitest';
import { seeded } from '#test/rigs/random.ts';
import { onlyRecord } from './delta-columns.ts';
import { compareEntries, makeEntries } from './entries.ts';
import { Overlay, takeAway } from './overlay.ts';
import {
  codeOf,
  deltaBetween,
  entriesOf,
  isInOrder,
  Model,
  nextEdition,
  prefixedRows,
  randomRows,
  type Row,
  rowsOf,
  universe,
  valueOf,
  word,
} from './test-bench.ts';

function changed(additions: readonly Row[], removals: readonly Row[], before = Overlay.empty): Overlay {
  return valueOf(before.with({ additions: entriesOf(additions), removals: entriesOf(removals) }));
}

function sorted(payloads: readonly number[]): number[] {
  return [...payloads].sort((a, b) => a - b);
}

describe('an overlay', () => {
  test('of no delta leaves everything as the base has it', () => {
    expect(Overlay.empty.size).toBe(0);
    expect(Overlay.empty.apply(1, 2, [3, 4])).toEqual([3, 4]);
    expect(Overlay.empty.findAdded(0, 0)).toBe(-1);
  });

  // The model: editions as plain lists of records.
  test('makes of what the base has what the edition has, after any deltas in a row', () => {
    const seen = { named: 0, only: 0, cancelled: 0, again: 0 };
    for (let seed = 0; seed < 80; seed++) {
      const random = seeded(seed);
      let rows: Row[] = [];
      for (let step = 0; step < 5; step++) rows = nextEdition(rows, random);
      const base = new Model(rows);
      let overlay = Overlay.empty;
      for (let step = 0; step < 30; step++) {
        const next = nextEdition(rows, random);
        const delta = deltaBetween(rows, next, 8 + step);
        for (const payload of delta.removals.payload) seen[payload === onlyRecord ? 'only' : 'named']++;
        const after = valueOf(overlay.with(delta));
        const cancelled = overlay.size + delta.additions.hi.length + delta.removals.hi.length - after.size;
        seen.cancelled += cancelled / 2;
        overlay = after;
        rows = next;
        const model = new Model(rows);
        for (const [hi, lo] of universe) {
          const found = sorted(overlay.apply(hi, lo, base.payloads(hi, lo)));
          expect(found, `seed ${seed}, step ${step}, ${hi} ${lo}`).toEqual(model.payloads(hi, lo));
          const first = overlay.findAdded(hi, lo);
          if (first !== -1)
            expect([overlay.additions.hi[first], overlay.additions.lo[first]]).toEqual([hi, lo]);
          if (base.payloads(hi, lo).length > 0 && first !== -1) seen.again++;
        }
        expect(isInOrder(overlay.additions) && isInOrder(overlay.removals)).toBe(true);
      }
    }
    // All of it happened often.
    for (const [what, often] of Object.entries(seen)) expect(often, what).toBeGreaterThan(500);
  });

  test('is never changed by the next delta', () => {
    const before = changed(
      [
        [1, 1, 1],
        [1, 1, 2],
      ],
      [[2, 2, onlyRecord]],
    );
    const [additions, removals] = [rowsOf(before.additions), rowsOf(before.removals)];
    const after = changed(
      [[0, 0, 5]],
      [
        [1, 1, 1],
        [3, 3, onlyRecord],
      ],
      before,
    );
    expect(rowsOf(before.additions)).toEqual(additions);
    expect(rowsOf(before.removals)).toEqual(removals);
    expect(before.apply(1, 1, [])).toEqual([1, 2]);
    expect(after.apply(1, 1, [])).toEqual([2]);
    expect(after.size).toBe(4);
  });

  test('takes no room for what came and went again', () => {
    const came = changed(randomRows(500, seeded(1)), []);
    const removals = rowsOf(came.additions).map(([hi, lo]): Row => [hi, lo, onlyRecord]);
    expect(changed([], removals, came).size).toBe(0);
  });

  test('gives the caller a list of its own', () => {
    const payloads = [1, 2];
    Overlay.empty.apply(0, 0, payloads).push(3);
    expect(payloads).toEqual([1, 2]);
  });

  const random = seeded(2);
  test.each<[string, Row[]]>([
    ['one', randomRows(1, random)],
    ['four', randomRows(4, random)],
    ['five', randomRows(5, random)],
    ['thousands', randomRows(20_000, random)],
    ['thousands under one prefix', prefixedRows(2000, random)],
    [
      'the lowest and the highest',
      [
        [0, 0, 1],
        [0xffff_ffff, 0xffff_ffff, 1],
      ],
    ],
  ])('finds where the additions with a fingerprint begin, of %s', (_, rows) => {
    const overlay = changed([...rows, ...rows], []);
    const { additions } = overlay;
    rows.forEach(([hi, lo]) => {
      const at = overlay.findAdded(hi, lo);
      expect([additions.hi[at], additions.lo[at]]).toEqual([hi, lo]);
      if (at > 0) expect(compareEntries(additions, at - 1, additions, at)).not.toBe(0);
      expect(overlay.findAdded(hi, (lo ^ 1) >>> 0)).toBe(-1);
      expect(overlay.findAdded((hi ^ 0x8000_0000) >>> 0, lo)).toBe(-1);
    });
    for (let i = 0; i < 100; i++) expect(overlay.findAdded(word(random), word(random))).toBe(-1);
  });
});

describe('a delta that was made for another edition', () => {
  test('is found when it removes the only record of a fingerprint of which several came', () => {
    const overlay = changed(
      [
        [1, 1, 1],
        [1, 1, 2],
      ],
      [],
    );
    const removals = entriesOf([[1, 1, onlyRecord]]);
    expect(codeOf(overlay.with({ additions: makeEntries(0), removals }))).toBe('EDITION_DAMAGED');
  });

  test('is found when it removes the only record of a fingerprint twice', () => {
    const overlay = changed([[1, 1, 1]], []);
    const removals = entriesOf([
      [1, 1, onlyRecord],
      [1, 1, onlyRecord],
    ]);
    expect(codeOf(overlay.with({ additions: makeEntries(0), removals }))).toBe('EDITION_DAMAGED');
  });

  test('changes nothing of other fingerprints when it removes what is not there', () => {
    const overlay = changed(
      [[1, 1, 1]],
      [
        [1, 2, onlyRecord],
        [1, 1, 9],
      ],
    );
    expect(overlay.apply(1, 2, [])).toEqual([]);
    expect(overlay.apply(1, 1, [5])).toEqual([5, 1]);
  });
});

describe('taking a record away', () => {
  test.each<[string, number[], number, number[]]>([
    ['takes the one that is named', [1, 2, 3], 2, [1, 3]],
    ['takes one of two that are the same', [1, 2, 2], 2, [1, 2]],
    ['takes none when it is not there', [1, 2], 3, [1, 2]],
    ['takes all when none is named', [1, 2], onlyRecord, []],
    ['takes none of none', [], onlyRecord, []],
  ])('%s', (_, payloads, removed, left) => {
    takeAway(payloads, removed);
    expect(payloads).toEqual(left);
  });
});

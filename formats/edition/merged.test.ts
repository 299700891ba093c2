import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fail, type Result } from '#contracts/result.ts';
import { seeded } from '#test/rigs/random.ts';
import type { Base } from './base.ts';
import { BaseWriter } from './base-writer.ts';
import { onlyRecord } from './delta-columns.ts';
import type { Entries } from './entries.ts';
import { mergedEntries } from './merged.ts';
import { Overlay } from './overlay.ts';
import {
  type BaseFiles,
  bytesOf,
  chunked,
  codeOf,
  collected,
  deltaBetween,
  entriesOf,
  Folder,
  headerOf,
  Model,
  nextEdition,
  randomRows,
  repeatedRows,
  type Row,
  rowsOf,
  universe,
  valueOf,
} from './test-bench.ts';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => {
  folder.remove();
});

/** The base that a terminal makes of the one it has and the deltas since. */
function compacted(base: Base, overlay: Overlay, count: number, edition: number): BaseFiles {
  const files = folder.files();
  const writer = new BaseWriter(files, headerOf(count, { edition }));
  for (const chunk of mergedEntries(base, overlay)) writer.add(valueOf(chunk));
  writer.finish();
  return files;
}

/** A base of these chunks, which are used up. */
function baseOf(rows: readonly Row[], chunk: number): Pick<Base, 'entries'> {
  return { entries: () => chunked(entriesOf(rows), chunk) };
}

function overlayOf(additions: readonly Row[], removals: readonly Row[]): Overlay {
  return valueOf(Overlay.empty.with({ additions: entriesOf(additions), removals: entriesOf(removals) }));
}

describe('a base and the deltas since', () => {
  test.each<[string, number, number, number]>([
    ['alone in the edition', 0, 12, 15],
    ['among others in many buckets', 600, 4, 8],
  ])(
    'are the records of the edition, and byte for byte its base, at every step: %s',
    (_, others, runs, steps) => {
      for (let seed = 0; seed < runs; seed++) {
        const random = seeded(seed + others);
        const around = repeatedRows(others, random);
        let few = nextEdition(nextEdition([], random), random);
        let base = folder.open(folder.write(entriesOf([...few, ...around])));
        let overlay = Overlay.empty;
        for (let step = 0; step < steps; step++) {
          const edition = 8 + step;
          const next = nextEdition(few, random);
          // Of the others, too, some go and some come.
          const gone = Math.floor(random() * Math.min(5, around.length));
          const nextAround = [...around.slice(gone), ...randomRows(others === 0 ? 0 : 3, random)];
          const [before, rows] = [
            [...few, ...around],
            [...next, ...nextAround],
          ];
          overlay = valueOf(overlay.with(deltaBetween(before, rows, edition, 1 + Math.floor(random() * 50))));
          few = next;
          around.splice(0, around.length, ...nextAround);

          const model = new Model(rows);
          for (const [hi, lo] of [...universe, ...model.keys()]) {
            const found = overlay.apply(hi, lo, valueOf(base.search(hi, lo)));
            expect(found.sort((a, b) => a - b)).toEqual(model.payloads(hi, lo));
          }
          expect(rowsOf(collected(mergedEntries(base, overlay)))).toEqual(rowsOf(entriesOf(rows)));
          const made = compacted(base, overlay, rows.length, edition);
          const direct = folder.write(entriesOf(rows), headerOf(rows.length, { edition }));
          expect(bytesOf(made).fingerprints.equals(bytesOf(direct).fingerprints)).toBe(true);
          expect(bytesOf(made).payload.equals(bytesOf(direct).payload)).toBe(true);
          // The next deltas go on from the new base.
          if (random() < 0.3) {
            base = folder.open(made);
            overlay = Overlay.empty;
          }
        }
      }
    },
  );

  test('are the records of the edition whatever chunks of whole fingerprints the base comes in', () => {
    const fingerprints = universe.map(([hi, lo], at): Row => [hi, lo, at]);
    const overlay = overlayOf(
      [
        [0, 0, 0],
        [0x1234_5678, 1, 1],
        [0x1234_5678, 2, 2],
        [0xffff_ffff, 0xffff_ffff, 1],
        [0xffff_ffff, 0xffff_ffff, 9],
      ],
      [
        [0, 0, onlyRecord],
        [0x1234_5679, 1, 5],
        [0xffff_ffff, 0xffff_ffff, onlyRecord],
      ],
    );
    const all = [...fingerprints.filter((_, at) => ![0, 5, 8].includes(at)), ...rowsOf(overlay.additions)];
    for (const chunk of [1, 2, 3, 100]) {
      const merged = collected(mergedEntries(baseOf(fingerprints, chunk), overlay));
      expect(rowsOf(merged)).toEqual(rowsOf(entriesOf(all)));
    }
  });

  test.each<[string, Row[], Row[], Row[]]>([
    [
      'additions to nothing',
      [],
      [
        [1, 1, 1],
        [2, 2, 2],
      ],
      [],
    ],
    [
      'additions behind the last record',
      [[1, 1, 1]],
      [
        [1, 1, 2],
        [2, 2, 2],
      ],
      [],
    ],
    ['additions before the first', [[2, 2, 2]], [[1, 1, 1]], []],
    [
      'nothing, when all is removed',
      [
        [1, 1, 1],
        [2, 2, 2],
      ],
      [],
      [
        [1, 1, onlyRecord],
        [2, 2, onlyRecord],
      ],
    ],
    [
      'what came in place of all',
      [
        [1, 1, 1],
        [2, 2, 2],
      ],
      [
        [1, 1, 0],
        [2, 2, 9],
      ],
      [
        [1, 1, onlyRecord],
        [2, 2, onlyRecord],
      ],
    ],
    [
      'additions between the payloads of one fingerprint',
      [
        [1, 1, 1],
        [1, 1, 3],
        [1, 1, 5],
      ],
      [
        [1, 1, 2],
        [1, 1, 4],
      ],
      [[1, 1, 3]],
    ],
  ])('are %s', (_, base, additions, removals) => {
    const overlay = overlayOf(additions, removals);
    const removed = (row: Row): boolean =>
      removals.some(
        ([hi, lo, payload]) => row[0] === hi && row[1] === lo && [onlyRecord, row[2]].includes(payload),
      );
    const expected = rowsOf(entriesOf([...base.filter((row) => !removed(row)), ...additions]));
    expect(rowsOf(collected(mergedEntries(baseOf(base, 100), overlay)))).toEqual(expected);
  });

  test('end with the fault of the base, and what was before it is given', () => {
    const first = entriesOf([[1, 1, 1]]);
    const broken = {
      *entries(): Generator<Result<Entries>, void> {
        yield { ok: true, value: first };
        yield fail('EDITION_DAMAGED', 'a block');
      },
    };
    const overlay = overlayOf(
      [
        [0, 0, 5],
        [9, 9, 9],
      ],
      [],
    );
    const chunks = [...mergedEntries(broken, overlay)];
    expect(chunks.map(codeOf)).toEqual([undefined, 'EDITION_DAMAGED']);
    expect(rowsOf(valueOf(chunks[0] as Result<Entries>))).toEqual([
      [0, 0, 5],
      [1, 1, 1],
    ]);
  });
});

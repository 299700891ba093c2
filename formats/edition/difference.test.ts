import { describe, expect, test } from 'vitest';
import { fail, type Result } from '#contracts/result.ts';
import { seeded } from '#test/rigs/random.ts';
import { onlyRecord } from './delta-columns.ts';
import { type Difference, differenceOf } from './difference.ts';
import type { Entries } from './entries.ts';
import {
  chunked,
  codeOf,
  entriesOf,
  equalRows,
  fewPayloads,
  Model,
  nextEdition,
  randomRows,
  repeatedRows,
  type Row,
  rowsOf,
  universe,
  valueOf,
} from './test-bench.ts';

function whole(difference: ReturnType<typeof differenceOf>): Difference {
  const value = valueOf(difference);
  if (value === undefined) throw new TypeError('there is no difference');
  return value;
}

function between(
  before: readonly Row[],
  after: readonly Row[],
  chunks: readonly [number, number] = [3, 5],
): Difference {
  return whole(differenceOf(chunked(entriesOf(before), chunks[0]), chunked(entriesOf(after), chunks[1])));
}

/** What comes of the edition before: removals taken away one by one, additions put in. */
function applied(before: readonly Row[], { additions, removals }: Difference): Row[] {
  const rows = [...before];
  for (const [hi, lo, payload] of rowsOf(removals)) {
    const at = rows.findIndex(
      (row) => row[0] === hi && row[1] === lo && (payload === onlyRecord || row[2] === payload),
    );
    expect(at, 'what is removed is there').not.toBe(-1);
    rows.splice(at, 1);
  }
  return rowsOf(entriesOf([...rows, ...rowsOf(additions)]));
}

const a: Row = [5, 6, 1];
const b: Row = [5, 6, 2];
const c: Row = [5, 6, 3];
const other: Row = [5, 7, 1];

describe('the difference of two editions', () => {
  test.each<[string, Row[], Row[], Row[], Row[]]>([
    ['nothing of two that are the same', [a, b, other], [a, b, other], [], []],
    ['all of the second where there was none', [], [a, b], [a, b], []],
    [
      'all of the first where there is none now',
      [a, other],
      [],
      [],
      [
        [5, 6, onlyRecord],
        [5, 7, onlyRecord],
      ],
    ],
    ['an amended record as one that went and one that came', [a], [b], [b], [[5, 6, onlyRecord]]],
    ['which of several went', [a, b], [a], [], [b]],
    ['which of several went when it is the first', [a, b], [b], [], [a]],
    ['which of several went when it is in the middle', [a, b, c], [a, c], [], [b]],
    ['each of several by name when all went', [a, b, c], [], [], [a, b, c]],
    ['one of two that are the same by name', [a, a], [a], [], [a]],
    ['both of two that are the same by name', [a, a], [], [], [a, a]],
    ['one more of what is there already', [a], [a, a], [a], []],
    [
      'the only record of a fingerprint without a name beside several of another',
      [a, b, other],
      [b],
      [],
      [a, [5, 7, onlyRecord]],
    ],
  ])('is %s', (_, before, after, additions, removals) => {
    for (const chunks of [
      [1, 1],
      [1, 2],
      [2, 1],
      [100, 100],
    ] as const) {
      const difference = between(before, after, chunks);
      expect(rowsOf(difference.additions)).toEqual(additions);
      expect(rowsOf(difference.removals)).toEqual(removals);
    }
  });

  test('makes the second of the first, names a record exactly where there was more than one, and says nothing twice', () => {
    let named = 0;
    let alone = 0;
    for (let seed = 0; seed < 60; seed++) {
      const random = seeded(seed);
      let before: Row[] = [];
      for (let step = 0; step < 40; step++) {
        const after = nextEdition(before, random);
        const difference = between(before, after, [
          1 + Math.floor(random() * 5),
          1 + Math.floor(random() * 5),
        ]);
        expect(applied(before, difference)).toEqual(rowsOf(entriesOf(after)));
        const [old, fresh] = [new Model(before), new Model(after)];
        for (const [hi, lo, payload] of rowsOf(difference.removals)) {
          expect(payload === onlyRecord).toBe(old.payloads(hi, lo).length === 1);
          if (payload === onlyRecord) alone++;
          else named++;
        }
        // As short as can be: of no record does more go or come than there are more of it before or after.
        for (const [hi, lo] of universe) {
          for (const payload of fewPayloads) {
            const more = count(fresh, hi, lo, payload) - count(old, hi, lo, payload);
            const came = rowsOf(difference.additions).filter((row) => isSame(row, [hi, lo, payload])).length;
            expect(came).toBe(Math.max(more, 0));
          }
        }
        before = after;
      }
    }
    expect(Math.min(named, alone)).toBeGreaterThan(300);
  });

  test('is the same whatever chunks the editions come in, empty ones among them', () => {
    const before = repeatedRows(3000, seeded(1));
    const after = [...before.slice(200), ...repeatedRows(100, seeded(2))];
    const one = between(before, after, [5000, 5000]);
    const none = entriesOf([]);
    const holes = function* (entries: Entries): Generator<Result<Entries>> {
      for (const chunk of chunked(entries, 7)) {
        yield { ok: true, value: none };
        yield chunk;
      }
      yield { ok: true, value: none };
    };
    expect(between(before, after, [1, 999])).toEqual(one);
    expect(whole(differenceOf(holes(entriesOf(before)), holes(entriesOf(after))))).toEqual(one);
  });

  test('of thousands of the same record is as many as there are fewer', () => {
    const rows = equalRows(5000, seeded(3));
    expect(rowsOf(between(rows, rows.slice(3000)).removals)).toEqual(rows.slice(0, 3000));
  });

  test('takes the memory of what differs only', () => {
    const one = entriesOf(randomRows(1000, seeded(4)));
    // A million records, of which the same chunk's memory is used again and again.
    const long = function* (): Generator<Result<Entries>> {
      const value = { hi: one.hi.slice(), lo: one.lo.slice(), payload: one.payload.slice() };
      for (let round = 0; round < 1000; round++) {
        value.hi.forEach((_, at) => (value.hi[at] = round * 1_000_000 + at));
        yield { ok: true, value };
      }
    };
    const before = process.memoryUsage().arrayBuffers;
    const { additions, removals } = whole(differenceOf(long(), long()));
    expect([additions.hi.length, removals.hi.length]).toEqual([0, 0]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  test.each<[string, Row[], Row[]]>([
    ['added', [], repeatedRows(100, seeded(6))],
    ['removed', repeatedRows(100, seeded(6)), []],
    ['other', randomRows(50, seeded(7)), randomRows(50, seeded(8))],
  ])(
    'is undefined where more records are %s than it may have, and whole where they are as many',
    (_, before, after) => {
      const entries = (rows: readonly Row[]) => chunked(entriesOf(rows), 10);
      expect(whole(differenceOf(entries(before), entries(after), 100))).toEqual(between(before, after));
      expect(valueOf(differenceOf(entries(before), entries(after), 99))).toBeUndefined();
      expect(valueOf(differenceOf(entries(before), entries(before), 0))).toBeDefined();
    },
  );

  test('is given up as soon as there is too much of it', () => {
    const entries = entriesOf(randomRows(1000, seeded(9)));
    let read = 0;
    const counted = function* (): Generator<Result<Entries>> {
      for (const chunk of chunked(entries, 10)) {
        read++;
        yield chunk;
      }
    };
    expect(valueOf(differenceOf([], counted(), 50))).toBeUndefined();
    expect(read).toBeLessThan(10);
  });
});

describe('a fault of one of the editions', () => {
  const failing = function* (entries: Entries, after: number): Generator<Result<Entries>> {
    yield* chunked(entries, after);
    yield fail('EDITION_DAMAGED', 'a block');
  };

  test.each<[string, boolean]>([
    ['before', true],
    ['after', false],
  ])('is the fault of the difference, and what is %s it is not read through for nothing', (_, isFirst) => {
    const entries = entriesOf(randomRows(1000, seeded(5)));
    let read = 0;
    const endless = function* (): Generator<Result<Entries>> {
      for (const chunk of chunked(entries, 10)) {
        read++;
        yield chunk;
      }
    };
    const broken = failing(entriesOf(rowsOf(entries).slice(0, 100)), 100);
    const difference = isFirst ? differenceOf(broken, endless()) : differenceOf(endless(), broken);
    expect(codeOf(difference)).toBe('EDITION_DAMAGED');
    expect(read).toBeLessThan(15);
  });

  test('at once is one, too', () => {
    expect(codeOf(differenceOf(failing(entriesOf([]), 1), []))).toBe('EDITION_DAMAGED');
    expect(codeOf(differenceOf([], failing(entriesOf([]), 1)))).toBe('EDITION_DAMAGED');
  });
});

function isSame(row: Row, other: Row): boolean {
  return row.every((part, at) => part === other[at]);
}

function count(model: Model, hi: number, lo: number, payload: number): number {
  return model.payloads(hi, lo).filter((one) => one === payload).length;
}

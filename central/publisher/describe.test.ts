import { describe, expect, test } from 'vitest';
import type { NamedTarget } from '#contracts/edition-target.ts';
import { wall } from '#contracts/units.ts';
import { makeTargets } from '#formats/trust/index.ts';
import { describeNext, type MadeEdition, newBaseAt } from './describe.ts';

const day = 86_400_000;
const begin = Date.parse('2026-11-25T06:00:00Z');
const million = 1_000_000;

interface Step {
  readonly count?: number;
  /** Bytes of the delta; null is none. */
  readonly delta?: number | null;
  readonly key?: string;
  readonly newBase?: boolean;
  readonly every?: number;
}

/** A repository of which nothing is there but what its description names. */
class Described {
  files: readonly NamedTarget[] = [];
  edition = 0;
  date = begin;

  next({ count = 23 * million, delta = 105_000, key = '1', newBase = false, every = day }: Step = {}): this {
    const from = this.edition++;
    this.date += every;
    const hash = this.edition.toString(16).padStart(64, '0');
    const part = (bytes: number) => ({ bytes, sha256: hash, tree: hash, leavesAt: bytes - 32 });
    const made: MadeEdition = {
      header: {
        collection: 'sltd',
        edition: this.edition,
        date: this.date,
        count,
        fingerprintKey: key,
        fingerprintCheck: '0123456789abcdef',
      },
      fingerprints: part(7 * count),
      payload: part(5 * count),
      newBase,
      ...(from > 0 && delta !== null && { delta: { bytes: delta, sha256: hash, from } }),
    };
    this.files = describeNext(this.files, made);
    return this;
  }

  many(times: number, step: Step = {}): this {
    for (let i = 0; i < times; i++) this.next(step);
    return this;
  }

  bases(served: boolean): number[] {
    return this.files.flatMap(({ about }) =>
      about.part === 'fingerprints' && about.served === served ? about.edition : [],
    );
  }

  get deltas(): string[] {
    return this.files.flatMap(({ about }) =>
      about.part === 'delta' ? `${about.from}-${about.edition}` : [],
    );
  }
}

describe('describing the next edition', () => {
  test('names a base that is served first, and a delta afterwards', () => {
    const first = new Described().next();
    expect(first.files.map(({ name }) => name)).toEqual(['sltd/1/base.fingerprints', 'sltd/1/base.payload']);
    expect(first.bases(true)).toEqual([1]);
    first.next();
    expect([first.bases(true), first.bases(false), first.deltas]).toEqual([[1], [2], ['1-2']]);
    expect(first.files.find(({ about }) => about.part === 'delta')).toEqual({
      name: 'sltd/2/delta',
      bytes: 105_000,
      sha256: '2'.padStart(64, '0'),
      about: {
        collection: 'sltd',
        edition: 2,
        from: 1,
        date: '2026-11-27T06:00:00.000Z',
        count: 23 * million,
        fingerprintKey: '1',
        part: 'delta',
      },
    });
  });

  test('lists the hashes of the last three editions, for terminals that make such a base themselves', () => {
    const described = new Described().many(10);
    expect([described.bases(true), described.bases(false)]).toEqual([[1], [8, 9, 10]]);
    const parts = described.files.filter(({ about }) => about.part !== 'delta');
    expect(parts).toHaveLength(2 * 4);
    expect(described.deltas).toHaveLength(9);
  });

  test('serves a new base when it is asked to, when there is no delta, and when the last one is old', () => {
    const asked = new Described().many(3).next({ newBase: true });
    expect([asked.bases(true), asked.deltas]).toEqual([
      [1, 4],
      ['1-2', '2-3', '3-4'],
    ]);
    expect(new Described().many(3).next({ delta: null }).bases(true)).toEqual([1, 4]);
    const old = new Described().many(1 + newBaseAt.days);
    expect(old.bases(true)).toEqual([1]);
    expect(old.next().bases(true)).toEqual([1, 2 + newBaseAt.days]);
  });

  test('serves a new base when so much has changed since the last one that it is shorter to fetch', () => {
    // 2 % of 100,000 records, at 8 bytes each, is less than what is never counted.
    const small = new Described().next({ count: 100_000 }).next({ count: 100_000, delta: 60_000 });
    expect(small.bases(true)).toEqual([1]);
    expect(small.next({ count: 100_000, delta: 6_000 }).bases(true)).toEqual([1, 3]);
    const share = newBaseAt.share * 23 * million * 8;
    const large = new Described().next().next({ delta: share - 1000 });
    expect(large.bases(true)).toEqual([1]);
    expect(large.next({ delta: 2000 }).bases(true)).toEqual([1, 3]);
    // What was changed before the last base does not count towards the next.
    expect(large.next({ delta: share / 2 }).bases(true)).toEqual([1, 3]);
  });

  test('keeps two served bases, and lets older ones go with the deltas that lead on from them', () => {
    const described = new Described().many(3).next({ newBase: true }).many(2);
    expect([described.bases(true), described.deltas.at(0)]).toEqual([[1, 4], '1-2']);
    described.next({ newBase: true });
    expect([described.bases(true), described.deltas]).toEqual([
      [4, 7],
      ['4-5', '5-6', '6-7'],
    ]);
    described.next({ newBase: true }).next({ newBase: true });
    expect([described.bases(true), described.deltas]).toEqual([[8, 9], ['8-9']]);
  });

  test('drops all that was made with another fingerprint key', () => {
    const described = new Described().many(5).next({ key: '2', delta: null });
    expect(described.files.map(({ name }) => name)).toEqual([
      'sltd/6/base.fingerprints',
      'sltd/6/base.payload',
    ]);
    expect(described.bases(true)).toEqual([6]);
    expect(described.next({ key: '2' }).deltas).toEqual(['6-7']);
  });

  test.each([
    ['once a day', { every: day }, 400],
    ['once an hour', { every: day / 24, delta: 5_000 }, 60 * 24],
    ['once an hour, a small collection', { every: day / 24, delta: 150, count: 10_000 }, 60 * 24],
    ['by somebody who always asks for a base', { every: day, newBase: true }, 400],
  ] satisfies [string, Step, number][])(
    'stays small for good when it is published %s, and always leads from a base to the newest edition',
    (_, step, times) => {
      const described = new Described();
      let most = 0;
      for (let i = 0; i < times; i++) {
        described.next(step);
        most = Math.max(most, described.files.length);
        const from = new Set(described.deltas);
        const [oldest = 0] = described.bases(true);
        const missing = [];
        for (let at = oldest; at < described.edition; at++)
          if (!from.has(`${at}-${at + 1}`)) missing.push(at);
        expect(missing).toEqual([]);
        expect(described.deltas).toHaveLength(described.edition - oldest);
        expect(described.bases(true).length).toBeLessThanOrEqual(2);
      }
      // Terminals read at most 1,024 names and a megabyte of them (formats/trust/roles.ts).
      expect(most).toBeLessThanOrEqual(2 * (newBaseAt.deltas + 1) + 10);
      expect(step.every === day ? most : 0).toBeLessThan(80);
      const file = makeTargets({ version: 1, expires: wall(begin), targets: described.files }, []);
      expect(file.length).toBeLessThan(200_000);
    },
  );
});

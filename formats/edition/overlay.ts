import { ok, type Result } from '#contracts/result.ts';
import type { Delta } from './delta.ts';
import { onlyRecord } from './delta-columns.ts';
import { compareEntries, type Entries, makeEntries } from './entries.ts';
import { damaged } from './header.ts';
import { PrefixIndex } from './prefix-index.ts';

/**
 * All that the deltas since the base have changed, in memory: which records are there beside those of the base, and
 * which of the base are gone. It is never changed: a delta makes a new one, so that a look-up sees the edition before or
 * the edition after.
 */
export class Overlay {
  readonly additions: Entries;
  /** Records of the base that are gone; `payload` is `onlyRecord` where all of the fingerprint are. */
  readonly removals: Entries;
  readonly #added: PrefixIndex;
  readonly #removed: PrefixIndex;

  private constructor(additions: Entries, removals: Entries) {
    this.additions = additions;
    this.removals = removals;
    this.#added = new PrefixIndex(additions);
    this.#removed = new PrefixIndex(removals);
  }

  static readonly empty = new Overlay(makeEntries(0), makeEntries(0));

  /** How many changes there are. */
  get size(): number {
    return this.additions.hi.length + this.removals.hi.length;
  }

  /** Where the additions with this fingerprint begin, or -1. Equal fingerprints stand beside each other. */
  findAdded(hi: number, lo: number): number {
    return this.#added.find(hi, lo);
  }

  /** Payloads of the records of one fingerprint in this edition, from those that the base has. */
  apply(hi: number, lo: number, base: readonly number[]): number[] {
    const left = [...base];
    const { additions, removals } = this;
    for (let at = this.#removed.find(hi, lo); isAt(removals, at, hi, lo); at++) {
      takeAway(left, removals.payload[at] as number);
    }
    for (let at = this.#added.find(hi, lo); isAt(additions, at, hi, lo); at++) {
      left.push(additions.payload[at] as number);
    }
    return left;
  }

  /** The overlay after one more delta. The fault is EDITION_DAMAGED: the delta was not made for what is here. */
  with(delta: Pick<Delta, 'additions' | 'removals'>): Result<Overlay> {
    // A record that came with a delta and goes again leaves the overlay; one of the base is noted as gone.
    const cancelled = new Set<number>();
    const fromBase = new Set<number>();
    const { removals } = delta;
    for (let at = 0; at < removals.hi.length; at++) {
      const place = this.#addedPlace(removals, at, cancelled);
      if (place === undefined) return damaged('It removes one of several records as if there were one only.');
      if (place === -1) fromBase.add(at);
      else cancelled.add(place);
    }
    return ok(
      new Overlay(
        merge(
          filtered(this.additions, (at) => !cancelled.has(at), this.additions.hi.length - cancelled.size),
          delta.additions,
        ),
        merge(
          this.removals,
          filtered(removals, (at) => fromBase.has(at), fromBase.size),
        ),
      ),
    );
  }

  /** Place of the addition that this removal takes away, -1 where it is one of the base. */
  #addedPlace(removals: Entries, removal: number, cancelled: ReadonlySet<number>): number | undefined {
    const hi = removals.hi[removal] as number;
    const lo = removals.lo[removal] as number;
    const payload = removals.payload[removal] as number;
    const first = this.#added.find(hi, lo);
    if (first === -1) return -1;
    if (payload === onlyRecord)
      return isAt(this.additions, first + 1, hi, lo) || cancelled.has(first) ? undefined : first;
    for (let at = first; isAt(this.additions, at, hi, lo); at++) {
      if (this.additions.payload[at] === payload && !cancelled.has(at)) return at;
    }
    return -1;
  }
}

/** Takes the record away that a removal names, or all. */
export function takeAway(payloads: number[], removed: number): void {
  if (removed === onlyRecord) payloads.length = 0;
  const at = payloads.indexOf(removed);
  if (at !== -1) payloads.splice(at, 1);
}

/** Both in one, in order. */
function merge(a: Entries, b: Entries): Entries {
  if (b.hi.length === 0) return a;
  if (a.hi.length === 0) return b;
  const all = makeEntries(a.hi.length + b.hi.length);
  let i = 0;
  let j = 0;
  for (let at = 0; at < all.hi.length; at++) {
    const first = j === b.hi.length || (i < a.hi.length && compareEntries(a, i, b, j) <= 0);
    if (first) put(a, i++, all, at);
    else put(b, j++, all, at);
  }
  return all;
}

/** The places for which it holds. */
function filtered(entries: Entries, holds: (place: number) => boolean, count: number): Entries {
  if (count === entries.hi.length) return entries;
  const some = makeEntries(count);
  for (let at = 0, into = 0; at < entries.hi.length; at++) if (holds(at)) put(entries, at, some, into++);
  return some;
}

function put(from: Entries, at: number, into: Entries, place: number): void {
  into.hi[place] = from.hi[at] as number;
  into.lo[place] = from.lo[at] as number;
  into.payload[place] = from.payload[at] as number;
}

function isAt(entries: Entries, at: number, hi: number, lo: number): boolean {
  return at >= 0 && entries.hi[at] === hi && entries.lo[at] === lo;
}

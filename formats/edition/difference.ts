import { type Result, ok } from '#contracts/result.ts';
import { onlyRecord } from './delta-columns.ts';
import { compareEntries, type Entries, isSameFingerprint, makeEntries } from './entries.ts';

export interface Difference {
  readonly additions: Entries;
  readonly removals: Entries;
}

/**
 * What a delta from one edition to the next holds, from all entries of both in their order. Two records that are alike
 * in everything are two. Memory is taken for what differs only; where that is more than `most` records, for which no delta
 * is meant, the answer is undefined. The fault is that of the stream which had one.
 */
export function differenceOf(
  before: Iterable<Result<Entries>>,
  after: Iterable<Result<Entries>>,
  most = Number.POSITIVE_INFINITY,
): Result<Difference | undefined> {
  const old = new Cursor(before);
  const fresh = new Cursor(after);
  const additions = new Growing();
  const removals = new Growing();
  // A removal names its payload where the edition before has more than one record of the fingerprint: `place` counts
  // them, and the first of several learns of it late.
  let alone = 0;
  let removedFirst = -1;
  const step = (taken: boolean): void => {
    const isMore = alone > 0 && isSameFingerprint(old.entries, old.at, old.before, 0);
    if (isMore && alone === 1 && removedFirst !== -1) removals.name(removedFirst);
    alone = isMore ? alone + 1 : 1;
    const place = taken ? removals.push(old.entries, old.at) : -1;
    if (alone === 1) removedFirst = place;
    if (taken && alone > 1) removals.name(place);
    old.remember();
    old.next();
  };
  // What is behind a fault is not known, and must not pass for what was added or removed.
  while (!(old.done && fresh.done) && old.fault === undefined && fresh.fault === undefined) {
    const order = old.done
      ? 1
      : fresh.done
        ? -1
        : compareEntries(old.entries, old.at, fresh.entries, fresh.at);
    if (order === 0) {
      step(false);
      fresh.next();
    } else if (order < 0) step(true);
    else {
      additions.push(fresh.entries, fresh.at);
      fresh.next();
    }
    if (additions.length + removals.length > most) return ok(undefined);
  }
  const fault = old.fault ?? fresh.fault;
  if (fault !== undefined) return fault;
  return ok({ additions: additions.entries(), removals: removals.unnamed() });
}

/** Walks through chunks entry by entry. */
class Cursor {
  readonly #chunks: Iterator<Result<Entries>>;
  entries: Entries = makeEntries(0);
  at = -1;
  done = false;
  fault: Extract<Result<Entries>, { ok: false }> | undefined;
  /** The entry before, on memory of its own. */
  readonly before = makeEntries(1);

  constructor(chunks: Iterable<Result<Entries>>) {
    this.#chunks = chunks[Symbol.iterator]();
    this.next();
  }

  next(): void {
    this.at++;
    while (this.at >= this.entries.hi.length) {
      const chunk = this.#chunks.next();
      if (chunk.done === true || !chunk.value.ok) {
        this.done = true;
        if (chunk.done !== true && !chunk.value.ok) this.fault = chunk.value;
        return;
      }
      this.entries = chunk.value.value;
      this.at = 0;
    }
  }

  remember(): void {
    this.before.hi[0] = this.entries.hi[this.at] as number;
    this.before.lo[0] = this.entries.lo[this.at] as number;
  }
}

class Growing {
  #entries = makeEntries(1024);
  #named = new Set<number>();
  #length = 0;

  push({ hi, lo, payload }: Entries, at: number): number {
    if (this.#length === this.#entries.hi.length) {
      const larger = makeEntries(this.#length * 2);
      larger.hi.set(this.#entries.hi);
      larger.lo.set(this.#entries.lo);
      larger.payload.set(this.#entries.payload);
      this.#entries = larger;
    }
    this.#entries.hi[this.#length] = hi[at] as number;
    this.#entries.lo[this.#length] = lo[at] as number;
    this.#entries.payload[this.#length] = payload[at] as number;
    return this.#length++;
  }

  get length(): number {
    return this.#length;
  }

  /** Its payload is told: there are others with its fingerprint. */
  name(place: number): void {
    this.#named.add(place);
  }

  entries(): Entries {
    return {
      hi: this.#entries.hi.slice(0, this.#length),
      lo: this.#entries.lo.slice(0, this.#length),
      payload: this.#entries.payload.slice(0, this.#length),
    };
  }

  /** With `onlyRecord` in place of each payload that is not told. */
  unnamed(): Entries {
    const entries = this.entries();
    for (let at = 0; at < this.#length; at++) if (!this.#named.has(at)) entries.payload[at] = onlyRecord;
    return entries;
  }
}

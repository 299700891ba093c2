import { ok, type Result } from '#contracts/result.ts';
import type { Base } from './base.ts';
import { compareEntries, type Entries, isSameFingerprint, makeEntries, sliceEntries } from './entries.ts';
import { type Overlay, takeAway } from './overlay.ts';

/**
 * All records of an edition, base and overlay, in their order and in chunks: what a new base is made of. A fault ends
 * it: EDITION_DAMAGED, where the base cannot be read.
 */
export function* mergedEntries(
  base: Pick<Base, 'entries'>,
  overlay: Overlay,
): Generator<Result<Entries>, void> {
  const { additions, removals } = overlay;
  let added = 0;
  let removed = 0;
  for (const chunk of base.entries()) {
    if (!chunk.ok) {
      yield chunk;
      return;
    }
    const entries = chunk.value;
    const length = entries.hi.length;
    if (length === 0) continue;
    let end = added;
    while (end < additions.hi.length && compareEntries(additions, end, entries, length - 1) < 0) end++;
    const out = new Column(length + end - added);
    for (let at = 0; at < length;) {
      while (removed < removals.hi.length && isBefore(removals, removed, entries, at)) removed++;
      let same = at + 1;
      if (removed < removals.hi.length && isSameFingerprint(removals, removed, entries, at)) {
        // A bucket holds all records of a fingerprint, and a chunk whole buckets.
        while (same < length && isSameFingerprint(entries, same, entries, at)) same++;
        const left = Array.from(entries.payload.subarray(at, same));
        for (; removed < removals.hi.length && isSameFingerprint(removals, removed, entries, at); removed++) {
          takeAway(left, removals.payload[removed] as number);
        }
        left.forEach((payload, place) => (entries.payload[at + place] = payload));
        for (let place = at; place < at + left.length; place++) {
          while (added < end && compareEntries(additions, added, entries, place) < 0)
            out.push(additions, added++);
          out.push(entries, place);
        }
      } else {
        while (added < end && compareEntries(additions, added, entries, at) < 0) out.push(additions, added++);
        out.push(entries, at);
      }
      at = same;
    }
    while (added < end) out.push(additions, added++);
    yield ok(out.entries());
  }
  if (added < additions.hi.length) yield ok(sliceEntries(additions, added, additions.hi.length));
}

function isBefore(a: Entries, i: number, b: Entries, j: number): boolean {
  return ((a.hi[i] as number) - (b.hi[j] as number) || (a.lo[i] as number) - (b.lo[j] as number)) < 0;
}

class Column {
  readonly #entries: Entries;
  #length = 0;

  constructor(capacity: number) {
    this.#entries = makeEntries(capacity);
  }

  push({ hi, lo, payload }: Entries, at: number): void {
    this.#entries.hi[this.#length] = hi[at] as number;
    this.#entries.lo[this.#length] = lo[at] as number;
    this.#entries.payload[this.#length++] = payload[at] as number;
  }

  entries(): Entries {
    return sliceEntries(this.#entries, 0, this.#length);
  }
}

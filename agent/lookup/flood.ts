import type { ReaderId } from '#contracts/names.ts';
import { type MonotonicTime, ms } from '#contracts/units.ts';

/**
 * How many unreadable reads one after the other may have been shown, and how far apart the next ones are. An officer who
 * tries again and again must see each try: what is not shown leaves the verdict of another document standing.
 */
const paces = [
  { shown: 5, every: ms(0) },
  { shown: 50, every: ms(2000) },
  { shown: Number.POSITIVE_INFINITY, every: ms(60_000) },
] as const;
/** A quiet time after which it begins anew. */
const quiet = ms(30_000);

/**
 * Keeps a reader that sends nothing but noise (a wrong speed, a broken cable) from filling the record and the page: its
 * state says that already. A document that can be read ends it.
 */
export class Flood {
  readonly #readers = new Map<ReaderId, { count: number; shownAt: MonotonicTime; cameAt: MonotonicTime }>();

  /** Whether this unreadable read is shown and recorded. */
  mayShow(reader: ReaderId, now: MonotonicTime): boolean {
    const seen = this.#readers.get(reader);
    if (seen === undefined || now - seen.cameAt > quiet) {
      this.#readers.set(reader, { count: 1, shownAt: now, cameAt: now });
      return true;
    }
    seen.cameAt = now;
    const every = paces.find(({ shown }) => seen.count < shown)?.every ?? 0;
    if (now - seen.shownAt < every) return false;
    seen.count++;
    seen.shownAt = now;
    return true;
  }

  /** A document was read. */
  ended(reader: ReaderId): void {
    this.#readers.delete(reader);
  }
}

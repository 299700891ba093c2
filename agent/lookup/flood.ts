import type { ReaderId } from '#contracts/names.ts';
import { type MonotonicTime, ms } from '#contracts/units.ts';

/** So many unreadable reads one after the other are shown and recorded, as an officer who tries again and again makes. */
const burst = 5;
/** And then one in so long. */
const every = ms(5000);

/**
 * Keeps a reader that sends nothing but noise (a wrong speed, a broken cable) from filling the record and the page: its
 * state says that already. A document that can be read ends it.
 */
export class Flood {
  readonly #readers = new Map<ReaderId, { count: number; at: MonotonicTime }>();

  /** Whether this unreadable read is shown and recorded. */
  mayShow(reader: ReaderId, now: MonotonicTime): boolean {
    const seen = this.#readers.get(reader);
    if (seen === undefined || now - seen.at > burst * every) {
      this.#readers.set(reader, { count: 1, at: now });
      return true;
    }
    if (seen.count >= burst && now - seen.at < every) return false;
    this.#readers.set(reader, { count: Math.min(seen.count + 1, burst), at: now });
    return true;
  }

  /** A document was read. */
  ended(reader: ReaderId): void {
    this.#readers.delete(reader);
  }
}

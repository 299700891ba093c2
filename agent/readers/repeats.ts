import type { Millis, MonotonicTime } from '#contracts/units.ts';

/** Tells a frame that the reader sends again from a new one: the same bytes, a moment after the last time. */
export class Repeats {
  readonly #within: Millis;
  #last: Uint8Array = new Uint8Array();
  #at: MonotonicTime | undefined;

  constructor(within: Millis) {
    this.#within = within;
  }

  /** A document that stays on an imager is read again and again: each time begins the moment anew. */
  isRepeat(bytes: Uint8Array, now: MonotonicTime): boolean {
    const soon = this.#at !== undefined && now - this.#at <= this.#within;
    const same = soon && Buffer.compare(bytes, this.#last) === 0;
    this.#last = bytes;
    this.#at = now;
    return same;
  }

  forget(): void {
    this.#last = new Uint8Array();
    this.#at = undefined;
  }
}

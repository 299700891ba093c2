import type { Entries } from './entries.ts';

/** Finds a fingerprint by its first bits: about four of them share a prefix. */
export class PrefixIndex {
  readonly #entries: Entries;
  readonly #shift: number;
  readonly #starts: Uint32Array;

  constructor(entries: Entries) {
    this.#entries = entries;
    const length = entries.hi.length;
    let bits = 0;
    while (length / 2 ** bits > 4) bits++;
    this.#shift = 32 - bits;
    this.#starts = new Uint32Array(2 ** bits + 1);
    for (let at = length - 1, prefix = 2 ** bits; prefix >= 0; prefix--) {
      while (at >= 0 && this.#prefix(entries.hi[at] as number) >= prefix) at--;
      this.#starts[prefix] = at + 1;
    }
  }

  /** First place of this fingerprint, or -1. */
  find(hi: number, lo: number): number {
    const prefix = this.#prefix(hi);
    const end = this.#starts[prefix + 1] as number;
    for (let at = this.#starts[prefix] as number; at < end; at++) {
      if (this.#entries.hi[at] === hi && this.#entries.lo[at] === lo) return at;
    }
    return -1;
  }

  #prefix(hi: number): number {
    // JavaScript shifts by 32 as by 0.
    return this.#shift === 32 ? 0 : hi >>> this.#shift;
  }
}

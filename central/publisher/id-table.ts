/** So many ids a new table has room for. */
const firstSlots = 4096;

/**
 * Hashed ids and the row in which each stood first: open addressing in one array of four words a slot, the hash and the
 * row; a row of 0 is a free slot. It grows so that at least half of it is free.
 */
export class IdTable {
  #slots = new Uint32Array(4 * firstSlots);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The row that the id was put under before; 0 where it is put now. */
  put(a: number, b: number, c: number, row: number): number {
    if (this.#size * 8 >= this.#slots.length) this.#grow();
    const slots = this.#slots;
    const mask = slots.length - 1;
    // Words are compared as they come out of the array, without sign.
    a >>>= 0;
    b >>>= 0;
    c >>>= 0;
    let at = (c << 2) & mask;
    for (;;) {
      const found = slots[at + 3] as number;
      if (found === 0) break;
      if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c) return found;
      at = (at + 4) & mask;
    }
    slots[at] = a;
    slots[at + 1] = b;
    slots[at + 2] = c;
    slots[at + 3] = row;
    this.#size++;
    return 0;
  }

  forEach(visit: (a: number, b: number, c: number, row: number) => void): void {
    const slots = this.#slots;
    for (let at = 0; at < slots.length; at += 4) {
      const row = slots[at + 3] as number;
      if (row !== 0) visit(slots[at] as number, slots[at + 1] as number, slots[at + 2] as number, row);
    }
  }

  /** Empties it and keeps its room. */
  clear(): void {
    this.#slots.fill(0);
    this.#size = 0;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(before.length * 2);
    this.#size = 0;
    for (let at = 0; at < before.length; at += 4) {
      const row = before[at + 3] as number;
      if (row !== 0) this.put(before[at] as number, before[at + 1] as number, before[at + 2] as number, row);
    }
  }
}

import { ok, type Result } from '#contracts/result.ts';

/** Where the highest number taken is kept, durably. */
export interface SessionMemory {
  read(): number;
  write(through: number): Result<void>;
}

/**
 * Numbers of sessions: each higher than any before, over every restart. They are taken from the store in blocks, so
 * that a terminal whose disk is full can still open sessions and say so; a restart skips the rest of its block.
 */
export class SessionNumbers {
  readonly #memory: SessionMemory;
  readonly #block: number;
  #next = 1;
  #through = 0;

  constructor(memory: SessionMemory, block = 100) {
    this.#memory = memory;
    this.#block = block;
  }

  next(): Result<number> {
    if (this.#next > this.#through) {
      const from = Math.max(this.#memory.read(), this.#through);
      const taken = this.#memory.write(from + this.#block);
      if (!taken.ok) return taken;
      this.#next = from + 1;
      this.#through = from + this.#block;
    }
    return ok(this.#next++);
  }
}

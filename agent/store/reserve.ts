import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Bytes } from '#contracts/units.ts';
import { systemCode } from '#runtime/errors.ts';

/**
 * Space that is kept for the record and given up when the disk is full, so that whatever else fills the partition,
 * verdicts can still be recorded while central operations put it right.
 */
export class Reserve {
  readonly #file: string;
  readonly #size: Bytes;

  constructor(file: string, size: Bytes) {
    this.#file = file;
    this.#size = size;
  }

  /** Takes the space, where it is not taken already. */
  take(): Result<void> {
    if (this.#size === 0 || this.isTaken()) return ok(undefined);
    try {
      const descriptor = openSync(this.#file, 'w', 0o600);
      try {
        // Written, not only claimed: a sparse file would keep no space.
        const block = Buffer.alloc(65_536);
        for (let left: number = this.#size; left > 0;)
          left -= writeSync(descriptor, block, 0, Math.min(left, block.length));
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      return ok(undefined);
    } catch (cause) {
      rmSync(this.#file, { force: true });
      return fail(
        'STORE_FULL',
        `No room to keep ${this.#size} bytes in reserve (${systemCode(cause) ?? 'unknown'}).`,
        cause,
      );
    }
  }

  /** Gives the space up; false where there was none to give. */
  release(): boolean {
    if (!this.isTaken()) return false;
    rmSync(this.#file, { force: true });
    return true;
  }

  isTaken(): boolean {
    return (statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0) >= this.#size && this.#size > 0;
  }
}

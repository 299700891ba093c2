import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpostError, systemCode } from '#runtime/errors.ts';

/** By the first byte of its hash an id belongs to one part, which fits into memory. */
export const partitions = 256;
/** Four words an entry: the hash and the row. */
const blockWords = 4 * 2048;
const blockBytes = 4 * blockWords;

/**
 * Hashed ids and their rows in a file, by parts: the blocks of all parts follow each other as they fill, and which block
 * is whose is kept in memory. The file has lost its name before the first byte is in it, so that nothing stays behind
 * whatever happens. Throws FILE_REFUSED.
 */
export class IdSpill {
  readonly #folder: string;
  readonly #file: number;
  readonly #blocks: readonly Uint32Array<ArrayBuffer>[];
  readonly #filled = new Int32Array(partitions);
  /** Positions in the file, part by part. */
  readonly #written: readonly number[][];
  #end = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#blocks = Array.from({ length: partitions }, () => new Uint32Array(blockWords));
    this.#written = Array.from({ length: partitions }, () => []);
    this.#file = this.#try(() => {
      const name = join(folder, `.record-ids-${randomUUID()}`);
      const file = openSync(name, 'wx+', 0o600);
      unlinkSync(name);
      return file;
    });
  }

  put(a: number, b: number, c: number, row: number): void {
    const partition = a >>> 24;
    const block = this.#blocks[partition] as Uint32Array;
    const at = this.#filled[partition] as number;
    block[at] = a;
    block[at + 1] = b;
    block[at + 2] = c;
    block[at + 3] = row;
    this.#filled[partition] = at + 4;
    if (at + 4 === blockWords) this.#write(partition);
  }

  /** The entries of one part in the order in which they were put; an array is good until the next one is asked for. */
  *read(partition: number): Generator<Uint32Array> {
    const words = new Uint32Array(blockWords);
    for (const position of this.#written[partition] ?? []) {
      this.#try(() => {
        let at = 0;
        while (at < blockBytes) {
          const read = readSync(this.#file, words, at, blockBytes - at, position + at);
          if (read === 0) throw new CheckpostError('FILE_REFUSED', `A file in ${this.#folder} was cut off.`);
          at += read;
        }
      });
      yield words;
    }
    yield (this.#blocks[partition] as Uint32Array).subarray(0, this.#filled[partition]);
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(partition: number): void {
    const block = this.#blocks[partition] as Uint32Array;
    this.#try(() => {
      let at = 0;
      while (at < blockBytes) at += writeSync(this.#file, block, at, blockBytes - at, this.#end + at);
    });
    (this.#written[partition] as number[]).push(this.#end);
    this.#end += blockBytes;
    this.#filled[partition] = 0;
  }

  #try<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      const code = systemCode(cause);
      if (code === undefined || cause instanceof CheckpostError) throw cause;
      throw new CheckpostError(
        'FILE_REFUSED',
        `${this.#folder} does not take the hashed record ids (${code}).`,
        cause,
      );
    }
  }
}

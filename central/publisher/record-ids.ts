import { randomFillSync } from 'node:crypto';
import { IdSpill, partitions } from './id-spill.ts';
import { IdTable } from './id-table.ts';

/** Bytes of the longest id: 64 characters of at most three bytes for each UTF-16 unit. */
export const longestId = 192;
const lanes = 3;

export interface RecordIdsOptions {
  /** Where a file is made, without a name, once there are too many ids for memory. */
  readonly folder: string;
  readonly inMemory?: number;
  readonly random?: (words: Uint32Array) => void;
}

/** A row whose id an earlier one has already. */
export interface RepeatedId {
  readonly row: number;
  readonly earlier: number;
}

/**
 * Finds ids that are there twice among any number of rows, in bounded memory. Up to `inMemory` ids are compared as they
 * come; beyond that all of them go to a file, and are compared part by part at the end.
 *
 * Not ids are kept but 96 bits of each, by tabulation hashing with random tables of this run: every byte at every place
 * has its own random word, and the words of an id are put together by exclusive or. Whatever two ids are, the chance
 * that they are taken for one is 2^-96; among 150 million ids it is one in seven million million.
 */
export class RecordIds {
  readonly #options: RecordIdsOptions;
  readonly #inMemory: number;
  readonly #words = new Uint32Array(longestId * 256 * lanes);
  #table: IdTable | undefined = new IdTable();
  #spill: IdSpill | undefined;

  constructor(options: RecordIdsOptions) {
    this.#options = options;
    this.#inMemory = options.inMemory ?? 1_000_000;
    (options.random ?? randomFillSync)(this.#words);
  }

  /**
   * Notes the id that lies here and its row, which is not 0. The earlier row that has the same id, where that is known
   * at once; otherwise undefined, also of an id that `repeated` will tell. Throws FILE_REFUSED.
   */
  add(bytes: Uint8Array, from: number, to: number, row: number): number | undefined {
    const words = this.#words;
    let a = 0;
    let b = 0;
    let c = 0;
    for (let at = from, place = 0; at < to; at++, place += 256) {
      const word = (place + (bytes[at] as number)) * lanes;
      a ^= words[word] as number;
      b ^= words[word + 1] as number;
      c ^= words[word + 2] as number;
    }
    if (this.#spill !== undefined) {
      this.#spill.put(a, b, c, row);
      return undefined;
    }
    const table = this.#table as IdTable;
    const earlier = table.put(a, b, c, row);
    if (earlier !== 0) return earlier;
    if (table.size > this.#inMemory) this.#toFile(table);
    return undefined;
  }

  /** What `add` could not tell yet, in parts between which the caller may rest. Throws FILE_REFUSED. */
  *repeated(): Generator<RepeatedId[]> {
    const spill = this.#spill;
    if (spill === undefined) return;
    const table = new IdTable();
    for (let partition = 0; partition < partitions; partition++) {
      const found: RepeatedId[] = [];
      for (const entries of spill.read(partition)) {
        for (let at = 0; at < entries.length; at += 4) {
          const row = entries[at + 3] as number;
          const earlier = table.put(
            entries[at] as number,
            entries[at + 1] as number,
            entries[at + 2] as number,
            row,
          );
          if (earlier !== 0) found.push({ row, earlier });
        }
      }
      table.clear();
      yield found;
    }
  }

  close(): void {
    this.#table = undefined;
    this.#spill?.close();
    this.#spill = undefined;
  }

  #toFile(table: IdTable): void {
    const spill = new IdSpill(this.#options.folder);
    this.#spill = spill;
    table.forEach((a, b, c, row) => spill.put(a, b, c, row));
    this.#table = undefined;
  }
}

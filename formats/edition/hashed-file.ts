import { createHash } from 'node:crypto';
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { hashBytes, leafBytes, leafHash, treeRoot } from './hash-tree.ts';

/**
 * Synced piece by piece: a hundred megabytes that are written back at once would hold up the record's own sync, and with
 * it a verdict, for as long.
 */
const syncBytes = 4_194_304;

/** A file that was written whole: what its signed description will say of it. */
export interface WrittenFile {
  readonly bytes: number;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly sha256: string;
  /** Root of the hash tree over the bytes before the leaf hashes, hexadecimal. */
  readonly tree: string;
  /** Where the leaf hashes stand, to the end of the file. */
  readonly leavesAt: number;
}

/**
 * Writes a file from its first byte to its last, hashing as it goes; the leaf hashes come last. Synchronous: whoever
 * writes a base does so in a process or thread of its own. Failures of the disk are thrown as Node's errors.
 */
export class HashedFile {
  readonly #fd: number;
  readonly #leaf = Buffer.allocUnsafeSlow(leafBytes);
  readonly #leaves: Buffer[] = [];
  readonly #hash = createHash('sha256');
  #filled = 0;
  #written = 0;
  #unsynced = 0;
  #closed = false;

  /** The file must not be there yet. */
  constructor(file: string) {
    this.#fd = openSync(file, 'wx', 0o644);
  }

  append(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const part = bytes.subarray(at, at + leafBytes - this.#filled);
      this.#leaf.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === leafBytes) this.#endLeaf();
    }
  }

  /** Writes the rest and the leaf hashes, and syncs the file; it is closed then. */
  finish(): WrittenFile {
    if (this.#filled > 0) this.#endLeaf();
    const leavesAt = this.#written;
    const leaves = Buffer.concat(this.#leaves);
    this.#put(leaves);
    fsyncSync(this.#fd);
    this.close();
    return {
      bytes: this.#written,
      sha256: this.#hash.digest('hex'),
      tree: treeRoot(leaves).toString('hex'),
      leavesAt,
    };
  }

  /** Once only: its number may be another file's by the time that somebody cleans up. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  #endLeaf(): void {
    const leaf = this.#leaf.subarray(0, this.#filled);
    this.#leaves.push(leafHash(leaf));
    this.#put(leaf);
    this.#filled = 0;
  }

  #put(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    this.#written += bytes.length;
    this.#unsynced += bytes.length;
    if (this.#unsynced < syncBytes) return;
    fdatasyncSync(this.#fd);
    this.#unsynced = 0;
  }
}

/** Where the leaf hashes of a file of this length begin; undefined where no file has this length. */
export function leavesOffset(bytes: number): number | undefined {
  const leaves = Math.ceil(bytes / (leafBytes + hashBytes));
  const at = bytes - leaves * hashBytes;
  return Math.ceil(at / leafBytes) === leaves ? at : undefined;
}

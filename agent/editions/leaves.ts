import { setImmediate } from 'node:timers/promises';
import { hashBytes, leafBytes, leafHash, treeRoot } from '#formats/edition/hash-tree.ts';

/** How many leaf hashes are joined before the loop gets its turn: a power of two, about a millisecond. */
const joinedAtOnce = 512;

/** What the bytes of a file must be, leaf by leaf. */
export class Leaves {
  /** The hashes one after the other, 32 bytes each. */
  readonly hashes: Buffer;
  /** Bytes of the file that they stand for. */
  readonly bytes: number;

  private constructor(hashes: Buffer, bytes: number) {
    this.hashes = hashes;
    this.bytes = bytes;
  }

  /** Undefined where these are not the leaf hashes under that root. */
  static async under(root: string, hashes: Buffer, bytes: number): Promise<Leaves | undefined> {
    const matches = hashes.length === leafHashBytes(bytes) && (await rootOf(hashes)) === root;
    return matches ? new Leaves(hashes, bytes) : undefined;
  }

  /** Length of the leaf that begins there. */
  lengthAt(at: number): number {
    return Math.min(leafBytes, this.bytes - at);
  }

  /** Whether this is the leaf that begins there. */
  holds(at: number, leaf: Uint8Array): boolean {
    const place = (at / leafBytes) * hashBytes;
    return leafHash(leaf).equals(this.hashes.subarray(place, place + hashBytes));
  }
}

/** How long the leaf hashes of so many bytes are. */
export function leafHashBytes(bytes: number): number {
  return Math.ceil(bytes / leafBytes) * hashBytes;
}

/**
 * The root, without holding up the loop for all of it: the roots of parts of 512 leaves are a level of the same tree,
 * and go on as one.
 */
async function rootOf(hashes: Buffer): Promise<string> {
  const part = joinedAtOnce * hashBytes;
  if (hashes.length <= part) return treeRoot(hashes).toString('hex');
  const above: Buffer[] = [];
  for (let at = 0; at < hashes.length; at += part) {
    above.push(treeRoot(hashes.subarray(at, at + part)));
    await setImmediate();
  }
  return rootOf(Buffer.concat(above));
}

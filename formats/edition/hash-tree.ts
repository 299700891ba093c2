import { createHash } from 'node:crypto';

/**
 * A hash tree over the bytes of a file, so that each part of it can be checked by itself (after RFC 9162 § 2.1.1):
 * the file is cut into leaves of 64 KiB, the last one shorter; the hash of a leaf is SHA-256 of a zero byte and its
 * bytes; two neighbours make SHA-256 of a one byte and both hashes; one without a neighbour goes up as it is.
 */
export const leafBytes = 65_536;
export const hashBytes = 32;

const leafMark = Buffer.from([0]);
const nodeMark = Buffer.from([1]);

/** Hash of one leaf: at most `leafBytes` bytes of the file, from a multiple of `leafBytes` on. */
export function leafHash(leaf: Uint8Array): Buffer {
  return createHash('sha256').update(leafMark).update(leaf).digest();
}

/** Root of the tree over these leaf hashes, 32 bytes each in the order of the file; an empty file has SHA-256 of nothing. */
export function treeRoot(leaves: Uint8Array): Buffer {
  if (leaves.length === 0) return createHash('sha256').digest();
  let level: Uint8Array[] = [];
  for (let at = 0; at < leaves.length; at += hashBytes) level.push(leaves.subarray(at, at + hashBytes));
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at] as Uint8Array, level[at + 1]];
      above.push(
        right === undefined
          ? left
          : createHash('sha256').update(nodeMark).update(left).update(right).digest(),
      );
    }
    level = above;
  }
  return Buffer.from(level[0] as Uint8Array);
}

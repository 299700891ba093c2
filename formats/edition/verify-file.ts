import { closeSync, fstatSync, openSync } from 'node:fs';
import { ok, type Result } from '#contracts/result.ts';
import { hashBytes, leafBytes, leafHash, treeRoot } from './hash-tree.ts';
import { damaged } from './header.ts';
import { leavesOffset } from './hashed-file.ts';
import { readAll } from './read-all.ts';

/**
 * Reads a file of a base from end to end and checks it against the root of its hash tree, hexadecimal, as the signed
 * description says it. Synchronous: it runs in a thread of its own, now and then, so that a block that has gone bad is
 * found before somebody asks for it. The fault is EDITION_DAMAGED and says where; a file that is not there throws Node's
 * error.
 */
export function verifyFile(file: string, tree: string): Result<void> {
  const fd = openSync(file, 'r');
  try {
    const bytes = fstatSync(fd).size;
    const leavesAt = leavesOffset(bytes);
    if (leavesAt === undefined) return damaged('It is cut off.');
    const leaves = Buffer.alloc(bytes - leavesAt);
    if (!readAll(fd, leaves, leaves.length, leavesAt)) return damaged('Its leaf hashes cannot be read.');
    if (treeRoot(leaves).toString('hex') !== tree)
      return damaged('Its leaf hashes are not those that were signed.');
    const leaf = Buffer.alloc(leafBytes);
    for (let at = 0, number = 0; at < leavesAt; at += leafBytes, number++) {
      const part = leaf.subarray(0, Math.min(leafBytes, leavesAt - at));
      const signed = leaves.subarray(number * hashBytes, (number + 1) * hashBytes);
      if (!readAll(fd, part, part.length, at) || !leafHash(part).equals(signed)) {
        return damaged(`Its bytes from ${at} on, ${part.length} of them, are not those that were signed.`);
      }
    }
    return ok(undefined);
  } finally {
    closeSync(fd);
  }
}

import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '#test/rigs/random.ts';
import { hashBytes, leafBytes, leafHash, treeRoot } from './hash-tree.ts';
import { HashedFile, leavesOffset, type WrittenFile } from './hashed-file.ts';
import { codeOf, Folder, overwrite } from './test-bench.ts';
import { verifyFile } from './verify-file.ts';

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
});
afterAll(() => {
  folder.remove();
});

const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** RFC 9162 § 2.1.1, as it is written there: cut at the largest power of two below. */
function merkle(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return sha256(Buffer.from([0]), leaves[0] as Buffer);
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return sha256(Buffer.from([1]), merkle(leaves.slice(0, half)), merkle(leaves.slice(half)));
}

function randomBytes(length: number): Buffer {
  const random = seeded(length);
  const bytes = Buffer.alloc(length + 4);
  for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  return bytes.subarray(0, length);
}

let files = 0;
function write(bytes: Buffer, piece = bytes.length): { file: string; written: WrittenFile } {
  const file = join(folder.path, `hashed-${++files}`);
  const writer = new HashedFile(file);
  for (let at = 0; at < bytes.length; at += piece) writer.append(bytes.subarray(at, at + piece));
  return { file, written: writer.finish() };
}

describe('the root of a hash tree', () => {
  test('is the one of RFC 9162 for any number of leaves', () => {
    for (let count = 0; count <= 33; count++) {
      const leaves = Array.from({ length: count }, (_, at) => Buffer.from(`leaf ${at}`));
      expect(treeRoot(Buffer.concat(leaves.map(leafHash))), `${count} leaves`).toEqual(merkle(leaves));
    }
  });

  test('of two leaves is not the hash of a leaf that looks like them', () => {
    const two = Buffer.concat([leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))]);
    expect(leafHash(two)).not.toEqual(treeRoot(two));
  });
});

const sizes = [0, 1, leafBytes - 1, leafBytes, leafBytes + 1, 3 * leafBytes + 5];

describe('a hashed file', () => {
  test.each(sizes)('of %i bytes is those bytes, their leaf hashes, and what it says of itself', (size) => {
    const bytes = randomBytes(size);
    const { file, written } = write(bytes);
    const leaves: Buffer[] = [];
    for (let at = 0; at < size; at += leafBytes) leaves.push(bytes.subarray(at, at + leafBytes));
    const whole = Buffer.concat([bytes, ...leaves.map(leafHash)]);
    expect(readFileSync(file).equals(whole)).toBe(true);
    expect(written).toEqual({
      bytes: whole.length,
      sha256: sha256(whole).toString('hex'),
      tree: merkle(leaves).toString('hex'),
      leavesAt: size,
    });
    expect(verifyFile(file, written.tree)).toEqual({ ok: true, value: undefined });
  });

  test('is the same whatever pieces it comes in', () => {
    const bytes = randomBytes(2 * leafBytes + 100);
    const { written } = write(bytes);
    for (const piece of [997, leafBytes - 1, leafBytes, leafBytes + 1])
      expect(write(bytes, piece).written).toEqual(written);
  });

  test('is never written over another', () => {
    const { file } = write(Buffer.from('here before'));
    expect(() => new HashedFile(file)).toThrow('EEXIST');
  });

  test('that is closed twice closes nobody else’s file', () => {
    const file = join(folder.path, 'twice');
    const first = new HashedFile(file);
    first.finish();
    rmSync(file);
    // Takes over the number that the first one had.
    const second = new HashedFile(file);
    first.close();
    second.append(Buffer.from('whole'));
    expect(second.finish().leavesAt).toBe(5);
  });

  test('has its leaf hashes where its length says, and no other length is one of a file', () => {
    const lengths = new Map<number, number>();
    for (const near of [0, 1, 2, 3]) {
      for (let by = -70; by <= 70; by++) {
        const size = near * leafBytes + by;
        if (size >= 0) lengths.set(size + Math.ceil(size / leafBytes) * hashBytes, size);
      }
    }
    for (const [length, size] of lengths) expect(leavesOffset(length), `${length} bytes`).toBe(size);
    // Between a whole leaf with its hash and the first byte of the next one with its own.
    for (let bytes = 1; bytes <= hashBytes; bytes++) {
      expect(leavesOffset(bytes)).toBeUndefined();
      expect(leavesOffset(leafBytes + hashBytes + bytes)).toBeUndefined();
    }
  });
});

describe('a file that is verified', () => {
  const bytes = randomBytes(2 * leafBytes + 1000);
  let file: string;
  let tree: string;
  beforeAll(() => {
    const made = write(bytes);
    file = made.file;
    tree = made.written.tree;
  });

  test('is refused for a byte that changed in any of its leaves or their hashes, and says where', () => {
    const size = statSync(file).size;
    const whole = readFileSync(file);
    for (const at of [
      0,
      1,
      leafBytes - 1,
      leafBytes,
      2 * leafBytes,
      2 * leafBytes + 999,
      bytes.length,
      size - 1,
    ]) {
      const right = whole.subarray(at, at + 1);
      overwrite(file, Buffer.from([(right[0] as number) ^ 0x10]), at);
      const verified = verifyFile(file, tree);
      expect(codeOf(verified), `byte ${at}`).toBe('EDITION_DAMAGED');
      const from = Math.floor(at / leafBytes) * leafBytes;
      const words =
        at < bytes.length ? `bytes from ${from} on` : 'leaf hashes are not those that were signed';
      expect(verified.ok ? '' : verified.fault.detail).toContain(words);
      overwrite(file, right, at);
    }
    expect(verifyFile(file, tree).ok).toBe(true);
  });

  test('is refused under another root, cut off, made longer, or replaced by one of the same size', () => {
    expect(codeOf(verifyFile(file, tree.replace(/^./, tree.startsWith('0') ? '1' : '0')))).toBe(
      'EDITION_DAMAGED',
    );
    const other = write(randomBytes(bytes.length + 4).subarray(4));
    expect(statSync(other.file).size).toBe(statSync(file).size);
    expect(codeOf(verifyFile(other.file, tree))).toBe('EDITION_DAMAGED');
    const whole = readFileSync(other.file);
    for (const length of [0, 1, hashBytes, leafBytes, bytes.length, whole.length - 1]) {
      writeFileSync(other.file, whole.subarray(0, length));
      expect(codeOf(verifyFile(other.file, other.written.tree)), `${length} bytes`).toBe('EDITION_DAMAGED');
    }
    writeFileSync(other.file, Buffer.concat([readFileSync(file), Buffer.alloc(1)]));
    expect(codeOf(verifyFile(other.file, tree))).toBe('EDITION_DAMAGED');
  });

  test('that is not there is an error of the system, not damage', () => {
    expect(() => verifyFile(join(folder.path, 'nowhere'), tree)).toThrow('ENOENT');
  });
});

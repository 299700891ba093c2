import { readSync } from 'node:fs';

/**
 * Reads `length` bytes from a position on. Whether all of them could be read: a disk that fails and a file that ends are
 * the same to whoever asks.
 */
export function readAll(fd: number, into: Buffer, length: number, position: number): boolean {
  try {
    for (let at = 0; at < length;) {
      const got = readSync(fd, into, at, length - at, position + at);
      if (got === 0) return false;
      at += got;
    }
    return true;
  } catch {
    return false;
  }
}

import { checkBytes, middleBits, slots } from './base-layout.ts';

/** Where the parts of one bucket stand in bytes that hold it from their start (base-layout.ts). */

/** Ones in a byte. */
const ones = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest > 0; rest &= rest - 1) count++;
  return count;
});

/** The fingerprints that were found: places from `from` to before `to` of the bucket. */
export interface Places {
  readonly from: number;
  readonly to: number;
}

const nowhere: Places = { from: 0, to: 0 };

/** The places of the fingerprint in a bucket of `count`; equal ones stand beside each other. */
export function findInBucket(bytes: Buffer, count: number, q: number, hi: number, lo: number): Places {
  const rest = (hi << q) >>> 0;
  const slot = rest >>> 25;
  const width = middleBits(q);
  const middle = width === 0 ? 0 : (rest << 7) >>> (7 + q);
  // The slot begins after as many zeros as there are slots before it; the ones before it are its first place.
  let zeros = 0;
  let at = 0;
  let byte = checkBytes;
  let value = bytes[byte] as number;
  for (;;) {
    const inByte = ones[value] as number;
    if (zeros + 8 - inByte >= slot) break;
    zeros += 8 - inByte;
    at += inByte;
    value = bytes[++byte] as number;
  }
  let bit = 0;
  while (zeros < slot) {
    if ((value & (0x80 >>> bit)) === 0) zeros++;
    else at++;
    bit++;
  }
  if (bit === 8) {
    bit = 0;
    value = bytes[++byte] as number;
  }
  const middlesAt = checkBytes + ((slots + count + 7) >>> 3);
  const endsAt = middlesAt + Math.ceil((count * width) / 8);
  let from = -1;
  while ((value & (0x80 >>> bit)) !== 0) {
    const same =
      wordAt(bytes, endsAt + 4 * at) === lo && bitsAt(bytes, middlesAt, at * width, width) === middle;
    if (same && from === -1) from = at;
    if (!same && from !== -1) break;
    at++;
    if (++bit === 8) {
      bit = 0;
      value = bytes[++byte] as number;
    }
  }
  return from === -1 ? nowhere : { from, to: at };
}

/** Writes the bucket's fingerprints into the columns from `into` on. */
export function decodeBucket(
  bytes: Buffer,
  bucket: number,
  count: number,
  q: number,
  columns: { readonly hi: Uint32Array; readonly lo: Uint32Array },
  into: number,
): void {
  const width = middleBits(q);
  const middlesAt = checkBytes + ((slots + count + 7) >>> 3);
  const endsAt = middlesAt + Math.ceil((count * width) / 8);
  const prefix = q === 0 ? 0 : bucket * 2 ** (32 - q);
  let slot = 0;
  let bit = 0;
  for (let at = 0; at < count; bit++) {
    if (((bytes[checkBytes + (bit >>> 3)] as number) & (0x80 >>> (bit & 7))) === 0) {
      slot++;
      continue;
    }
    const middle = bitsAt(bytes, middlesAt, at * width, width);
    columns.hi[into + at] = prefix + slot * 2 ** width + middle;
    columns.lo[into + at] = wordAt(bytes, endsAt + 4 * at);
    at++;
  }
}

/** Whether the slots are those of as many fingerprints as the index says: 128 zeros, `count` ones, zeros to the byte. */
export function isWholeBucket(bytes: Buffer, count: number): boolean {
  let found = 0;
  const end = checkBytes + ((slots + count + 7) >>> 3);
  for (let at = checkBytes; at < end; at++) found += ones[bytes[at] as number] as number;
  return found === count;
}

function wordAt(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

/** `width` bits, at most 25, from their highest on, at a bit's place after `start`. */
function bitsAt(bytes: Buffer, start: number, bit: number, width: number): number {
  if (width === 0) return 0;
  const at = start + (bit >>> 3);
  // The ends follow, so that four bytes are always there.
  return (wordAt(bytes, at) << (bit & 7)) >>> (32 - width);
}

import { crc32 } from 'node:zlib';
import {
  blockRecords,
  bucketBytes,
  bucketOf,
  checkBytes,
  maxBucket,
  middleBits,
  prefixBits,
  slots,
} from './base-layout.ts';
import { compareEntries, type Entries, payloadBytes } from './entries.ts';
import { HashedFile, type WrittenFile } from './hashed-file.ts';
import { type EditionHeader, encodeHeader } from './header.ts';

export interface WrittenBase {
  readonly fingerprints: WrittenFile;
  readonly payload: WrittenFile;
}

/** More records under one prefix than a bucket can hold: tens of thousands of records of one document. */
export class BucketFull extends Error {}

/**
 * Writes both files of a base (base-layout.ts) from entries that come in their order, in chunks. `header.count` must be
 * how many come: a TypeError says where they do not, or are out of order.
 */
export class BaseWriter {
  readonly #count: number;
  readonly #q: number;
  readonly #fingerprints: HashedFile;
  readonly #payload: HashedFile;
  readonly #counts: Buffer;
  /** The bucket that is being filled, and its fingerprints so far. */
  #bucket = 0;
  #inBucket = 0;
  #hi = new Uint32Array(1024);
  #lo = new Uint32Array(1024);
  #scratch = Buffer.alloc(8192);
  readonly #block = Buffer.alloc(blockRecords * payloadBytes + checkBytes);
  #inBlock = 0;
  /** Blocks that were written. */
  #blocks = 0;
  #written = 0;
  #last: { readonly entries: Entries; readonly at: number } | undefined;

  constructor(files: { readonly fingerprints: string; readonly payload: string }, header: EditionHeader) {
    this.#count = header.count;
    this.#q = prefixBits(header.count);
    this.#counts = Buffer.alloc(2 * 2 ** this.#q + checkBytes);
    const whole = { ...header, from: 0, additions: 0, removals: 0 };
    this.#fingerprints = new HashedFile(files.fingerprints);
    this.#fingerprints.append(encodeHeader('fingerprints', { ...whole, parameters: [this.#q, 0] }));
    try {
      this.#payload = new HashedFile(files.payload);
    } catch (cause) {
      this.#fingerprints.close();
      throw cause;
    }
    this.#payload.append(encodeHeader('payload', { ...whole, parameters: [0, 0] }));
  }

  add(entries: Entries): void {
    const { hi, lo, payload } = entries;
    for (let at = 0; at < hi.length; at++) {
      const before = at === 0 ? this.#last : { entries, at: at - 1 };
      if (before !== undefined && compareEntries(before.entries, before.at, entries, at) > 0) {
        throw new TypeError('the entries are not in order');
      }
      const bucket = bucketOf(hi[at] as number, this.#q);
      while (this.#bucket < bucket) this.#endBucket();
      this.#addFingerprint(hi[at] as number, lo[at] as number);
      this.#addPayload(payload[at] as number);
    }
    this.#written += hi.length;
    if (hi.length > 0) this.#last = { entries, at: hi.length - 1 };
  }

  finish(): WrittenBase {
    if (this.#written !== this.#count) {
      throw new TypeError(`${this.#written} entries came, not ${this.#count}`);
    }
    while (this.#bucket < 2 ** this.#q) this.#endBucket();
    const counts = this.#counts.subarray(0, -checkBytes);
    this.#counts.writeUInt32BE(crc32(counts), counts.length);
    this.#fingerprints.append(this.#counts);
    this.#endBlock();
    return { fingerprints: this.#fingerprints.finish(), payload: this.#payload.finish() };
  }

  /** Gives the files up, half written; of those that are finished it does nothing. */
  abandon(): void {
    this.#fingerprints.close();
    this.#payload.close();
  }

  #addFingerprint(hi: number, lo: number): void {
    if (this.#inBucket === maxBucket) throw new BucketFull(`more than ${maxBucket} records in one bucket`);
    if (this.#inBucket === this.#hi.length) {
      this.#hi = grown(this.#hi);
      this.#lo = grown(this.#lo);
    }
    this.#hi[this.#inBucket] = hi;
    this.#lo[this.#inBucket++] = lo;
  }

  #endBucket(): void {
    const count = this.#inBucket;
    const length = bucketBytes(count, this.#q);
    if (this.#scratch.length < length) this.#scratch = Buffer.alloc(length * 2);
    const bytes = this.#scratch.subarray(0, length).fill(0);
    const width = middleBits(this.#q);
    const middlesAt = checkBytes + ((slots + count + 7) >>> 3);
    const endsAt = length - 4 * count;
    for (let at = 0; at < count; at++) {
      const rest = ((this.#hi[at] as number) << this.#q) >>> 0;
      const slot = rest >>> 25;
      // The one of fingerprint `at` comes after a one for each before it and a zero for each slot before its own.
      const one = at + slot;
      bytes[checkBytes + (one >>> 3)] = (bytes[checkBytes + (one >>> 3)] as number) | (0x80 >>> (one & 7));
      if (width > 0) putBits(bytes, middlesAt, at * width, width, (rest << 7) >>> (7 + this.#q));
      bytes.writeUInt32BE(this.#lo[at] as number, endsAt + 4 * at);
    }
    bytes.writeUInt32BE((crc32(bytes.subarray(checkBytes)) ^ this.#bucket) >>> 0, 0);
    this.#fingerprints.append(bytes);
    this.#counts.writeUInt16BE(count, 2 * this.#bucket);
    this.#bucket++;
    this.#inBucket = 0;
  }

  #addPayload(payload: number): void {
    this.#block.writeUIntBE(payload, this.#inBlock * payloadBytes, payloadBytes);
    if (++this.#inBlock === blockRecords) this.#endBlock();
  }

  #endBlock(): void {
    const length = this.#inBlock * payloadBytes;
    if (length === 0) return;
    this.#block.writeUInt32BE((crc32(this.#block.subarray(0, length)) ^ this.#blocks++) >>> 0, length);
    this.#payload.append(this.#block.subarray(0, length + checkBytes));
    this.#inBlock = 0;
  }
}

/** Writes `width` bits of a value, at most 25, from its highest on, at a bit's place after `start`. */
function putBits(bytes: Buffer, start: number, bit: number, width: number, value: number): void {
  let left = width;
  let at = bit;
  while (left > 0) {
    const free = 8 - (at & 7);
    const take = Math.min(free, left);
    const part = (value >>> (left - take)) & ((1 << take) - 1);
    const place = start + (at >>> 3);
    bytes[place] = (bytes[place] as number) | (part << (free - take));
    at += take;
    left -= take;
  }
}

function grown(column: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(column.length * 2);
  larger.set(column);
  return larger;
}

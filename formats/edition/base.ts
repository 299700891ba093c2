import { closeSync, fstatSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { ok, type Result } from '#contracts/result.ts';
import { decodeBucket, findInBucket, isWholeBucket } from './base-bucket.ts';
import {
  blockBytes,
  blockRecords,
  bucketBytes,
  bucketOf,
  checkBytes,
  payloadSectionBytes,
  prefixBits,
} from './base-layout.ts';
import { type Entries, makeEntries, payloadBytes } from './entries.ts';
import { leavesOffset } from './hashed-file.ts';
import {
  damaged,
  decodeHeader,
  type EditionHeader,
  type FileKind,
  type Header,
  headerBytes,
} from './header.ts';
import { readAll } from './read-all.ts';

/**
 * An open base: two files and, in memory, where each bucket begins and how many records stand before it (8 bytes for
 * about 90 records). A look-up costs one positioned read; a record that is found a second one, of the payload.
 *
 * Reads are synchronous: from the page cache they take less time than handing them to another thread would, and nothing
 * can come between a question and its answer. Whatever is read is checked; a block that is damaged, cut off or cannot be
 * read is a fault, never an empty answer.
 */
export class Base {
  readonly header: EditionHeader;
  readonly q: number;
  readonly bytes: number;
  readonly #fingerprints: number;
  readonly #payload: number;
  /** Records before each bucket, and behind the last one. */
  readonly #ranks: Uint32Array;
  /** Where each bucket begins in the file, and the last one ends. */
  readonly #offsets: Uint32Array;
  readonly #scratch: Buffer;
  #closed = false;

  private constructor(parts: {
    header: EditionHeader;
    q: number;
    bytes: number;
    fingerprints: number;
    payload: number;
    ranks: Uint32Array;
    offsets: Uint32Array;
    largest: number;
  }) {
    this.header = parts.header;
    this.q = parts.q;
    this.bytes = parts.bytes;
    this.#fingerprints = parts.fingerprints;
    this.#payload = parts.payload;
    this.#ranks = parts.ranks;
    this.#offsets = parts.offsets;
    this.#scratch = Buffer.allocUnsafeSlow(Math.max(parts.largest, blockBytes));
  }

  /**
   * Opens the two files, reads headers and index and checks that all fits together; what is behind the index is checked
   * when it is read. Faults: EDITION_DAMAGED, EDITION_NEWER. A file that is not there throws Node's error.
   */
  static open(files: { readonly fingerprints: string; readonly payload: string }): Result<Base> {
    const fingerprints = openSync(files.fingerprints, 'r');
    let payload: number | undefined;
    let opened: Result<Base> | undefined;
    try {
      payload = openSync(files.payload, 'r');
      opened = Base.#read(fingerprints, payload);
    } finally {
      if (opened?.ok !== true) {
        closeSync(fingerprints);
        if (payload !== undefined) closeSync(payload);
      }
    }
    return opened;
  }

  static #read(fingerprints: number, payload: number): Result<Base> {
    const first = readPart(fingerprints, 'fingerprints');
    if (!first.ok) return first;
    const second = readPart(payload, 'payload');
    if (!second.ok) return second;
    const header = first.value.header;
    const q = header.parameters[0];
    for (const name of [
      'collection',
      'edition',
      'date',
      'count',
      'fingerprintKey',
      'fingerprintCheck',
    ] as const) {
      if (header[name] !== second.value.header[name])
        return damaged('Its two files are of different editions.');
    }
    if (q !== prefixBits(header.count) || !isOfBase(header) || !isOfBase(second.value.header)) {
      return damaged('Its header is not one of a base.');
    }
    if (second.value.leavesAt !== headerBytes + payloadSectionBytes(header.count)) {
      return damaged('Its payload has not the length that its count asks for.');
    }
    const buckets = 2 ** q;
    const countsAt = first.value.leavesAt - 2 * buckets - checkBytes;
    const counts = Buffer.allocUnsafeSlow(2 * buckets + checkBytes);
    if (countsAt < headerBytes || !readAll(fingerprints, counts, counts.length, countsAt)) {
      return damaged('Its index is cut off.');
    }
    if (crc32(counts.subarray(0, -checkBytes)) !== counts.readUInt32BE(2 * buckets)) {
      return damaged('Its index is damaged.');
    }
    const ranks = new Uint32Array(buckets + 1);
    const offsets = new Uint32Array(buckets + 1);
    let rank = 0;
    let offset = headerBytes;
    let largest = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      ranks[bucket] = rank;
      offsets[bucket] = offset;
      const count = ((counts[2 * bucket] as number) << 8) | (counts[2 * bucket + 1] as number);
      const length = bucketBytes(count, q);
      rank += count;
      offset += length;
      if (length > largest) largest = length;
    }
    ranks[buckets] = rank;
    offsets[buckets] = offset;
    if (rank !== header.count || offset !== countsAt) return damaged('Its index does not fit its length.');
    const { collection, edition, date, count, fingerprintKey, fingerprintCheck } = header;
    return ok(
      new Base({
        header: { collection, edition, date, count, fingerprintKey, fingerprintCheck },
        q,
        bytes: first.value.bytes + second.value.bytes,
        fingerprints,
        payload,
        ranks,
        offsets,
        largest,
      }),
    );
  }

  /**
   * Payloads (entries.ts) of all records with this fingerprint, in ascending order. The fault is EDITION_DAMAGED where
   * they cannot be read as they were written.
   */
  search(hi: number, lo: number): Result<readonly number[]> {
    this.#mustBeOpen();
    const bucket = bucketOf(hi, this.q);
    const rank = this.#ranks[bucket] as number;
    const count = (this.#ranks[bucket + 1] as number) - rank;
    if (count === 0) return none;
    const read = this.#bucket(bucket, count);
    if (!read.ok) return read;
    const { from, to } = findInBucket(this.#scratch, count, this.q, hi, lo);
    if (from === to) return none;
    return this.#payloads(rank + from, rank + to);
  }

  /**
   * All entries in their order, in chunks of at least a bucket and about 16,384 records, each on memory of its own. A
   * fault ends it: EDITION_DAMAGED.
   */
  *entries(): Generator<Result<Entries>, void> {
    const buckets = this.#ranks.length - 1;
    for (let first = 0; first < buckets;) {
      const rank = this.#ranks[first] as number;
      let end = first + 1;
      while (end < buckets && (this.#ranks[end + 1] as number) - rank <= chunkRecords) end++;
      const chunk = this.#chunk(first, end);
      yield chunk;
      if (!chunk.ok) return;
      first = end;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fingerprints);
    closeSync(this.#payload);
  }

  /** Behind the numbers of closed files may be others by now. */
  #mustBeOpen(): void {
    if (this.#closed) throw new TypeError('the base is closed');
  }

  #chunk(first: number, end: number): Result<Entries> {
    this.#mustBeOpen();
    const rank = this.#ranks[first] as number;
    const entries = makeEntries((this.#ranks[end] as number) - rank);
    const at = this.#offsets[first] as number;
    const bytes = Buffer.allocUnsafeSlow((this.#offsets[end] as number) - at);
    if (!readAll(this.#fingerprints, bytes, bytes.length, at)) return unreadable();
    for (let bucket = first; bucket < end; bucket++) {
      const from = (this.#offsets[bucket] as number) - at;
      const into = (this.#ranks[bucket] as number) - rank;
      const count = (this.#ranks[bucket + 1] as number) - rank - into;
      const one = bytes.subarray(from, (this.#offsets[bucket + 1] as number) - at);
      if (!isSound(one, bucket, count)) return unsound('fingerprints', bucket);
      decodeBucket(one, bucket, count, this.q, entries, into);
    }
    const payloads = this.#payloads(rank, rank + entries.hi.length);
    if (!payloads.ok) return payloads;
    entries.payload.set(payloads.value);
    return ok(entries);
  }

  #bucket(bucket: number, count: number): Result<undefined> {
    const at = this.#offsets[bucket] as number;
    const length = (this.#offsets[bucket + 1] as number) - at;
    if (!readAll(this.#fingerprints, this.#scratch, length, at)) return unreadable();
    return isSound(this.#scratch.subarray(0, length), bucket, count) ? read : unsound('fingerprints', bucket);
  }

  #payloads(from: number, to: number): Result<readonly number[]> {
    const found: number[] = [];
    for (let rank = from; rank < to;) {
      const block = Math.floor(rank / blockRecords);
      const first = block * blockRecords;
      const records = Math.min(blockRecords, this.header.count - first);
      const length = records * payloadBytes;
      const at = headerBytes + block * blockBytes;
      if (!readAll(this.#payload, this.#scratch, length + checkBytes, at)) return unreadable();
      const check = (crc32(this.#scratch.subarray(0, length)) ^ block) >>> 0;
      if (check !== this.#scratch.readUInt32BE(length)) {
        return unsound('payload', block);
      }
      const end = Math.min(to - first, records);
      for (let place = rank - first; place < end; place++) {
        found.push(this.#scratch.readUIntBE(place * payloadBytes, payloadBytes));
      }
      rank = first + end;
    }
    return ok(found);
  }
}

const none: Result<readonly number[]> = ok([]);
const read: Result<undefined> = ok(undefined);
const chunkRecords = 16_384;

/** Fields that only a delta has are 0. */
function isOfBase({ from, additions, removals, parameters }: Header): boolean {
  return from + additions + removals + parameters[1] === 0;
}

function isSound(bytes: Buffer, bucket: number, count: number): boolean {
  const check = (crc32(bytes.subarray(checkBytes)) ^ bucket) >>> 0;
  return check === bytes.readUInt32BE(0) && isWholeBucket(bytes, count);
}

function unreadable() {
  return damaged('A block of it cannot be read.');
}

function unsound(what: string, number: number) {
  return damaged(`Block ${number} of its ${what} is not as it was written.`);
}

function readPart(
  fd: number,
  kind: FileKind,
): Result<{ readonly header: Header; readonly bytes: number; readonly leavesAt: number }> {
  const bytes = fstatSync(fd).size;
  const first = Buffer.alloc(headerBytes);
  if (!readAll(fd, first, headerBytes, 0)) return damaged('It is shorter than a header.');
  const header = decodeHeader(kind, first);
  if (!header.ok) return header;
  const leavesAt = leavesOffset(bytes);
  if (leavesAt === undefined) return damaged('It is cut off.');
  return ok({ header: header.value, bytes, leavesAt });
}

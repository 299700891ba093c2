import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compareEntries, type Entries, makeEntries } from '#formats/edition/index.ts';

/** Entries are dealt out by the first byte of their fingerprint, which is uniform. */
const parts = 256;
/** hi, lo and the five bytes of the payload. */
const entryBytes = 13;

/**
 * Sorts any number of entries in bounded memory: they are dealt out into 256 parts by the first byte of the fingerprint,
 * kept in memory or, as soon as a part's piece of it is full, in a file; then part after part is sorted. A part of 150
 * million entries is 8 MB.
 */
export class EntrySorter {
  readonly #folder: string;
  readonly #buffers: Buffer[];
  readonly #filled = new Uint32Array(parts);
  readonly #files: (number | undefined)[] = [];
  #count = 0;

  /** `folder` is there and empty; `pieceEntries` of each part are kept in memory. */
  constructor(folder: string, pieceEntries = 4096) {
    this.#folder = folder;
    this.#buffers = Array.from({ length: parts }, () => Buffer.allocUnsafeSlow(pieceEntries * entryBytes));
  }

  get count(): number {
    return this.#count;
  }

  /** The halves of a fingerprint (formats/fingerprint.ts), and the payload of its record. */
  add(hi: number, lo: number, payload: number): void {
    const part = hi >>> 24;
    const buffer = this.#buffers[part] as Buffer;
    let at = this.#filled[part] as number;
    if (at === buffer.length) {
      this.#spill(part);
      at = 0;
    }
    buffer.writeUInt32BE(hi, at);
    buffer.writeUInt32BE(lo, at + 4);
    buffer[at + 8] = Math.floor(payload / 2 ** 32);
    buffer.writeUInt32BE(payload % 2 ** 32, at + 9);
    this.#filled[part] = at + entryBytes;
    this.#count++;
  }

  /** All entries in their order, a part at a time; it can be read once. */
  *sorted(): Generator<Entries> {
    for (let part = 0; part < parts; part++) {
      const bytes = this.#read(part);
      if (bytes.length > 0) yield sortPart(bytes);
    }
  }

  close(): void {
    this.#files.forEach((fd, part) => {
      if (fd === undefined) return;
      closeSync(fd);
      rmSync(this.#name(part), { force: true });
      this.#files[part] = undefined;
    });
  }

  #spill(part: number): void {
    const fd = (this.#files[part] ??= openSync(this.#name(part), 'wx+', 0o600));
    const bytes = this.#buffers[part] as Buffer;
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  }

  #read(part: number): Buffer {
    const rest = (this.#buffers[part] as Buffer).subarray(0, this.#filled[part]);
    if (this.#files[part] === undefined) return rest;
    return Buffer.concat([readFileSync(this.#name(part)), rest]);
  }

  #name(part: number): string {
    return join(this.#folder, `part-${part}`);
  }
}

/** Sorts one part: by three bytes of `hi` in three passes, since the first is the same; then the few that are equal. */
function sortPart(bytes: Buffer): Entries {
  const count = bytes.length / entryBytes;
  const hi = new Uint32Array(count);
  for (let at = 0; at < count; at++) hi[at] = bytes.readUInt32BE(at * entryBytes);
  let order = Uint32Array.from({ length: count }, (_, at) => at);
  let spare = new Uint32Array(count);
  for (const shift of [0, 8, 16]) {
    const starts = new Uint32Array(257);
    for (let at = 0; at < count; at++) starts[(((hi[at] as number) >>> shift) & 255) + 1]!++;
    for (let value = 0; value < 256; value++) starts[value + 1]! += starts[value]!;
    for (let at = 0; at < count; at++) {
      const from = order[at] as number;
      spare[starts[((hi[from] as number) >>> shift) & 255]!++] = from;
    }
    [order, spare] = [spare, order];
  }
  const sorted = makeEntries(count);
  for (let at = 0; at < count; at++) {
    const from = (order[at] as number) * entryBytes;
    sorted.hi[at] = bytes.readUInt32BE(from);
    sorted.lo[at] = bytes.readUInt32BE(from + 4);
    sorted.payload[at] = (bytes[from + 8] as number) * 2 ** 32 + bytes.readUInt32BE(from + 9);
  }
  for (let from = 0; from < count;) {
    let to = from + 1;
    while (to < count && sorted.hi[to] === sorted.hi[from]) to++;
    if (to - from > 1) sortRun(sorted, from, to);
    from = to;
  }
  return sorted;
}

/** Sorts the places from `from` to before `to`, whose `hi` is the same. */
function sortRun({ hi, lo, payload }: Entries, from: number, to: number): void {
  const run = { hi: hi.slice(from, to), lo: lo.slice(from, to), payload: payload.slice(from, to) };
  const order = Array.from({ length: to - from }, (_, at) => at).sort((a, b) =>
    compareEntries(run, a, run, b),
  );
  order.forEach((at, place) => {
    lo[from + place] = run.lo[at] as number;
    payload[from + place] = run.payload[at] as number;
  });
}

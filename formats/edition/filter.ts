/**
 * A binary fuse filter (Graf and Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters", 2022; three
 * positions, 8-bit fingerprints) over the 64-bit fingerprints of an edition's records, so that most documents that are
 * not recorded are answered from memory. It never denies a key that is in it; it admits one key in 256 of the others.
 *
 * A key is 64 bits as two unsigned 32-bit halves `hi` and `lo`. The keys are cut into 2^k shards by their first k bits,
 * each a filter of its own, so that building needs the memory of one shard only. A shard with seed s has n segments of
 * S bytes (a power of two) where its window begins, and two more behind them. With m the finaliser of MurmurHash3:
 *
 *     x = lo ^ m(hi ^ s)
 *     a = hi ^ m(x)
 *     b = (x ^ floor(x / 2^15)) × 0x9e3779b9 mod 2^32           from x alone, so that the processor has it early
 *     first  = floor(a × n × S / 2^32)                         position in the array of the shard
 *     second = (first +  S) ^ (b mod S)                        one segment on
 *     third  = (first + 2S) ^ (floor(b / 2^16) mod S)          two segments on
 *
 * and the bytes at the three positions of every key of the shard XOR to a mod 256. All of it is one to one: two keys
 * never share both a and b. A shard without keys has no bytes.
 */
export interface Shard {
  /** Different keys in it. */
  readonly keys: number;
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  /** Bytes of a segment: a power of two from 4 to 2^16. */
  readonly segmentLength: number;
  /** Segments that a first position may lie in; 0 where there are no keys. */
  readonly segments: number;
}

/** Above this the product of a hash and a window is no longer exact in a double. */
export const maxShardBytes = 2 ** 21;
/** Offsets into the table fit 31 bits up to here. */
export const maxRecords = 2 ** 30;
export const maxShards = 2 ** 16;
/** So that both offsets in a segment are found in one 32-bit hash without sharing a bit. */
export const maxSegmentLength = 2 ** 16;

const hashScale = 2 ** -32;

/** Length in bytes of the array of a shard. */
export function shardBytes(shard: Pick<Shard, 'segmentLength' | 'segments'>): number {
  return shard.segments === 0 ? 0 : (shard.segments + 2) * shard.segmentLength;
}

/** Finaliser of MurmurHash3 (32 bits): one to one, each bit of the result depends on all of the input; signed result. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** The x of a key; signed, as a and b are. */
export function hashX(hi: number, lo: number, seed: number): number {
  return lo ^ mix(hi ^ seed);
}

export function hashA(hi: number, x: number): number {
  return hi ^ mix(x);
}

export function hashB(x: number): number {
  return Math.imul(x ^ (x >>> 15), 0x9e3779b9);
}

/** First position in an array whose window is so many bytes long. */
export function firstPosition(a: number, window: number): number {
  // Exact: a window is shorter than 2^21, and a double holds 53 bits.
  return ((a >>> 0) * window * hashScale) | 0;
}

export function secondPosition(b: number, first: number, segmentLength: number): number {
  return (first + segmentLength) ^ (b & (segmentLength - 1));
}

export function thirdPosition(b: number, first: number, segmentLength: number): number {
  return (first + 2 * segmentLength) ^ ((b >>> 16) & (segmentLength - 1));
}

/** The filter in memory. Built by `FilterBuilder`, or read by `decodeFilter`; it never changes. */
export class Filter {
  /** Keys it was built of, repeated ones counted as often as they came. */
  readonly records: number;
  /** A power of two of them, in ascending order of their keys. */
  readonly shards: readonly Shard[];
  /** The arrays of the shards, one behind the other. */
  readonly table: Uint8Array;
  /** Of each shard: where its array begins, its window, its segment length, its seed; one cache line has four shards. */
  readonly #layout: Int32Array;
  readonly #shift: number;

  constructor(records: number, shards: readonly Shard[], table: Uint8Array) {
    this.records = records;
    this.shards = shards;
    this.table = table;
    this.#shift = Math.clz32(shards.length);
    this.#layout = new Int32Array(4 * shards.length);
    let offset = 0;
    for (const [i, shard] of shards.entries()) {
      this.#layout.set(
        [offset, shard.segments * shard.segmentLength, shard.segmentLength, shard.seed],
        4 * i,
      );
      offset += shardBytes(shard);
    }
    if (offset !== table.length) throw new TypeError('the table does not fit its shards');
  }

  /** Bytes of the arrays, which is all but a few hundred of what it holds in memory. */
  get bytes(): number {
    return this.table.length;
  }

  /** Bits of memory for each different key; 0 for an empty filter. */
  get bitsPerKey(): number {
    const keys = this.shards.reduce((sum, shard) => sum + shard.keys, 0);
    return keys === 0 ? 0 : (8 * this.bytes) / keys;
  }

  /**
   * Whether a key may be in the set: true for every key that is, and for one in 256 of those that are not. The halves
   * are unsigned 32-bit integers.
   */
  mayHold(hi: number, lo: number): boolean {
    const layout = this.#layout;
    const table = this.table;
    // In two steps, since a shift by 32 is none; #shift is 31 with a single shard.
    const shard = ((hi >>> 1) >>> this.#shift) << 2;
    const window = layout[shard + 1] as number;
    if (window === 0) return false;
    const length = layout[shard + 2] as number;
    const x = hashX(hi, lo, layout[shard + 3] as number);
    const a = hashA(hi, x);
    const b = hashB(x);
    const first = firstPosition(a, window);
    const offset = layout[shard] as number;
    const found =
      (table[offset + first] as number) ^
      (table[offset + secondPosition(b, first, length)] as number) ^
      (table[offset + thirdPosition(b, first, length)] as number);
    return found === (a & 0xff);
  }
}

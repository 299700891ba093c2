import {
  Filter,
  firstPosition,
  hashA,
  hashB,
  hashX,
  maxSegmentLength,
  secondPosition,
  type Shard,
  thirdPosition,
} from './filter.ts';

/** One seed fails now and then, on small sets mostly; this many in a row never do, unless a key is there twice. */
const maxSeeds = 100;

export const emptyShard: Shard = { keys: 0, seed: 0, segmentLength: 4, segments: 0 };

/** Of a shard, all different: the halves of each at the same index. */
export interface Keys {
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
}

/**
 * Segments for so many keys, by the paper's formulas: arrays of 1.125 bytes a key from a million keys on, and
 * more for fewer, rounded up to whole segments. `Math.log` is the same wherever V8 runs; the file keeps the result, so
 * that nobody who reads one computes it again.
 */
export function shapeOf(keys: number): Omit<Shard, 'seed'> {
  if (keys === 0) return emptyShard;
  const segmentLength = Math.min(maxSegmentLength, 2 ** Math.floor(Math.log(keys) / Math.log(3.33) + 2.25));
  const factor = Math.max(1.125, 0.875 + (0.25 * Math.log(1e6)) / Math.log(Math.max(keys, 2)));
  return { keys, segmentLength, segments: Math.max(1, Math.ceil((keys * factor) / segmentLength) - 2) };
}

/** Builds the array of one shard; holds the memory for that, 13 bytes a slot, which the shards use in turn. */
export class Peeler {
  /** The longest array that it can build. */
  readonly slots: number;
  /** How many keys have a position at this slot and are not yet peeled off. */
  readonly #degree: Uint8Array;
  /** XOR of the hashes a and b of those keys, side by side: of the last one, its hashes. */
  readonly #sums: Int32Array;
  readonly #queue: Int32Array;

  constructor(slots: number) {
    this.slots = slots;
    this.#degree = new Uint8Array(slots);
    this.#sums = new Int32Array(2 * slots);
    this.#queue = new Int32Array(slots);
  }

  /** Fills `array`, which is zero before, for keys that are all different. */
  build(keys: Keys, shape: Omit<Shard, 'seed'>, array: Uint8Array): Shard {
    for (let attempt = 1; attempt <= maxSeeds; attempt++) {
      // Multiples of an odd number are all different (this one is 2^32 over the golden ratio).
      const seed = Math.imul(attempt, 0x9e3779b9) >>> 0;
      const shard = { ...shape, seed };
      this.#scatter(keys, shard);
      if (this.#peel(shard) !== shard.keys) continue;
      this.#assign(shard, array);
      // A degree is a byte and might have run over; and a key that is missing would be a stolen passport that passes.
      if (holdsAll(new Filter(shard.keys, [shard], array), keys)) return shard;
      array.fill(0);
    }
    throw new TypeError(`no seed of ${maxSeeds} fits ${shape.keys} keys`);
  }

  /** Enters each key at its three slots. */
  #scatter({ hi, lo }: Keys, { seed, segmentLength: length, segments }: Shard): void {
    const [degree, sums] = [this.#degree, this.#sums];
    degree.fill(0);
    sums.fill(0);
    const window = segments * length;
    for (let i = 0; i < hi.length; i++) {
      const x = hashX(hi[i] as number, lo[i] as number, seed);
      const a = hashA(hi[i] as number, x);
      const b = hashB(x);
      const first = firstPosition(a, window);
      const second = secondPosition(b, first, length);
      const third = thirdPosition(b, first, length);
      degree[first] = (degree[first] as number) + 1;
      degree[second] = (degree[second] as number) + 1;
      degree[third] = (degree[third] as number) + 1;
      sums[2 * first] = (sums[2 * first] as number) ^ a;
      sums[2 * first + 1] = (sums[2 * first + 1] as number) ^ b;
      sums[2 * second] = (sums[2 * second] as number) ^ a;
      sums[2 * second + 1] = (sums[2 * second + 1] as number) ^ b;
      sums[2 * third] = (sums[2 * third] as number) ^ a;
      sums[2 * third + 1] = (sums[2 * third + 1] as number) ^ b;
    }
  }

  /**
   * Takes away, again and again, a key that is alone at a slot. Leaves those slots in order at the start of the queue,
   * their sums being the hashes of their keys, and returns how many there are.
   */
  #peel({ keys, segmentLength: length, segments }: Shard): number {
    const [degree, sums, queue] = [this.#degree, this.#sums, this.#queue];
    const window = segments * length;
    const slots = window + 2 * length;
    let end = 0;
    for (let slot = 0; slot < slots; slot++) if (degree[slot] === 1) queue[end++] = slot;
    let peeled = 0;
    const takeFrom = (slot: number, a: number, b: number): void => {
      sums[2 * slot] = (sums[2 * slot] as number) ^ a;
      sums[2 * slot + 1] = (sums[2 * slot + 1] as number) ^ b;
      const left = (degree[slot] as number) - 1;
      degree[slot] = left;
      if (left === 1) queue[end++] = slot;
    };
    for (let next = 0; next < end && peeled < keys; next++) {
      const slot = queue[next] as number;
      // Its key may have gone since, through another of its slots.
      if (degree[slot] !== 1) continue;
      degree[slot] = 0;
      queue[peeled++] = slot;
      const a = sums[2 * slot] as number;
      const b = sums[2 * slot + 1] as number;
      const first = firstPosition(a, window);
      const second = secondPosition(b, first, length);
      const third = thirdPosition(b, first, length);
      if (first !== slot) takeFrom(first, a, b);
      if (second !== slot) takeFrom(second, a, b);
      if (third !== slot) takeFrom(third, a, b);
    }
    return peeled;
  }

  /** Sets, from the last key peeled to the first, the one byte that no key set before shares. */
  #assign({ keys, segmentLength: length, segments }: Shard, array: Uint8Array): void {
    const [sums, queue] = [this.#sums, this.#queue];
    const window = segments * length;
    for (let i = keys - 1; i >= 0; i--) {
      const slot = queue[i] as number;
      const a = sums[2 * slot] as number;
      const b = sums[2 * slot + 1] as number;
      const first = firstPosition(a, window);
      const second = secondPosition(b, first, length);
      const third = thirdPosition(b, first, length);
      // The slot itself is still zero, so that it does not count.
      array[slot] =
        (a & 0xff) ^ (array[first] as number) ^ (array[second] as number) ^ (array[third] as number);
    }
  }
}

function holdsAll(filter: Filter, { hi, lo }: Keys): boolean {
  for (let i = 0; i < hi.length; i++) {
    if (!filter.mayHold(hi[i] as number, lo[i] as number)) return false;
  }
  return true;
}

import { Filter, maxRecords, maxShardBytes, maxShards, type Shard, shardBytes } from './filter.ts';
import { emptyShard, Peeler, shapeOf } from './filter-shard.ts';

/**
 * What a shard has on average at most, so half of it at least: below 750,000 keys a shard takes more than 9.2 bits for
 * some, and with 1,500,000 it takes 35 MB to build.
 */
const defaultKeysPerShard = 1_500_000;

/**
 * Builds a filter from its keys in ascending order, one shard at a time, so that a sorted file can be streamed through
 * it. The same keys give the same filter everywhere: seeds are tried in a fixed order.
 *
 * All of its methods throw a TypeError when they are called against their contract.
 */
export class FilterBuilder {
  readonly #records: number;
  readonly #keysPerShard: number;
  readonly #shardCount: number;
  readonly #shards: Shard[] = [];
  #table: Uint8Array;
  #bytes = 0;
  #added = 0;
  #lastHi = -1;
  #lastLo = -1;
  readonly #shift: number;
  /** The different keys of the shard that is being collected. */
  #hi: Uint32Array;
  #lo: Uint32Array;
  #count = 0;
  #peeler: Peeler;

  /**
   * `records` is the number of keys that will be added, repeated ones included, up to 2^30. `keysPerShard` bounds what a
   * shard has on average; tests make it small.
   */
  constructor(records: number, keysPerShard = defaultKeysPerShard) {
    if (!Number.isInteger(records) || records < 0 || records > maxRecords) {
      throw new TypeError(`a filter is built of 0 to ${maxRecords} keys, not of ${records}`);
    }
    this.#records = records;
    this.#keysPerShard = keysPerShard;
    let bits = 0;
    while (records / 2 ** bits > keysPerShard && 2 ** bits < maxShards) bits++;
    this.#shardCount = 2 ** bits;
    this.#shift = 31 - bits;
    // Room for six standard deviations above the mean; what is not written to costs no memory.
    const mean = records / this.#shardCount;
    const room = bits === 0 ? records : Math.ceil(mean + 6 * Math.sqrt(mean));
    this.#hi = new Uint32Array(room);
    this.#lo = new Uint32Array(room);
    const length = shardBytes(shapeOf(room));
    this.#table = new Uint8Array(this.#shardCount * length);
    this.#peeler = new Peeler(Math.min(length, maxShardBytes));
  }

  /** Adds a key: two unsigned 32-bit integers, not below the key before; the same key again changes nothing. */
  add(hi: number, lo: number): void {
    if (hi >>> 0 !== hi || lo >>> 0 !== lo) throw new TypeError('a key is two unsigned 32-bit integers');
    if (hi <= this.#lastHi && (hi < this.#lastHi || lo < this.#lastLo)) {
      throw new TypeError('the keys of a filter are not in order');
    }
    this.#added++;
    if (hi === this.#lastHi && lo === this.#lastLo) return;
    const shard = (hi >>> 1) >>> this.#shift;
    while (this.#shards.length < shard) this.#closeShard();
    if (this.#count === this.#hi.length) this.#makeRoom();
    this.#hi[this.#count] = hi;
    this.#lo[this.#count++] = lo;
    this.#lastHi = hi;
    this.#lastLo = lo;
  }

  /** The filter of the keys that were added, all of them by now. The builder is of no use after that. */
  finish(): Filter {
    if (this.#added !== this.#records) {
      throw new TypeError(`${this.#added} keys came for a filter of ${this.#records}`);
    }
    while (this.#shards.length < this.#shardCount) this.#closeShard();
    return new Filter(this.#records, this.#shards, this.#table.subarray(0, this.#bytes));
  }

  #closeShard(): void {
    const shard = shapeOf(this.#count);
    const length = shardBytes(shard);
    if (length > maxShardBytes) {
      throw new TypeError(`${this.#count} keys are in one shard for about ${this.#keysPerShard}`);
    }
    if (this.#bytes + length > this.#table.length) {
      const larger = new Uint8Array(Math.ceil(1.5 * (this.#bytes + length)));
      larger.set(this.#table.subarray(0, this.#bytes));
      this.#table = larger;
    }
    if (this.#count > 0) {
      if (this.#peeler.slots < length) this.#peeler = new Peeler(length);
      const array = this.#table.subarray(this.#bytes, this.#bytes + length);
      const keys = { hi: this.#hi.subarray(0, this.#count), lo: this.#lo.subarray(0, this.#count) };
      this.#shards.push(this.#peeler.build(keys, shard, array));
    } else {
      this.#shards.push(emptyShard);
    }
    this.#bytes += length;
    this.#count = 0;
  }

  #makeRoom(): void {
    const room = Math.ceil(1.5 * this.#count) + 16;
    const [hi, lo] = [new Uint32Array(room), new Uint32Array(room)];
    hi.set(this.#hi);
    lo.set(this.#lo);
    this.#hi = hi;
    this.#lo = lo;
  }
}

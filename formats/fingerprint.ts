import { createHmac, type KeyObject } from 'node:crypto';
import type { SearchKey } from '#contracts/search-key.ts';
import type { NamedSecret } from './keyed.ts';

/**
 * Fingerprints of search keys: HMAC-SHA-256 (RFC 2104, FIPS 180-4) under the bureau's secret, its first 64 bits.
 *
 * It is worked out here and not by Node's `createHmac`, whose objects cost 1.7 µs a key even with a `KeyObject` (six
 * times that with raw bytes) when the hash itself takes 0.5: a look-up asks for up to 32 keys, a publishing for 150
 * million. A search key has at most 31 characters, so that inner and outer hash are one block each, after the secret's
 * own block, which is worked out once. Nothing branches on the secret or the key, nor is any table indexed by them.
 *
 * Each instance compares itself with Node's HMAC before it is used.
 */
export class Fingerprinter {
  /** Upper half of the last fingerprint: its first four bytes, big-endian. */
  hi = 0;
  /** Lower half. */
  lo = 0;
  readonly #inner = new Int32Array(8);
  readonly #outer = new Int32Array(8);
  readonly #schedule = new Int32Array(64);
  readonly #state = new Int32Array(8);

  constructor(secret: NamedSecret) {
    const block = Buffer.alloc(blockBytes);
    secret.key.export().copy(block);
    this.#absorb(block, 0x36, this.#inner);
    this.#absorb(block, 0x5c, this.#outer);
    block.fill(0);
    this.#check(secret.key);
  }

  /** Works out the fingerprint of a key, which stands in `hi` and `lo` until the next one. */
  of(key: SearchKey): void {
    const length = key.length;
    if (length > mostCharacters) throw new TypeError('a search key has at most 31 characters');
    const words = this.#schedule;
    words.fill(0, 0, 16);
    for (let at = 0; at < length; at++) {
      const place = at >>> 2;
      words[place] = (words[place] as number) | (key.charCodeAt(at) << (24 - ((at & 3) << 3)));
    }
    words[length >>> 2] = (words[length >>> 2] as number) | (0x80 << (24 - ((length & 3) << 3)));
    words[15] = (blockBytes + length) * 8;
    this.#compress(this.#inner, this.#state);
    words.set(this.#state);
    words[8] = 0x80 << 24;
    words.fill(0, 9, 15);
    words[15] = (blockBytes + 32) * 8;
    this.#compress(this.#outer, this.#state);
    this.hi = (this.#state[0] as number) >>> 0;
    this.lo = (this.#state[1] as number) >>> 0;
  }

  /** The last fingerprint as its eight bytes. */
  bytes(): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(this.hi, 0);
    bytes.writeUInt32BE(this.lo, 4);
    return bytes;
  }

  /** A wrong fingerprint would find nothing and so say `no-record` of everything: no answer is better. */
  #check(key: KeyObject): void {
    for (const text of ['|', 'UTO|L898902C3', `UTO|${'9'.repeat(27)}`]) {
      this.of(text as SearchKey);
      const right = createHmac('sha256', key).update(text).digest().subarray(0, 8);
      if (!this.bytes().equals(right))
        throw new TypeError('fingerprints are worked out wrongly on this machine');
    }
  }

  #absorb(secret: Buffer, pad: number, into: Int32Array): void {
    for (let at = 0; at < 16; at++) this.#schedule[at] = secret.readInt32BE(at * 4) ^ (pad * 0x0101_0101);
    this.#compress(initial, into);
  }

  /** SHA-256's compression of the block in the schedule's first 16 words (FIPS 180-4 § 6.2.2). */
  #compress(from: Int32Array, into: Int32Array): void {
    const words = this.#schedule;
    for (let t = 16; t < 64; t++) {
      const x = words[t - 15] as number;
      const y = words[t - 2] as number;
      const small0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const small1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      words[t] = ((words[t - 16] as number) + (words[t - 7] as number) + small0 + small1) | 0;
    }
    let a = from[0] as number;
    let b = from[1] as number;
    let c = from[2] as number;
    let d = from[3] as number;
    let e = from[4] as number;
    let f = from[5] as number;
    let g = from[6] as number;
    let h = from[7] as number;
    for (let t = 0; t < 64; t++) {
      const large1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (h + large1 + ((e & f) ^ (~e & g)) + (rounds[t] as number) + (words[t] as number)) | 0;
      const large0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (large0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    into[0] = ((from[0] as number) + a) | 0;
    into[1] = ((from[1] as number) + b) | 0;
    into[2] = ((from[2] as number) + c) | 0;
    into[3] = ((from[3] as number) + d) | 0;
    into[4] = ((from[4] as number) + e) | 0;
    into[5] = ((from[5] as number) + f) | 0;
    into[6] = ((from[6] as number) + g) | 0;
    into[7] = ((from[7] as number) + h) | 0;
  }
}

const blockBytes = 64;
/** A state of three letters, a bar and 27 characters of the number. */
const mostCharacters = 31;

/** Fractions of the square roots of the first 8 primes (FIPS 180-4 § 5.3.3). */
const initial = Int32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

/** Fractions of the cube roots of the first 64 primes (FIPS 180-4 § 4.2.2). */
const rounds = Int32Array.of(
  0x428a2f98,
  0x71374491,
  0xb5c0fbcf,
  0xe9b5dba5,
  0x3956c25b,
  0x59f111f1,
  0x923f82a4,
  0xab1c5ed5,
  0xd807aa98,
  0x12835b01,
  0x243185be,
  0x550c7dc3,
  0x72be5d74,
  0x80deb1fe,
  0x9bdc06a7,
  0xc19bf174,
  0xe49b69c1,
  0xefbe4786,
  0x0fc19dc6,
  0x240ca1cc,
  0x2de92c6f,
  0x4a7484aa,
  0x5cb0a9dc,
  0x76f988da,
  0x983e5152,
  0xa831c66d,
  0xb00327c8,
  0xbf597fc7,
  0xc6e00bf3,
  0xd5a79147,
  0x06ca6351,
  0x14292967,
  0x27b70a85,
  0x2e1b2138,
  0x4d2c6dfc,
  0x53380d13,
  0x650a7354,
  0x766a0abb,
  0x81c2c92e,
  0x92722c85,
  0xa2bfe8a1,
  0xa81a664b,
  0xc24b8b70,
  0xc76c51a3,
  0xd192e819,
  0xd6990624,
  0xf40e3585,
  0x106aa070,
  0x19a4c116,
  0x1e376c08,
  0x2748774c,
  0x34b0bcb5,
  0x391c0cb3,
  0x4ed8aa4a,
  0x5b9cca4f,
  0x682e6ff3,
  0x748f82ee,
  0x78a5636f,
  0x84c87814,
  0x8cc70208,
  0x90befffa,
  0xa4506ceb,
  0xbef9a3f7,
  0xc67178f2,
);

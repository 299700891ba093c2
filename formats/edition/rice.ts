/**
 * Sorted fingerprints as Rice-coded gaps. The gap of each to the one before (of the first to zero) is a number of 64
 * bits; with parameter k, 32 to 64, it is written as its quotient by 2^k in unary (ones, then a zero) and the k bits
 * that remain. Of these the lower 32 stand in a column of their own, so that no part is wider than 32 bits:
 *
 *     bits of all gaps: quotient in unary, upper k - 32 bits of the remainder; filled up to a byte with zeros
 *     4 bytes a gap: the lower 32 bits of the remainder, big-endian
 *
 * n random fingerprints have gaps of about 2^64/n: Rice's code of them is within 0.1 % of what any code can do.
 * Below 2^31 fingerprints k is never smaller than 32.
 */

/** Fingerprints as columns (entries.ts). */
export interface Fingerprints {
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
}

/** The parameter, less 32, that makes these fingerprints shortest: 0 to 32. */
export function riceParameter({ hi }: Fingerprints): number {
  let best = 32;
  let least = Number.POSITIVE_INFINITY;
  for (let upper = 32; upper >= 0; upper--) {
    let bits = hi.length * (upper + 1);
    // Borrows of the lower halves move a quotient by at most one and even out.
    for (let at = 0, before = 0; at < hi.length && bits < least; at++) {
      const value = hi[at] as number;
      bits += Math.floor((value - before) / 2 ** upper);
      before = value;
    }
    if (bits >= least) break;
    least = bits;
    best = upper;
  }
  return best;
}

/** `upper` is the parameter less 32. */
export function encodeRice({ hi, lo }: Fingerprints, upper: number): Buffer {
  const ends = Buffer.allocUnsafeSlow(4 * hi.length);
  const bits = new BitWriter(Math.ceil((hi.length * (upper + 3)) / 8) + 64);
  let hiBefore = 0;
  let loBefore = 0;
  for (let at = 0; at < hi.length; at++) {
    const lower = (lo[at] as number) - loBefore;
    const borrow = lower < 0 ? 1 : 0;
    const higher = (hi[at] as number) - hiBefore - borrow;
    if (higher < 0) throw new TypeError('the fingerprints are not in order');
    bits.writeUnary(Math.floor(higher / 2 ** upper));
    bits.write(higher % 2 ** upper, upper);
    ends.writeUInt32BE(lower + borrow * 2 ** 32, 4 * at);
    hiBefore = hi[at] as number;
    loBefore = lo[at] as number;
  }
  return Buffer.concat([bits.bytes(), ends]);
}

/**
 * Reads as many fingerprints into the columns as they are long; they are in order whatever stands in the bytes. The
 * number of bytes that they took, or undefined where the bytes end before, or are no fingerprints.
 */
export function decodeRice(bytes: Buffer, upper: number, { hi, lo }: Fingerprints): number | undefined {
  const span = 2 ** upper;
  let bit = 0;
  let hiBefore = 0;
  const bitsEnd = bytes.length * 8;
  // The upper parts first: where their bits end is where the lower column begins.
  for (let at = 0; at < hi.length; at++) {
    // Nearly every gap lies in the next four bytes: a few ones, a zero, and at most 20 bits more.
    const byte = bit >>> 3;
    if (byte + 4 <= bytes.length) {
      const window = bytes.readInt32BE(byte) << (bit & 7);
      const ones = Math.clz32(~window);
      const length = ones + 1 + upper;
      if (length <= 25) {
        const rest = upper === 0 ? 0 : (window << (ones + 1)) >>> (32 - upper);
        const higher = ones * span + rest;
        if (higher > 0xffff_ffff) return undefined;
        hi[at] = higher;
        bit += length;
        continue;
      }
    }
    let quotient = 0;
    for (;;) {
      if (bit >= bitsEnd) return undefined;
      const one = ((bytes[bit >>> 3] as number) & (0x80 >>> (bit & 7))) !== 0;
      bit++;
      if (!one) break;
      quotient++;
    }
    if (bit + upper > bitsEnd) return undefined;
    const higher = quotient * span + readBits(bytes, bit, upper);
    bit += upper;
    if (higher > 0xffff_ffff) return undefined;
    hi[at] = higher;
  }
  const endsAt = (bit + 7) >>> 3;
  if (endsAt + 4 * hi.length > bytes.length) return undefined;
  let loBefore = 0;
  for (let at = 0; at < hi.length; at++) {
    const lower = bytes.readUInt32BE(endsAt + 4 * at) + loBefore;
    const carry = lower > 0xffff_ffff ? 1 : 0;
    const higher = hiBefore + (hi[at] as number) + carry;
    if (higher > 0xffff_ffff) return undefined;
    hi[at] = hiBefore = higher;
    lo[at] = loBefore = lower - carry * 2 ** 32;
  }
  return endsAt + 4 * hi.length;
}

/** At most 32 bits, from the highest on. */
function readBits(bytes: Buffer, bit: number, width: number): number {
  let value = 0;
  let at = bit;
  let left = width;
  while (left > 0) {
    const rest = 8 - (at & 7);
    const take = Math.min(rest, left);
    const part = ((bytes[at >>> 3] as number) >>> (rest - take)) & ((1 << take) - 1);
    value = value * 2 ** take + part;
    at += take;
    left -= take;
  }
  return value;
}

class BitWriter {
  #bytes: Buffer;
  #bit = 0;

  constructor(guess: number) {
    this.#bytes = Buffer.alloc(guess);
  }

  writeUnary(ones: number): void {
    this.#room(ones + 1);
    for (let left = ones; left > 0; left--) this.#put(1, 1);
    this.#bit++;
  }

  /** At most 32 bits, from the highest on. */
  write(value: number, width: number): void {
    this.#room(width);
    let left = width;
    while (left > 0) {
      const take = Math.min(8 - (this.#bit & 7), left);
      this.#put(Math.floor(value / 2 ** (left - take)) % 2 ** take, take);
      left -= take;
    }
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, (this.#bit + 7) >>> 3);
  }

  /** Bits that fit into the byte that is begun. */
  #put(value: number, width: number): void {
    const at = this.#bit >>> 3;
    const shift = 8 - (this.#bit & 7) - width;
    this.#bytes[at] = (this.#bytes[at] as number) | (value << shift);
    this.#bit += width;
  }

  #room(bits: number): void {
    const need = ((this.#bit + bits) >>> 3) + 1;
    if (need < this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(need + 1, this.#bytes.length * 2));
    this.#bytes.copy(larger);
    this.#bytes = larger;
  }
}

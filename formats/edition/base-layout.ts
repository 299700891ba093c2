/**
 * How fingerprints lie in the file of a base, `base.fingerprints`. They are sorted and stand in 2^q buckets by their
 * first q bits, which are dropped; q is chosen so that a bucket has 64 to 128 of them on average. Of the 64 bits of a
 * fingerprint the first q are the bucket's number, the next 7 are its slot in the bucket, the next 25 - q its middle
 * and the last 32 its end:
 *
 *     | q bucket | 7 slot | 25 - q middle | 32 end |
 *
 * A bucket of c fingerprints, sorted:
 *
 *     bytes              what
 *     4                  CRC-32 of the bucket's other bytes, exclusive-or the bucket's number
 *     (128 + c) / 8      slots, in unary: for each of the 128 slots as many ones as it has fingerprints, then a zero
 *     c × (25 - q) / 8   middles, one after the other, each from its highest bit on
 *     c × 4              ends
 *
 * Each part is rounded up to a byte, with zero bits. That is 33 + 25 - q + 128/c + … bits a fingerprint, 2 % above what
 * any code can do, and one is found without decoding the others. The file:
 *
 *     header (header.ts) | 2^q buckets | 2^q counts of 2 bytes | CRC-32 of the counts | leaf hashes (hash-tree.ts)
 *
 * and `base.payload`, in which the record of the fingerprint of rank r has place r:
 *
 *     header | blocks of 64 records of 5 bytes (entries.ts), the last block shorter, each followed by the CRC-32 of its
 *     records, exclusive-or its number from 0 on | leaf hashes
 *
 * Equal fingerprints stand in the order of their payloads. A base has no free choice left: the same records, number and
 * date are the same bytes wherever it is made.
 */
export const slotBits = 7;
export const slots = 1 << slotBits;
export const checkBytes = 4;
/** The most fingerprints that a bucket can have. */
export const maxBucket = 65_535;
export const mostPrefixBits = 25;

/** q: the most bits that leave 64 fingerprints to a bucket on average. */
export function prefixBits(count: number): number {
  let bits = 0;
  while (bits < mostPrefixBits && count / 2 ** (bits + 1) >= 64) bits++;
  return bits;
}

export function middleBits(q: number): number {
  return 25 - q;
}

/** Bytes of a bucket with this many fingerprints. */
export function bucketBytes(count: number, q: number): number {
  return checkBytes + ((slots + count + 7) >>> 3) + Math.ceil((count * middleBits(q)) / 8) + 4 * count;
}

/** Number of the bucket of a fingerprint's upper half. */
export function bucketOf(hi: number, q: number): number {
  return q === 0 ? 0 : hi >>> (32 - q);
}

/** Records in a block of the payload file. */
export const blockRecords = 64;
export const blockBytes = blockRecords * 5 + checkBytes;

/** Bytes of all blocks. */
export function payloadSectionBytes(count: number): number {
  return count * 5 + Math.ceil(count / blockRecords) * checkBytes;
}

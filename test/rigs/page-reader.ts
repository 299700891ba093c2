/**
 * An independent reader of editions, written from docs/editions.md alone, to show that the page says enough. It shares
 * no code with the product: what it reads otherwise than a terminal does is a fault of the page or of the terminal. It
 * holds an edition in memory as a list, and refuses by throwing an Error that says why.
 */
import { createHash, createHmac } from 'node:crypto';
import { brotliDecompressSync, crc32 } from 'node:zlib';

/** What is known of a record. */
export interface PageRecord {
  readonly documentType: string;
  readonly kindOfLoss: string;
  readonly reportedOn: string;
  readonly reportedBy: string;
}

/** A record under its fingerprint; `bits` is its payload as the number of 40 bits that orders it among its like. */
export interface PageEntry {
  readonly hi: number;
  readonly lo: number;
  readonly bits: number;
  readonly payload: PageRecord;
}

export interface PageHeader {
  readonly edition: number;
  readonly from: number;
  readonly date: number;
  readonly count: number;
  readonly additions: number;
  readonly removals: number;
  /** The bytes at 36 and 37. */
  readonly parameters: readonly [number, number];
  readonly check: { readonly hi: number; readonly lo: number };
  readonly collection: string;
  readonly keyId: string;
}

export interface PageEdition {
  readonly header: PageHeader;
  readonly entries: readonly PageEntry[];
}

/** A base as read; `trees` and `leavesAt` are for comparison with the signed description. */
export interface PageBase extends PageEdition {
  readonly trees: { readonly fingerprints: string; readonly payload: string };
  readonly leavesAt: { readonly fingerprints: number; readonly payload: number };
}

/** A record that goes: the only one of its fingerprint, or with `bits` the one of that payload. */
export interface PageRemoval {
  readonly hi: number;
  readonly lo: number;
  readonly bits?: number;
}

export interface PageDelta {
  readonly header: PageHeader;
  readonly removals: readonly PageRemoval[];
  readonly additions: readonly PageEntry[];
}

const headerBytes = 128;
const leafBytes = 65_536;
const documentTypes = ['passport', 'identity-card', 'visa', 'other'];
const kindsOfLoss = ['stolen', 'lost', 'revoked', 'invalid', 'stolen-blank'];

/** The first eight bytes of the HMAC of a search key. */
export function pageFingerprint(secret: Buffer, key: string): { hi: number; lo: number } {
  const mac = createHmac('sha256', secret).update(key, 'ascii').digest();
  return { hi: mac.readUInt32BE(0), lo: mac.readUInt32BE(4) };
}

function refuseUnless(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** The bytes from `at` on; too few are refused and never read as fewer. */
function cut(bytes: Buffer, at: number, length: number): Buffer {
  refuseUnless(at + length <= bytes.length, `${at + length} bytes are needed and ${bytes.length} are there`);
  return bytes.subarray(at, at + length);
}

/** Bits of these bytes, each byte from its highest bit on. */
function bitsOf(bytes: Buffer) {
  let at = 0;
  const next = () => {
    const byte = bytes[at >>> 3];
    refuseUnless(byte !== undefined, 'the bits end too early');
    return (byte >>> (7 - (at++ & 7))) & 1;
  };
  return {
    number(width: number): number {
      let value = 0;
      for (let i = 0; i < width; i++) value = value * 2 + next();
      return value;
    },
    /** Ones up to a zero. */
    unary(): number {
      let ones = 0;
      while (next() === 1) ones++;
      return ones;
    },
    /** Passes the bits that fill up a byte, and says how many bytes were read. */
    fillUp(): number {
      for (let left = -at & 7; left > 0; left--) {
        refuseUnless(next() === 0, 'a byte is filled up with something else than zeros');
      }
      return at / 8;
    },
  };
}

function textOf(field: Buffer, what: string): string {
  const text = /^([\u0001-\u007F]+)\0*$/.exec(field.toString('latin1'))?.[1];
  refuseUnless(text !== undefined, `the ${what} is not ASCII with zeros behind`);
  return text;
}

function readHeader(file: Buffer, magic: string): PageHeader {
  refuseUnless(file.length >= headerBytes, 'the file is shorter than its header');
  refuseUnless(file.toString('latin1', 0, 7) === magic, `the file does not begin with ${magic}`);
  refuseUnless(
    crc32(file.subarray(0, 124)) === file.readUInt32BE(124),
    'the CRC of the header does not hold',
  );
  const version = file.readUInt8(7);
  refuseUnless(version <= 1, `version ${version} is a newer format`);
  refuseUnless(version === 1, 'there is no version 0');
  const date = file.readBigUInt64BE(16);
  refuseUnless(date <= 8_640_000_000_000_000n, 'the date is later than any');
  const header: PageHeader = {
    edition: file.readUInt32BE(8),
    from: file.readUInt32BE(12),
    date: Number(date),
    count: file.readUInt32BE(24),
    additions: file.readUInt32BE(28),
    removals: file.readUInt32BE(32),
    parameters: [file.readUInt8(36), file.readUInt8(37)],
    check: { hi: file.readUInt32BE(38), lo: file.readUInt32BE(42) },
    collection: textOf(file.subarray(46, 62), 'collection'),
    keyId: textOf(file.subarray(62, 124), 'id of the fingerprint key'),
  };
  refuseUnless(header.collection === 'sltd', 'the collection is unknown');
  refuseUnless(header.edition >= 1, 'there is no edition 0');
  const { from, additions, removals, parameters } = header;
  if (magic === 'CPDELTA') {
    refuseUnless(from >= 1 && from < header.edition, 'the delta changes no earlier edition');
    refuseUnless(Math.max(...parameters) <= 32, 'a Rice parameter is above 32');
  } else {
    refuseUnless(from === 0 && additions === 0 && removals === 0, 'a base has fields that only a delta has');
    const q = magic === 'CPPRINT' && header.count >= 128 ? Math.min(25, 25 - Math.clz32(header.count)) : 0;
    refuseUnless(parameters[0] === q && parameters[1] === 0, 'the prefix bits do not follow from the count');
  }
  return header;
}

const sha256 = (...parts: Uint8Array[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** Checks the leaf hashes at the end of a file, and gives where they begin and the root over them. */
function hashTree(file: Buffer): { leavesAt: number; tree: string } {
  const leaves = Math.ceil(file.length / (leafBytes + 32));
  const leavesAt = file.length - 32 * leaves;
  refuseUnless(Math.ceil(leavesAt / leafBytes) === leaves, 'no file with leaf hashes has this length');
  refuseUnless(leavesAt >= headerBytes, 'the leaf hashes begin within the header');
  let level: Buffer[] = Array.from({ length: leaves }, (_, i) =>
    sha256(Buffer.of(0), file.subarray(i * leafBytes, Math.min((i + 1) * leafBytes, leavesAt))),
  );
  refuseUnless(Buffer.concat(level).equals(file.subarray(leavesAt)), 'a leaf hash is not that of its leaf');
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = level.slice(i, i + 2);
      if (left !== undefined) above.push(right === undefined ? left : sha256(Buffer.of(1), left, right));
    }
    level = above;
  }
  return { leavesAt, tree: level[0]?.toString('hex') ?? '' };
}

function recordOf(bits: number): PageRecord {
  const documentType = documentTypes[Math.floor(bits / 2 ** 38)];
  const kindOfLoss = kindsOfLoss[Math.floor(bits / 2 ** 35) % 8];
  const bureau = Math.floor(bits / 2 ** 20) % 2 ** 15;
  refuseUnless(documentType !== undefined && kindOfLoss !== undefined, 'there is no such kind of loss');
  refuseUnless(bureau < 17_576, 'there is no such bureau');
  const letters = [Math.floor(bureau / 676), Math.floor(bureau / 26) % 26, bureau % 26];
  const reportedOn = new Date(Date.UTC(1900, 0, 1 + (bits % 2 ** 20))).toISOString().slice(0, 10);
  return {
    documentType,
    kindOfLoss,
    reportedOn,
    reportedBy: String.fromCharCode(...letters.map((l) => 65 + l)),
  };
}

type Pair = Omit<PageEntry, 'payload'>;
const order = (a: Pair, b: Pair) => a.hi - b.hi || a.lo - b.lo || a.bits - b.bits;
const ascending = (pairs: readonly Pair[]) =>
  pairs.every((pair, i) => i === 0 || order(pairs[i - 1] ?? pair, pair) <= 0);

/** Reads both files of a base; the caller compares check, trees and the rest with what it was told of them. */
export function readPageBase(fingerprints: Buffer, payload: Buffer): PageBase {
  const header = readHeader(fingerprints, 'CPPRINT');
  const other = readHeader(payload, 'CPPAYLD');
  const same = JSON.stringify({ ...header, parameters: 0 }) === JSON.stringify({ ...other, parameters: 0 });
  refuseUnless(same, 'the two files are not of one base');
  const trees = [hashTree(fingerprints), hashTree(payload)] as const;
  const prints = readFingerprints(fingerprints, trees[0].leavesAt, header);
  const payloads = readPayloads(payload, trees[1].leavesAt, header.count);
  const entries = prints.map(({ hi, lo }, i): PageEntry => {
    const bits = payloads[i] ?? 0;
    return { hi, lo, bits, payload: recordOf(bits) };
  });
  refuseUnless(ascending(entries), 'the records are not in ascending order');
  return {
    header,
    entries,
    trees: { fingerprints: trees[0].tree, payload: trees[1].tree },
    leavesAt: { fingerprints: trees[0].leavesAt, payload: trees[1].leavesAt },
  };
}

function readFingerprints(file: Buffer, leavesAt: number, header: PageHeader): { hi: number; lo: number }[] {
  const q = header.parameters[0];
  const countsAt = leavesAt - 2 ** (q + 1) - 4;
  refuseUnless(countsAt >= headerBytes, 'the file has no room for its counts');
  const counts = cut(file, countsAt, 2 ** (q + 1));
  refuseUnless(crc32(counts) === file.readUInt32BE(leavesAt - 4), 'the CRC of the counts does not hold');
  const all: { hi: number; lo: number }[] = [];
  let at = headerBytes;
  for (let bucket = 0; bucket < 2 ** q; bucket++) {
    const c = counts.readUInt16BE(2 * bucket);
    const slotBytes = Math.ceil((128 + c) / 8);
    const middleBytes = Math.ceil((c * (25 - q)) / 8);
    const bytes = cut(file.subarray(0, countsAt), at, 4 + slotBytes + middleBytes + 4 * c);
    const crc = (crc32(bytes.subarray(4)) ^ bucket) >>> 0;
    refuseUnless(crc === bytes.readUInt32BE(0), `the CRC of bucket ${bucket} does not hold`);
    const slots = bitsOf(bytes.subarray(4, 4 + slotBytes));
    const middles = bitsOf(bytes.subarray(4 + slotBytes, 4 + slotBytes + middleBytes));
    let place = 0;
    for (let slot = 0; slot < 128; slot++) {
      for (let ones = slots.unary(); ones > 0; ones--) {
        refuseUnless(place < c, `bucket ${bucket} has more ones than fingerprints`);
        const hi = (bucket * 128 + slot) * 2 ** (25 - q) + middles.number(25 - q);
        all.push({ hi, lo: bytes.readUInt32BE(4 + slotBytes + middleBytes + 4 * place++) });
      }
    }
    refuseUnless(place === c, `bucket ${bucket} has fewer ones than fingerprints`);
    slots.fillUp();
    middles.fillUp();
    at += bytes.length;
  }
  refuseUnless(at === countsAt, 'the buckets do not end where the counts begin');
  refuseUnless(all.length === header.count, 'the counts do not sum to the records of the edition');
  return all;
}

function readPayloads(file: Buffer, leavesAt: number, count: number): number[] {
  const end = headerBytes + count * 5 + Math.ceil(count / 64) * 4;
  refuseUnless(end === leavesAt, 'the blocks do not end where the leaf hashes begin');
  const all: number[] = [];
  for (let block = 0; block * 64 < count; block++) {
    const length = Math.min(64, count - block * 64) * 5;
    const bytes = cut(file, headerBytes + 324 * block, length + 4);
    const crc = (crc32(bytes.subarray(0, length)) ^ block) >>> 0;
    refuseUnless(crc === bytes.readUInt32BE(length), `the CRC of block ${block} does not hold`);
    for (let at = 0; at < length; at += 5) all.push(bytes.readUIntBE(at, 5));
  }
  return all;
}

/** Rice-coded fingerprints at the beginning of these bytes, and what is behind them. */
function readRice(
  bytes: Buffer,
  length: number,
  u: number,
): { prints: { hi: number; lo: number }[]; rest: Buffer } {
  const coded = bitsOf(bytes);
  const uppers = Array.from(
    { length },
    () => (BigInt(coded.unary()) << BigInt(32 + u)) + (BigInt(coded.number(u)) << 32n),
  );
  const lowersAt = coded.fillUp();
  const lowers = cut(bytes, lowersAt, 4 * length);
  let sum = 0n;
  const prints = uppers.map((upper, i) => {
    sum += upper + BigInt(lowers.readUInt32BE(4 * i));
    refuseUnless(sum < 2n ** 64n, 'a fingerprint passes 64 bits');
    return { hi: Number(sum >> 32n), lo: Number(sum & 0xffff_ffffn) };
  });
  return { prints, rest: bytes.subarray(lowersAt + lowers.length) };
}

/** Reads a delta, without knowing yet what it applies to. */
export function readPageDelta(delta: Buffer): PageDelta {
  const header = readHeader(delta, 'CPDELTA');
  const { additions: a, removals: r } = header;
  const crc = cut(delta, headerBytes, 4).readUInt32BE(0);
  const body = delta.subarray(headerBytes + 4);
  refuseUnless(crc32(body) === crc, 'the CRC of the delta does not hold');
  refuseUnless(4 * (a + r) <= body.length, 'the delta is too short for what it counts');
  const gone = readRice(body, r, header.parameters[1]);
  const come = readRice(gone.rest, a, header.parameters[0]);
  const length = cut(come.rest, 0, 4).readUInt32BE(0);
  refuseUnless(
    length >= 5 && length <= 6 * r + 6 * a + 5 + 2 * Math.min(a, 17_576),
    'no columns have this length',
  );
  const columns = brotliDecompressSync(come.rest.subarray(4), { maxOutputLength: length });
  refuseUnless(columns.length === length, 'the columns have another length than said');

  let at = 0;
  const take = (bytes: number) => {
    const taken = cut(columns, at, bytes);
    at += bytes;
    return taken;
  };
  const marks = take(r);
  const removals = gone.prints.map(({ hi, lo }, i): PageRemoval => {
    refuseUnless(marks.readUInt8(i) <= 1, 'a mark is neither 0 nor 1');
    return marks[i] === 1 ? { hi, lo, bits: take(5).readUIntBE(0, 5) } : { hi, lo };
  });
  for (const [i, { hi, lo, bits }] of removals.entries()) {
    const before = removals[i - 1];
    if (before === undefined || before.hi !== hi || before.lo !== lo) continue;
    refuseUnless(bits !== undefined && before.bits !== undefined, 'an only record is removed twice');
    refuseUnless(before.bits <= bits, 'the removals are not in ascending order');
  }
  const bureaus = take(2 * take(2).readUInt16BE(0));
  const latest = take(3).readUIntBE(0, 3);
  const [kinds, lower, upper, age0, age1, age2] = [
    take(a),
    take(a),
    take(a),
    take(a),
    take(a),
    take(a),
  ] as const;
  refuseUnless(at === length, 'the columns have another length than their table gives');
  const additions = come.prints.map(({ hi, lo }, i): PageEntry => {
    const place = lower.readUInt8(i) + upper.readUInt8(i) * 256;
    refuseUnless(place * 2 < bureaus.length, 'an addition is of a bureau that is not listed');
    const bureau = bureaus.readUInt16BE(2 * place);
    const day = latest - age0.readUInt8(i) - age1.readUInt8(i) * 256 - age2.readUInt8(i) * 65_536;
    refuseUnless(day >= 0 && day < 2 ** 20, 'an addition has a day that cannot be');
    const kind = kinds.readUInt8(i);
    refuseUnless(kind < 32 && bureau < 2 ** 15, 'an addition has a payload that cannot be');
    const bits = kind * 2 ** 35 + bureau * 2 ** 20 + day;
    return { hi, lo, bits, payload: recordOf(bits) };
  });
  refuseUnless(ascending(additions), 'the additions are not in ascending order');
  return { header, removals, additions };
}

/** The edition that a delta makes from the one before. */
export function applyPageDelta(before: PageEdition, delta: PageDelta): PageEdition {
  const { header } = delta;
  refuseUnless(header.from === before.header.edition, 'the delta is for another edition');
  const sameSecret = header.check.hi === before.header.check.hi && header.check.lo === before.header.check.lo;
  refuseUnless(sameSecret, 'the delta was made with another secret');
  const count = before.entries.length + delta.additions.length - delta.removals.length;
  refuseUnless(header.count === count, 'the delta makes another number of records than it says');
  const named = (hi: number, lo: number) => `${hi} ${lo}`;
  const records = Map.groupBy(before.entries, ({ hi, lo }) => named(hi, lo));
  const several = new Set([...records].filter(([, { length }]) => length > 1).map(([name]) => name));
  for (const { hi, lo, bits } of delta.removals) {
    const name = named(hi, lo);
    const left = records.get(name) ?? [];
    refuseUnless(
      several.has(name) === (bits !== undefined),
      'a removal means several records, or means one only',
    );
    const gone = left.findIndex((entry) => bits === undefined || entry.bits === bits);
    refuseUnless(gone !== -1, 'the delta removes a record that is not there');
    left.splice(gone, 1);
  }
  return { header, entries: [...[...records.values()].flat(), ...delta.additions].sort(order) };
}

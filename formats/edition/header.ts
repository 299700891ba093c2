import { crc32 } from 'node:zlib';
import { CollectionName, type CollectionName as Collection } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { Check } from 'typebox/value';

/**
 * The header that every file of an edition begins with. All numbers are big-endian.
 *
 *     offset  bytes  what
 *          0      7  what file it is: "CPPRINT" fingerprints of a base, "CPPAYLD" its payload, "CPDELTA" a delta
 *          7      1  version of the format: 1
 *          8      4  number of the edition
 *         12      4  of a delta: number of the edition that it changes; else 0
 *         16      8  date of the edition: milliseconds since 1970-01-01 UTC
 *         24      4  records in the edition
 *         28      4  of a delta: how many records it adds; else 0
 *         32      4  of a delta: how many it removes; else 0
 *         36      1  of a base: prefix bits q (base-layout.ts); of a delta: Rice parameter of the additions less 32
 *         37      1  of a delta: Rice parameter of the removals less 32; else 0
 *         38      8  fingerprint of a key that no document has: shows that the secret is the same, not its id alone
 *         46     16  collection, ASCII, filled up with zeros
 *         62     62  id of the fingerprint key, ASCII, filled up with zeros
 *        124      4  CRC-32 (ISO 3309) of the 124 bytes before
 */
export const headerBytes = 128;
export const formatVersion = 1;

export const magics = { fingerprints: 'CPPRINT', payload: 'CPPAYLD', delta: 'CPDELTA' } as const;
export type FileKind = keyof typeof magics;

export interface Header {
  readonly collection: Collection;
  /** 1 to 2^32 - 1. */
  readonly edition: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly date: number;
  readonly count: number;
  readonly fingerprintKey: string;
  /** Hexadecimal, 16 digits. */
  readonly fingerprintCheck: string;
  readonly from: number;
  readonly additions: number;
  readonly removals: number;
  readonly parameters: readonly [number, number];
}

/** What all files of one edition say alike. */
export type EditionHeader = Pick<
  Header,
  'collection' | 'edition' | 'date' | 'count' | 'fingerprintKey' | 'fingerprintCheck'
>;

/** The latest instant that a date can be, milliseconds since 1970 (ECMA-262 § 21.4.1.1). */
const latestDate = 8.64e15;

/** Throws a TypeError where the id of the fingerprint key has no room, so that no reader could ever know it again. */
export function encodeHeader(kind: FileKind, header: Header): Buffer {
  if (!/^[ -~]{1,62}$/.test(header.fingerprintKey)) {
    throw new TypeError('the id of a fingerprint key is 1 to 62 ASCII characters');
  }
  const bytes = Buffer.alloc(headerBytes);
  bytes.write(magics[kind], 0, 'latin1');
  bytes.writeUInt8(formatVersion, 7);
  bytes.writeUInt32BE(header.edition, 8);
  bytes.writeUInt32BE(header.from, 12);
  bytes.writeBigUInt64BE(BigInt(header.date), 16);
  bytes.writeUInt32BE(header.count, 24);
  bytes.writeUInt32BE(header.additions, 28);
  bytes.writeUInt32BE(header.removals, 32);
  bytes.writeUInt8(header.parameters[0], 36);
  bytes.writeUInt8(header.parameters[1], 37);
  bytes.write(header.fingerprintCheck, 38, 'hex');
  bytes.write(header.collection, 46, 'latin1');
  bytes.write(header.fingerprintKey, 62, 'latin1');
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 124)), 124);
  return bytes;
}

/** Faults: EDITION_DAMAGED, EDITION_NEWER. */
export function decodeHeader(kind: FileKind, bytes: Buffer): Result<Header> {
  if (bytes.length < headerBytes) return damaged('It is shorter than a header.');
  if (bytes.toString('latin1', 0, 7) !== magics[kind])
    return damaged(`It does not begin like a file of ${words[kind]}.`);
  const version = bytes.readUInt8(7);
  if (version > formatVersion) {
    return fail('EDITION_NEWER', `It has format ${version}; this release knows ${formatVersion}.`);
  }
  if (version !== formatVersion) return damaged(`There is no format ${version}.`);
  if (crc32(bytes.subarray(0, 124)) !== bytes.readUInt32BE(124)) return damaged('Its header is damaged.');
  const collection = textAt(bytes, 46, 62);
  if (!Check(CollectionName, collection)) return damaged('It is of a collection that is not known here.');
  const edition = bytes.readUInt32BE(8);
  const date = Number(bytes.readBigUInt64BE(16));
  if (edition === 0 || date > latestDate) return damaged('It has no number, or a date that there is not.');
  return ok({
    collection,
    edition,
    from: bytes.readUInt32BE(12),
    date,
    count: bytes.readUInt32BE(24),
    additions: bytes.readUInt32BE(28),
    removals: bytes.readUInt32BE(32),
    parameters: [bytes.readUInt8(36), bytes.readUInt8(37)],
    fingerprintCheck: bytes.toString('hex', 38, 46),
    fingerprintKey: textAt(bytes, 62, 124),
  });
}

export function damaged(detail: string, cause?: unknown) {
  return fail('EDITION_DAMAGED', detail, cause);
}

function textAt(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('latin1', from, to).replace(/\0+$/, '');
}

const words: Readonly<Record<FileKind, string>> = {
  fingerprints: 'fingerprints',
  payload: 'payload',
  delta: 'changes',
};

import { crc32 } from 'node:zlib';
import { fail, ok, type Result } from '#contracts/result.ts';
import {
  Filter,
  maxRecords,
  maxSegmentLength,
  maxShardBytes,
  maxShards,
  type Shard,
  shardBytes,
} from './filter.ts';

/**
 * A filter as a file beside the base file that it was built from. All numbers are unsigned and big-endian; a CRC is
 * CRC-32 as in zlib.
 *
 *      offset  bytes  what
 *           0      7  "CPFILTR"
 *           7      1  version of the format: 1
 *           8     32  SHA-256 of the base file
 *          40      4  records of the base file, those with equal fingerprints counted one by one; at most 2^30
 *          44      4  number of shards s: a power of two, at most 2^16
 *          48   20×s  shards, in ascending order of their keys:
 *                       0  4  different keys in it
 *                       4  4  seed
 *                       8  4  bytes of a segment: a power of two from 4 to 2^16
 *                      12  4  segments n that a first position may lie in; 0 exactly where there are no keys
 *                      16  4  CRC of its array
 *     48+20×s      4  CRC of all bytes before
 *     52+20×s         arrays of the shards, one behind the other: (n + 2) segments each, nothing where n is 0
 *
 * It is made on the terminal itself and guards against accident only: whoever can forge it can forge the base.
 */
const magic = Buffer.from('CPFILTR');
const formatVersion = 1;
const hashBytes = 32;
const prefixBytes = 48;
const entryBytes = 20;
const crcBytes = 4;

/** The file in pieces to be written one behind the other; the larger one is the filter's own memory. `base` is the SHA-256. */
export function encodeFilter(filter: Filter, base: Uint8Array): readonly Uint8Array[] {
  if (base.length !== hashBytes) throw new TypeError('the hash of a base file is 32 bytes long');
  const head = Buffer.alloc(prefixBytes + filter.shards.length * entryBytes + crcBytes);
  magic.copy(head);
  head.writeUInt8(formatVersion, 7);
  head.set(base, 8);
  head.writeUInt32BE(filter.records, 40);
  head.writeUInt32BE(filter.shards.length, 44);
  let at = prefixBytes;
  let offset = 0;
  for (const shard of filter.shards) {
    const array = filter.table.subarray(offset, offset + shardBytes(shard));
    for (const value of [shard.keys, shard.seed, shard.segmentLength, shard.segments, crc32(array)]) {
      at = head.writeUInt32BE(value, at);
    }
    offset += array.length;
  }
  head.writeUInt32BE(crc32(head.subarray(0, at)), at);
  return [head, filter.table];
}

/**
 * The filter in the bytes of its file, which it keeps as its memory. `base` is the SHA-256 of the base file that it must
 * have been built from, `records` how many that has. A damaged filter would deny records that are there, so each byte is
 * checked. Faults: EDITION_DAMAGED (cut, altered, no filter at all, or one of another base), EDITION_NEWER (a later format).
 */
export function decodeFilter(file: Buffer, base: Uint8Array, records: number): Result<Filter> {
  if (file.length < prefixBytes || !file.subarray(0, magic.length).equals(magic)) {
    return damaged('It is no filter.');
  }
  const version = file.readUInt8(7);
  if (version > formatVersion) {
    return fail('EDITION_NEWER', `The filter has format ${version}; this release reads ${formatVersion}.`);
  }
  if (version !== formatVersion) return damaged(`There is no format ${version}.`);
  const count = file.readUInt32BE(44);
  if (count === 0 || count > maxShards || (count & (count - 1)) !== 0) {
    return damaged(`It cannot have ${count} shards.`);
  }
  const headBytes = prefixBytes + count * entryBytes;
  if (file.length < headBytes + crcBytes) return damaged('It is cut off.');
  if (crc32(file.subarray(0, headBytes)) !== file.readUInt32BE(headBytes)) {
    return damaged('The checksum of its header does not hold.');
  }
  if (!file.subarray(8, 8 + hashBytes).equals(base)) return damaged('It was built from another base.');
  const built = file.readUInt32BE(40);
  if (built !== records || built > maxRecords) {
    return damaged(`It was built from ${built} records; the base has ${records}.`);
  }

  const shards: Shard[] = [];
  let keys = 0;
  let offset = headBytes + crcBytes;
  for (let at = prefixBytes; at < headBytes; at += entryBytes) {
    const shard = readShard(file, at);
    if (!isSane(shard)) return damaged(`Its shard ${shards.length} has a shape that none can have.`);
    const end = offset + shardBytes(shard);
    // The bytes of a file that is cut off have no such checksum, but for one chance in 2^32; hence the length too.
    if (end > file.length) return damaged('It is cut off.');
    if (crc32(file.subarray(offset, end)) !== file.readUInt32BE(at + 16)) {
      return damaged(`The checksum of its shard ${shards.length} does not hold.`);
    }
    shards.push(shard);
    keys += shard.keys;
    offset = end;
  }
  if (offset !== file.length) return damaged(`It has ${file.length - offset} bytes too many.`);
  if (keys > records || (keys === 0 && records > 0)) {
    return damaged(`It has ${keys} different keys of ${records} records.`);
  }
  // A plain view, not a Buffer, so that the look-up sees one type of array wherever the filter came from.
  const start = headBytes + crcBytes;
  const table = new Uint8Array(file.buffer, file.byteOffset + start, file.length - start);
  return ok(new Filter(records, shards, table));
}

function readShard(file: Buffer, at: number): Shard {
  return {
    keys: file.readUInt32BE(at),
    seed: file.readUInt32BE(at + 4),
    segmentLength: file.readUInt32BE(at + 8),
    segments: file.readUInt32BE(at + 12),
  };
}

function isSane(shard: Shard): boolean {
  const { keys, segmentLength, segments } = shard;
  if (segmentLength < 4 || segmentLength > maxSegmentLength) return false;
  if ((segmentLength & (segmentLength - 1)) !== 0) return false;
  if ((keys === 0) !== (segments === 0)) return false;
  // No array can be smaller than its keys are many.
  return shardBytes(shard) <= maxShardBytes && keys <= shardBytes(shard);
}

function damaged(detail: string): Result<never> {
  return fail('EDITION_DAMAGED', `The filter is damaged. ${detail}`);
}

import { brotliCompressSync, brotliDecompressSync, constants, crc32 } from 'node:zlib';
import { ok, type Result } from '#contracts/result.ts';
import { decodeColumns, encodeColumns, mostColumnBytes, onlyRecord } from './delta-columns.ts';
import { compareEntries, type Entries, isSameFingerprint, makeEntries } from './entries.ts';
import { damaged, decodeHeader, type EditionHeader, encodeHeader, headerBytes } from './header.ts';
import { decodeRice, encodeRice, riceParameter } from './rice.ts';

/**
 * A delta makes one edition from the one before: what it removes, then what it adds. The file:
 *
 *     header (header.ts)
 *     4 bytes: CRC-32 of all that follows
 *     fingerprints of the removed records, then of the added ones, each sorted and Rice-coded (rice.ts)
 *     4 bytes: length of the columns before compression
 *     the columns, compressed with Brotli (RFC 7932; delta-columns.ts)
 *
 * With 64-bit fingerprints two documents share one about never, so that the payload of what is removed costs nothing;
 * where several records of one document are there, it says which of them goes.
 */
export interface Delta {
  readonly header: EditionHeader & {
    /** Number of the edition that it changes. */
    readonly from: number;
  };
  readonly additions: Entries;
  /** `payload` is `onlyRecord` (delta-columns.ts) where the edition before has one record only with this fingerprint. */
  readonly removals: Entries;
}

const checkAt = headerBytes;
const bodyAt = headerBytes + 4;

export function encodeDelta({ header, additions, removals }: Delta): Buffer {
  const added = riceParameter(additions);
  const removed = riceParameter(removals);
  const head = encodeHeader('delta', {
    ...header,
    additions: additions.hi.length,
    removals: removals.hi.length,
    parameters: [added, removed],
  });
  const columns = encodeColumns(additions, removals);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(columns.length);
  const body = Buffer.concat([
    encodeRice(removals, removed),
    encodeRice(additions, added),
    length,
    brotliCompressSync(columns, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_LGWIN]: 24,
        [constants.BROTLI_PARAM_SIZE_HINT]: columns.length,
      },
    }),
  ]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([head, check, body]);
}

/** Faults: EDITION_DAMAGED, EDITION_NEWER. */
export function decodeDelta(bytes: Buffer): Result<Delta> {
  const decoded = decodeHeader('delta', bytes);
  if (!decoded.ok) return decoded;
  const { additions: added, removals: removed, parameters, from, ...rest } = decoded.value;
  const { collection, edition, date, count, fingerprintKey, fingerprintCheck } = rest;
  if (bytes.length < bodyAt) return damaged('It is cut off.');
  const body = bytes.subarray(bodyAt);
  if (crc32(body) !== bytes.readUInt32BE(checkAt))
    return damaged('Its changes are not as they were written.');
  // Four bytes of each fingerprint stand as they are: a count that the file cannot hold allocates nothing.
  if (4 * (added + removed) > body.length || parameters[0] > 32 || parameters[1] > 32 || from >= edition) {
    return damaged('Its header is not one of a delta.');
  }
  const additions = makeEntries(added);
  const removals = makeEntries(removed);
  const first = decodeRice(body, parameters[1], removals);
  if (first === undefined) return damaged('Its removals cannot be read.');
  const second = decodeRice(body.subarray(first), parameters[0], additions);
  const columnsAt = first + (second ?? 0);
  if (second === undefined || columnsAt + 4 > body.length) return damaged('Its additions cannot be read.');
  const columns = unpack(body.subarray(columnsAt + 4), body.readUInt32BE(columnsAt), added, removed);
  if (columns === undefined || !decodeColumns(columns, additions, removals)) {
    return damaged('Its records cannot be read.');
  }
  if (!isInOrder(additions) || !isInOrder(removals)) return damaged('Its records are not in order.');
  return ok({
    header: { collection, edition, date, count, fingerprintKey, fingerprintCheck, from },
    additions,
    removals,
  });
}

/**
 * Fingerprints are in order whatever the bytes are, payloads need not be: better found here than when a base is to be
 * made of them. Whoever is removed as the only one of a fingerprint is removed once.
 */
function isInOrder(entries: Entries): boolean {
  for (let at = 1; at < entries.hi.length; at++) {
    if (compareEntries(entries, at - 1, entries, at) > 0) return false;
    if (entries.payload[at - 1] === onlyRecord && isSameFingerprint(entries, at - 1, entries, at))
      return false;
  }
  return true;
}

function unpack(bytes: Buffer, length: number, added: number, removed: number): Buffer | undefined {
  // Nobody unpacks a bomb.
  if (length > mostColumnBytes(added, removed)) return undefined;
  try {
    const columns = brotliDecompressSync(bytes, { maxOutputLength: Math.max(length, 1) });
    return columns.length === length ? columns : undefined;
  } catch {
    return undefined;
  }
}

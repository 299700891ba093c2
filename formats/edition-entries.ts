import type { EditionRecord } from '#contracts/edition.ts';
import type { DocumentType } from '#contracts/search-key.ts';
import type { KindOfLoss } from '#contracts/verdict.ts';

/**
 * The entries of an edition: 16 bytes each, sorted as bytes, searched where they lie, with no object per record.
 *
 *     offset  bytes  what
 *          0      8  fingerprint of the search key (formats/keyed.ts)
 *          8      1  document type, position in `documentTypes`
 *          9      1  kind of loss, position in `kindsOfLoss`
 *         10      3  day of the report: days since 1900-01-01, big-endian
 *         13      3  bureau that reported it, three letters in ASCII
 */
export type Entry = Buffer;

export const entryBytes = 16;
const fingerprintBytes = 8;

// The position is what is stored: new ones go to the end, and none is ever moved.
const documentTypes: readonly DocumentType[] = ['passport', 'identity-card', 'visa', 'other'];
const kindsOfLoss: readonly KindOfLoss[] = ['stolen', 'lost', 'revoked', 'invalid', 'stolen-blank'];

const dayMillis = 86_400_000;
const firstDay = Date.parse('1900-01-01T00:00:00Z');
/** The days that an entry can hold, ISO 8601, both included. */
export const reportDays = { first: '1900-01-01', last: '9999-12-31' } as const;

export function encodeEntry(fingerprint: Buffer, record: EditionRecord): Entry {
  const entry = Buffer.alloc(entryBytes);
  fingerprint.copy(entry, 0, 0, fingerprintBytes);
  entry.writeUInt8(documentTypes.indexOf(record.documentType), 8);
  entry.writeUInt8(kindsOfLoss.indexOf(record.kindOfLoss), 9);
  entry.writeUIntBE((Date.parse(`${record.reportedOn}T00:00:00Z`) - firstDay) / dayMillis, 10, 3);
  entry.write(record.reportedBy, 13, 3, 'latin1');
  return entry;
}

/** The records of all entries with this fingerprint. */
export function findEntries(entries: Buffer, fingerprint: Buffer): EditionRecord[] {
  const found: EditionRecord[] = [];
  for (let at = lowerBound(entries, fingerprint); at < entries.length; at += entryBytes) {
    if (compareAt(entries, at, fingerprint) !== 0) break;
    found.push(decodeEntry(entries, at));
  }
  return found;
}

/** Where the first entry stands whose fingerprint is not smaller: a byte offset, the length where there is none. */
function lowerBound(entries: Buffer, fingerprint: Buffer): number {
  let low = 0;
  let high = entries.length / entryBytes;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (compareAt(entries, middle * entryBytes, fingerprint) < 0) low = middle + 1;
    else high = middle;
  }
  return low * entryBytes;
}

function compareAt(entries: Buffer, at: number, fingerprint: Buffer): number {
  return entries.compare(fingerprint, 0, fingerprintBytes, at, at + fingerprintBytes);
}

/** Whether the entries are in order and each is one that this release can read. */
export function isSorted(entries: Buffer): boolean {
  for (let at = 0; at < entries.length; at += entryBytes) {
    if (!isReadable(entries, at)) return false;
    const before = at - entryBytes;
    if (before >= 0 && entries.compare(entries, at, at + entryBytes, before, at) > 0) return false;
  }
  return true;
}

function isReadable(entries: Buffer, at: number): boolean {
  if (entries.readUInt8(at + 8) >= documentTypes.length) return false;
  if (entries.readUInt8(at + 9) >= kindsOfLoss.length) return false;
  for (let letter = at + 13; letter < at + 16; letter++) {
    const code = entries.readUInt8(letter);
    if (code < 0x41 || code > 0x5a) return false;
  }
  return true;
}

function decodeEntry(entries: Buffer, at: number): EditionRecord {
  const documentType = documentTypes[entries.readUInt8(at + 8)];
  const kindOfLoss = kindsOfLoss[entries.readUInt8(at + 9)];
  // isSorted has looked at every entry when the edition was opened.
  if (documentType === undefined || kindOfLoss === undefined) throw new TypeError('the entry is no record');
  return {
    documentType,
    kindOfLoss,
    reportedOn: new Date(firstDay + entries.readUIntBE(at + 10, 3) * dayMillis).toISOString().slice(0, 10),
    reportedBy: entries.toString('latin1', at + 13, at + 16),
  };
}

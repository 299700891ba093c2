import type { EditionRecord } from '#contracts/edition.ts';
import type { DocumentType } from '#contracts/search-key.ts';
import type { KindOfLoss } from '#contracts/verdict.ts';

/**
 * Records of an edition as columns, one place in each column a record: no object a record, so that a hundred million
 * pass through. They are in ascending order of `hi`, then `lo`, then `payload`.
 */
export interface Entries {
  /** Upper half of the fingerprint (formats/keyed.ts): its first four bytes, big-endian. */
  readonly hi: Uint32Array;
  /** Lower half. */
  readonly lo: Uint32Array;
  /** What is known of the record, 40 bits: `encodePayload`. */
  readonly payload: Float64Array;
}

export function makeEntries(length: number): Entries {
  return { hi: new Uint32Array(length), lo: new Uint32Array(length), payload: new Float64Array(length) };
}

/** The places from `from` to before `to`, on the same memory. */
export function sliceEntries({ hi, lo, payload }: Entries, from: number, to: number): Entries {
  return { hi: hi.subarray(from, to), lo: lo.subarray(from, to), payload: payload.subarray(from, to) };
}

/** Below 0 where place `i` of `a` comes before place `j` of `b`, above 0 where it comes after. */
export function compareEntries(a: Entries, i: number, b: Entries, j: number): number {
  return (
    (a.hi[i] as number) - (b.hi[j] as number) ||
    (a.lo[i] as number) - (b.lo[j] as number) ||
    (a.payload[i] as number) - (b.payload[j] as number)
  );
}

export function isSameFingerprint(a: Entries, i: number, b: Entries, j: number): boolean {
  return a.hi[i] === b.hi[j] && a.lo[i] === b.lo[j];
}

/**
 * The payload: 40 bits, from the highest on
 *
 *     bits  what
 *        2  document type, position in `documentTypes`
 *        3  kind of loss, position in `kindsOfLoss`
 *       15  bureau that reported it: three letters, A is 0, as a number to the base of 26
 *       20  day of the report: days since 1900-01-01
 */
export const payloadBytes = 5;

// The position is what is stored: new ones go to the end, and none is ever moved.
const documentTypes: readonly DocumentType[] = ['passport', 'identity-card', 'visa', 'other'];
const kindsOfLoss: readonly KindOfLoss[] = ['stolen', 'lost', 'revoked', 'invalid', 'stolen-blank'];
const bureaus = 26 ** 3;
const dayValues = 2 ** 20;

const dayMillis = 86_400_000;
const firstDay = Date.parse('1900-01-01T00:00:00Z');
/** The days that a payload can hold, ISO 8601, both included; 2999 is a slip of the pen already. */
export const reportDays = { first: '1900-01-01', last: '2999-12-31' } as const;

export function encodePayload(record: EditionRecord): number {
  return payloadOf(record, dayNumber(record.reportedOn));
}

/** The same for millions of records, which share a few thousand days: each is read once. */
export function payloadEncoder(): (record: EditionRecord) => number {
  const days = new Map<string, number>();
  return (record) => {
    let day = days.get(record.reportedOn);
    if (day === undefined) {
      day = dayNumber(record.reportedOn);
      days.set(record.reportedOn, day);
    }
    return payloadOf(record, day);
  };
}

function payloadOf({ documentType, kindOfLoss, reportedBy }: EditionRecord, day: number): number {
  const what = documentTypes.indexOf(documentType) * 8 + kindsOfLoss.indexOf(kindOfLoss);
  return (what * 32_768 + bureauNumber(reportedBy)) * dayValues + day;
}

function dayNumber(day: string): number {
  return (Date.parse(`${day}T00:00:00Z`) - firstDay) / dayMillis;
}

/** Whether a number of 40 bits is a payload. */
export function isPayload(payload: number): boolean {
  const upper = Math.floor(payload / dayValues);
  return (
    upper >>> 18 < documentTypes.length &&
    ((upper >>> 15) & 7) < kindsOfLoss.length &&
    (upper & 32_767) < bureaus
  );
}

/** The record, or undefined where no release that knew this format has written it. */
export function decodePayload(payload: number): EditionRecord | undefined {
  const upper = Math.floor(payload / dayValues);
  const documentType = documentTypes[upper >>> 18];
  const kindOfLoss = kindsOfLoss[(upper >>> 15) & 7];
  const bureau = upper & 32_767;
  if (documentType === undefined || kindOfLoss === undefined || bureau >= bureaus) return undefined;
  return {
    documentType,
    kindOfLoss,
    reportedOn: new Date(firstDay + (payload % dayValues) * dayMillis).toISOString().slice(0, 10),
    reportedBy: bureauName(bureau),
  };
}

function bureauNumber(code: string): number {
  let number = 0;
  for (let at = 0; at < 3; at++) number = number * 26 + code.charCodeAt(at) - 65;
  return number;
}

function bureauName(number: number): string {
  return String.fromCharCode(
    65 + Math.floor(number / 676),
    65 + (Math.floor(number / 26) % 26),
    65 + (number % 26),
  );
}

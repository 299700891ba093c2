import { type Entries, isPayload, payloadBytes } from './entries.ts';

/**
 * What a delta says of its records beside their fingerprints, as columns: like stands beside like, and one byte is one
 * symbol where it can be, which a compressor makes nearly as short as it can be. Numbers are big-endian.
 *
 *     bytes    what
 *     r        a byte for each removal: 0 where the edition before has one record only with this fingerprint, else 1
 *     5 × 1s   for each 1 the payload (entries.ts) of the record that goes
 *     2, 2 × b how many bureaus b report additions, and the number of each (entries.ts), in ascending order
 *     3        the latest day of all additions, days since 1900-01-01
 *     a        of each addition: document type × 8 + kind of loss
 *     a, a     its bureau's place among the b, lower byte; then the upper bytes of all
 *     a, a, a  how many days before the latest it was reported, lowest byte; then the middle ones, then the highest
 */
export const onlyRecord = -1;

/** The most that the columns can take. */
export function mostColumnBytes(additions: number, removals: number): number {
  return removals * (1 + payloadBytes) + 2 + 2 * Math.min(additions, 26 ** 3) + 3 + 6 * additions;
}

export function encodeColumns(additions: Entries, removals: Entries): Buffer {
  const marks = Buffer.alloc(removals.hi.length);
  const named: Buffer[] = [];
  for (let at = 0; at < marks.length; at++) {
    const payload = removals.payload[at] as number;
    if (payload === onlyRecord) continue;
    marks[at] = 1;
    const bytes = Buffer.alloc(payloadBytes);
    bytes.writeUIntBE(payload, 0, payloadBytes);
    named.push(bytes);
  }
  const records = Array.from(additions.payload, split);
  const bureaus = [...new Set(records.map(({ bureau }) => bureau))].sort((a, b) => a - b);
  const places = new Map(bureaus.map((bureau, place) => [bureau, place]));
  let latest = 0;
  for (const { day } of records) latest = Math.max(latest, day);
  const head = Buffer.alloc(2 + 2 * bureaus.length + 3);
  head.writeUInt16BE(bureaus.length, 0);
  bureaus.forEach((bureau, place) => head.writeUInt16BE(bureau, 2 + 2 * place));
  head.writeUIntBE(latest, head.length - 3, 3);
  const count = records.length;
  const columns = Buffer.alloc(6 * count);
  records.forEach(({ what, bureau, day }, at) => {
    const place = places.get(bureau) ?? 0;
    const back = latest - day;
    [what, place & 255, place >>> 8, back & 255, (back >>> 8) & 255, back >>> 16].forEach((byte, column) => {
      columns[column * count + at] = byte;
    });
  });
  return Buffer.concat([marks, ...named, head, columns]);
}

/** Fills in the payloads; whether there were as many as there should be, and each addition is a record. */
export function decodeColumns(columns: Buffer, additions: Entries, removals: Entries): boolean {
  let at = removals.hi.length;
  for (let removal = 0; removal < removals.hi.length; removal++) {
    const mark = columns[removal];
    if (mark === 1) {
      if (at + payloadBytes > columns.length) return false;
      removals.payload[removal] = columns.readUIntBE(at, payloadBytes);
      at += payloadBytes;
    } else if (mark === 0) removals.payload[removal] = onlyRecord;
    else return false;
  }
  if (at + 2 > columns.length) return false;
  const bureaus = columns.readUInt16BE(at);
  const bureausAt = at + 2;
  const latestAt = bureausAt + 2 * bureaus;
  const count = additions.hi.length;
  const first = latestAt + 3;
  if (columns.length !== first + 6 * count) return false;
  const latest = columns.readUIntBE(latestAt, 3);
  const byte = (column: number, record: number): number => columns[first + column * count + record] as number;
  for (let record = 0; record < count; record++) {
    const place = byte(1, record) + byte(2, record) * 256;
    const day = latest - byte(3, record) - byte(4, record) * 256 - byte(5, record) * 65_536;
    if (place >= bureaus || day < 0 || day >= 2 ** 20 || byte(0, record) > 31) return false;
    const bureau = columns.readUInt16BE(bureausAt + 2 * place);
    const payload = (byte(0, record) * 32_768 + bureau) * 2 ** 20 + day;
    if (bureau > 32_767 || !isPayload(payload)) return false;
    additions.payload[record] = payload;
  }
  return true;
}

function split(payload: number): { readonly what: number; readonly bureau: number; readonly day: number } {
  const upper = Math.floor(payload / 2 ** 20);
  return { what: upper >>> 15, bureau: upper & 32_767, day: payload % 2 ** 20 };
}

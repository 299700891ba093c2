import { DocumentTypeName } from '#contracts/documents.ts';
import type { EditionRecord } from '#contracts/edition.ts';
import { canonicalNumber, type DocumentType, type SearchKey, searchKey } from '#contracts/search-key.ts';
import { KindOfLoss } from '#contracts/verdict.ts';
import { bureauOf, type Column, isDay, stateOf } from './record.ts';
import type { RowBytes } from './rows.ts';

/** What an edition needs of a record. */
export interface EditionRow extends EditionRecord {
  readonly key: SearchKey;
}

/** Where each column stands in a row, from 0; -1 where it is not there. */
export type Places = Readonly<Record<Column, number>>;

const longestNumber = 27;
/** More values than a collection has; beyond that, memory is given back and learnt anew. */
const mostRemembered = 65_536;
const dropped = 1;

/**
 * Reads the rows that are plainly right from their bytes, several times faster than `toRecord` reads them. It decides
 * nothing by itself: what it takes for a state, a number, a day or a bureau it has asked of the functions that
 * `toRecord` asks, once for each value, and wherever it has a doubt (blanks around a value, letters beyond ASCII,
 * anything wrong) it says nothing and `toRecord` has the word.
 */
export class QuickRows {
  readonly #numberBytes = canonicalBytes();
  readonly #types = new Words<DocumentType>(DocumentTypeName);
  readonly #kinds = new Words<KindOfLoss>(KindOfLoss);
  readonly #states = new Map<number, string>();
  readonly #bureaus = new Map<number, string>();
  readonly #days = new Map<number, string>();
  readonly #key = Buffer.alloc(3 + 1 + longestNumber);

  /** Undefined is no verdict: `toRecord` must look. */
  read(row: RowBytes, places: Places): EditionRow | undefined {
    const { bytes, from, to } = row;
    if (!isShortAscii(bytes, from[places.record] as number, to[places.record] as number, 1, 64))
      return undefined;
    const documentType = this.#types.find(bytes, from, to, places.document_type);
    if (documentType === undefined) return undefined;
    const kindOfLoss = this.#kinds.find(bytes, from, to, places.kind_of_loss);
    if (kindOfLoss === undefined) return undefined;
    const reportedOn = this.#day(bytes, from[places.reported_on] as number, to[places.reported_on] as number);
    if (reportedOn === undefined) return undefined;
    const reportedBy = recall(this.#bureaus, bureauOf, bytes, from, to, places.reported_by);
    if (reportedBy === undefined) return undefined;
    if (!this.#isOptionalRight(row, places)) return undefined;
    const state = recall(this.#states, stateOf, bytes, from, to, places.issuing_state);
    if (state === undefined) return undefined;
    const key = this.#keyOf(state, row, places.document_number);
    if (key === undefined) return undefined;
    return { key, documentType, kindOfLoss, reportedOn, reportedBy };
  }

  #isOptionalRight({ bytes, from, to }: RowBytes, places: Places): boolean {
    const { lost_on: lostOn, reference, remark } = places;
    if (lostOn !== -1) {
      const first = from[lostOn] as number;
      const last = to[lostOn] as number;
      if (first !== last && this.#day(bytes, first, last) === undefined) return false;
    }
    if (reference !== -1 && !isShortAscii(bytes, from[reference] as number, to[reference] as number, 0, 64)) {
      return false;
    }
    // No text has more characters than bytes.
    return remark === -1 || (to[remark] as number) - (from[remark] as number) <= 500;
  }

  #keyOf(state: string, { bytes, from, to }: RowBytes, place: number): SearchKey | undefined {
    const key = this.#key;
    let end = 0;
    for (; end < state.length; end++) key[end] = state.charCodeAt(end);
    key[end++] = 0x7c;
    const begin = end;
    const last = to[place] as number;
    for (let at = from[place] as number; at < last; at++) {
      const byte = this.#numberBytes[bytes[at] as number] as number;
      if (byte === dropped) continue;
      if (byte === 0 || end - begin === longestNumber) return undefined;
      key[end++] = byte;
    }
    return end === begin ? undefined : (key.toString('latin1', 0, end) as SearchKey);
  }

  #day(bytes: Buffer, from: number, to: number): string | undefined {
    if (to - from !== 10) return undefined;
    let number = 0;
    for (let at = from; at < to; at++) {
      const byte = bytes[at] as number;
      if (at - from === 4 || at - from === 7) {
        if (byte !== 0x2d) return undefined;
      } else {
        if (byte < 0x30 || byte > 0x39) return undefined;
        number = number * 10 + byte - 0x30;
      }
    }
    const known = this.#days.get(number);
    if (known !== undefined) return known;
    const text = bytes.toString('latin1', from, to);
    if (!isDay(text)) return undefined;
    remember(this.#days, number, text);
    return text;
  }
}

/** The words of a union by their bytes, in small letters or in capitals. */
class Words<T extends string> {
  readonly #byLength: readonly (readonly { word: T; small: Buffer; capital: Buffer }[])[];

  constructor(union: { readonly anyOf: readonly { readonly const: T }[] }) {
    const words = union.anyOf.map(({ const: word }) => {
      return { word, small: Buffer.from(word), capital: Buffer.from(word.toUpperCase()) };
    });
    const longest = Math.max(...words.map(({ word }) => word.length));
    this.#byLength = Array.from({ length: longest + 1 }, (_, length) => {
      return words.filter(({ word }) => word.length === length);
    });
  }

  find(bytes: Buffer, from: Int32Array, to: Int32Array, place: number): T | undefined {
    const first = from[place] as number;
    const length = (to[place] as number) - first;
    const candidates = this.#byLength[length];
    if (candidates === undefined) return undefined;
    for (const { word, small, capital } of candidates) {
      let at = 0;
      for (; at < length; at++) {
        const byte = bytes[first + at];
        if (byte !== small[at] && byte !== capital[at]) break;
      }
      if (at === length) return word;
    }
    return undefined;
  }
}

/** What `ask` says of a code of up to three ASCII characters; it is asked once for each code that is one. */
function recall(
  known: Map<number, string>,
  ask: (text: string) => string | undefined,
  bytes: Buffer,
  from: Int32Array,
  to: Int32Array,
  place: number,
): string | undefined {
  const first = from[place] as number;
  const last = to[place] as number;
  if (last - first > 3) return undefined;
  let packed = 0;
  for (let at = first; at < last; at++) {
    const byte = bytes[at] as number;
    // Blanks around a value are for toRecord; a zero would pack like nothing.
    if (byte <= 0x20 || byte > 0x7e) return undefined;
    packed = (packed << 8) | byte;
  }
  const found = known.get(packed);
  if (found !== undefined) return found;
  const answer = ask(bytes.toString('latin1', first, last));
  if (answer !== undefined) remember(known, packed, answer);
  return answer;
}

function remember(known: Map<number, string>, key: number, value: string): void {
  if (known.size >= mostRemembered) known.clear();
  known.set(key, value);
}

/** Printable ASCII of so many characters, with no blanks around it. */
function isShortAscii(bytes: Buffer, from: number, to: number, least: number, most: number): boolean {
  const length = to - from;
  if (length < least || length > most) return false;
  if (length > 0 && (bytes[from] === 0x20 || bytes[to - 1] === 0x20)) return false;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return true;
}

/** For each byte of a number the one that it is filed as, `dropped` where it does not count, 0 where it needs a look. */
function canonicalBytes(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 128; byte++) {
    const canonical = canonicalNumber(String.fromCharCode(byte));
    if (canonical === '') table[byte] = dropped;
    else if (searchKey('X', canonical) !== undefined) table[byte] = canonical.charCodeAt(0);
  }
  return table;
}

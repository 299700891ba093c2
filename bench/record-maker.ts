import type { DocumentType } from '#contracts/search-key.ts';
import type { KindOfLoss } from '#contracts/verdict.ts';
import {
  blankShare,
  bureauOf,
  documentTypes,
  formOf,
  forms,
  type NumberForm,
  issuers,
  issuerShares,
  kindShares,
  kindsOfLoss,
  ownShare,
  spread,
  typeShares,
} from './collection-tables.ts';

export interface UnrecordedNumber {
  readonly issuingState: string;
  readonly documentNumber: string;
  readonly documentType: DocumentType;
}

export interface SyntheticRecord extends UnrecordedNumber {
  readonly record: string;
  readonly kindOfLoss: KindOfLoss;
  readonly reportedOn: string;
  readonly reportedBy: string;
}

/** Every `i` below this has a number of its own, by a permutation of the domain. */
const domainBits = 28;
const domain = 2 ** domainBits;
/** The last ones of the domain are for numbers that are not recorded. */
export const mostUnrecorded = 2 ** 24;
export const mostRecords = domain - mostUnrecorded;

/** Blanks are stolen by the box, with consecutive numbers. */
const boxBits = 7;
const boxSize = 2 ** boxBits;
/** Boxes take their numbers from the last tenth of a form's numbers, all others from what is below. */
const singlesShare = 0.9;

const slots = 65_536;
const firstDay = Date.UTC(2003, 0, 1);
const lastDay = Date.UTC(2026, 10, 24);
const dayMillis = 86_400_000;

/** Bytes of the words, so that a row is written without a string. */
const words = (texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const typeWords = words(documentTypes);
const kindWords = words([...kindsOfLoss, 'stolen-blank']);
const blank = kindWords.length - 1;
const issuerWords = words(issuers);
const bureauWords = words(issuers.map((issuer) => bureauOf[issuer] ?? issuer));

/** Makes record `i` from the seed and `i` alone. */
export class RecordMaker {
  readonly #seed: number;
  readonly #issuers = spread(issuerShares, slots);
  readonly #types = spread(typeShares, 256);
  readonly #kinds = spread(kindShares, 256);
  readonly #days: readonly Buffer[];
  readonly #dayOf: Uint16Array;
  readonly #forms: Uint8Array;
  readonly #sizes = forms.map((form) => form.reduce((size, signs) => size * signs.length, 1));

  constructor(seed: number) {
    this.#seed = scramble(seed ^ 0x2545_f491);
    const count = (lastDay - firstDay) / dayMillis + 1;
    this.#days = Array.from({ length: count }, (_, day) =>
      Buffer.from(new Date(firstDay + day * dayMillis).toISOString().slice(0, 10)),
    );
    // Reports grow from year to year, from a little to four times as many.
    this.#dayOf = Uint16Array.from({ length: slots }, (_, slot) => Math.floor(count * (slot / slots) ** 0.6));
    this.#forms = Uint8Array.from({ length: issuers.length * documentTypes.length }, (_, at) =>
      formOf(at % documentTypes.length, this.#draw(at, 5)),
    );
  }

  /** Writes the row of record `i`, with its line feed; where the next one goes. */
  writeRow(into: Buffer, at: number, i: number): number {
    const box = i >>> boxBits;
    const blanks = this.#draw(box, 1) < blankShare * 2 ** 32;
    // All of a box is of one issuer and was reported on one day.
    const about = blanks ? this.#draw(box, 2) : this.#draw(i, 2);
    const more = blanks ? this.#draw(box, 3) : this.#draw(i, 3);
    const issuer = this.#issuers[about >>> 16] as number;
    const type = this.#types[about & 255] as number;
    const kind = blanks ? blank : (this.#kinds[(about >>> 8) & 255] as number);
    const day = this.#days[this.#dayOf[more >>> 16] as number] as Buffer;
    const own = (more & 0xffff) < ownShare * slots;
    const bureau = bureauWords[own ? issuer : (this.#issuers[this.#draw(i, 4) >>> 16] as number)] as Buffer;
    const form = this.#forms[issuer * documentTypes.length + type] as number;
    at = copy(into, at, bureau);
    into[at++] = 0x2d;
    for (let place = 0; place < 4; place++) into[at++] = day[place] as number;
    into[at++] = 0x2d;
    at = writeDecimal(into, at, i, 9);
    into[at++] = 0x2c;
    at = copy(into, at, issuerWords[issuer] as Buffer);
    into[at++] = 0x2c;
    const number = blanks ? this.#inBox(form, box, i) : this.#single(form, i);
    at = writeNumber(into, at, number, forms[form] as NumberForm);
    into[at++] = 0x2c;
    at = copy(into, at, typeWords[type] as Buffer);
    into[at++] = 0x2c;
    at = copy(into, at, kindWords[kind] as Buffer);
    into[at++] = 0x2c;
    at = copy(into, at, day);
    into[at++] = 0x2c;
    at = copy(into, at, bureau);
    into[at++] = 0x0a;
    return at;
  }

  /** The `at`-th document that is in no collection of this seed. */
  unrecorded(at: number): UnrecordedNumber {
    if (at >= mostUnrecorded) throw new RangeError(`at most ${mostUnrecorded} can be made`);
    const i = domain - 1 - at;
    const about = this.#draw(i, 2);
    const issuer = this.#issuers[about >>> 16] as number;
    const type = this.#types[about & 255] as number;
    const form = this.#forms[issuer * documentTypes.length + type] as number;
    const number = Buffer.alloc(32);
    const end = writeNumber(number, 0, this.#single(form, i), forms[form] as NumberForm);
    return {
      issuingState: issuers[issuer] ?? '',
      documentNumber: number.toString('latin1', 0, end),
      documentType: documentTypes[type] ?? 'other',
    };
  }

  /** No two `i` have the same number of one form. */
  #single(form: number, i: number): number {
    const each = Math.floor(((this.#sizes[form] as number) * singlesShare) / domain);
    return this.#permute(i) * each + (this.#draw(i, 6) % each);
  }

  #inBox(form: number, box: number, i: number): number {
    const size = this.#sizes[form] as number;
    const boxes = Math.floor((size * (1 - singlesShare)) / boxSize);
    return size - (1 + (this.#draw(box, 7) % boxes)) * boxSize + (i & (boxSize - 1));
  }

  /** A permutation of the domain: each step can be undone. */
  #permute(i: number): number {
    const mask = domain - 1;
    let x = (i + this.#seed) & mask;
    x = Math.imul(x ^ (x >>> 15), 0x2c1b_3c6d) & mask;
    x = Math.imul(x ^ (x >>> 12), 0x297a_2d39) & mask;
    return x ^ (x >>> 15);
  }

  /** 32 bits that are the record's for this purpose. */
  #draw(i: number, purpose: number): number {
    return scramble(Math.imul(i, 0x9e37_79b1) ^ scramble(this.#seed + purpose));
  }
}

/** Finaliser of MurmurHash3. */
function scramble(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

function copy(into: Buffer, at: number, word: Buffer): number {
  for (let place = 0; place < word.length; place++) into[at + place] = word[place] as number;
  return at + word.length;
}

function writeDecimal(into: Buffer, at: number, value: number, places: number): number {
  for (let place = at + places - 1; place >= at; place--) {
    const rest = Math.floor(value / 10);
    into[place] = 0x30 + value - rest * 10;
    value = rest;
  }
  return at + places;
}

function writeNumber(into: Buffer, at: number, value: number, form: NumberForm): number {
  for (let place = form.length - 1; place >= 0; place--) {
    const signs = form[place] as Uint8Array;
    const rest = Math.floor(value / signs.length);
    into[at + place] = signs[value - rest * signs.length] as number;
    value = rest;
  }
  return at + form.length;
}

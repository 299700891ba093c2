import { type Framed, type Framing, longestFrame, shortestNoisyFrame } from './framing.ts';

/**
 * Access-IS OCR31x, on its serial line and inside its HID reports alike:
 *
 *     machine readable zone   1C 02  line CR  line CR  [line CR]  03 1D
 *     magnetic stripe         0E 02  …  03 0F
 *     barcode                 1E 02  …  03 1F
 *
 * The closing byte is the opening one plus one. What stands outside of these pairs is noise. A frame that begins
 * inside another ends it: the reader was interrupted, and what came of it is what it read.
 */
const stx = 0x02;
const etx = 0x03;
const mrz = 0x1c;
const others: Readonly<Record<number, 'magnetic-stripe' | 'barcode'>> = {
  0x0e: 'magnetic-stripe',
  0x1e: 'barcode',
};

/** A barcode may hold a whole letter; more than this is none. */
const longestOther = 8192;

export class Ocr31xFraming implements Framing {
  readonly #buffer = new Uint8Array(longestFrame);
  #length = 0;
  #noise = 0;
  /** What the frame that is being read was opened with; undefined outside of any. */
  #opened: number | undefined;
  /** Bytes of a read that is no MRZ: counted, not kept. */
  #counted = 0;
  /** An opening byte or ETX, whose meaning the next byte decides. */
  #held: number | undefined;
  #skipping = false;

  get pending(): boolean {
    return this.#length > 0 || this.#opened !== undefined || this.#held !== undefined || this.#skipping;
  }

  push(chunk: Uint8Array): Framed[] {
    const out: Framed[] = [];
    for (const byte of chunk) this.#take(byte, out);
    return out;
  }

  silence(): Framed[] {
    const out: Framed[] = [];
    // An ETX at the very end began the end of the frame: it is no part of the lines.
    if (this.#held !== undefined && this.#held !== etx) this.#keep(this.#held, out);
    if (this.#opened === undefined) this.#outside(out, true);
    else this.#end(out);
    this.reset();
    return out;
  }

  reset(): void {
    this.#length = 0;
    this.#noise = 0;
    this.#opened = undefined;
    this.#counted = 0;
    this.#held = undefined;
    this.#skipping = false;
  }

  #take(byte: number, out: Framed[]): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) {
      if (isOpener(held) && byte === stx) return this.#open(held, out);
      if (held === etx && this.#opened !== undefined && byte === this.#opened + 1) {
        this.#end(out);
        return this.reset();
      }
      this.#keep(held, out);
    }
    if (isOpener(byte) || (byte === etx && this.#opened !== undefined)) this.#held = byte;
    else this.#keep(byte, out);
  }

  #open(opener: number, out: Framed[]): void {
    if (this.#opened === undefined) this.#outside(out, false);
    else this.#end(out);
    this.reset();
    this.#opened = opener;
  }

  #keep(byte: number, out: Framed[]): void {
    if (this.#skipping) return;
    if (this.#opened !== undefined && this.#opened !== mrz) {
      if (++this.#counted > longestOther) this.#overflow(out);
      return;
    }
    if (this.#length === longestFrame) return this.#overflow(out);
    if (!isText(byte)) this.#noise++;
    this.#buffer[this.#length++] = byte;
  }

  /** What came is no document, however it goes on; passed over until the line is silent or a frame begins. */
  #overflow(out: Framed[]): void {
    if (this.#length > 0) out.push({ kind: 'frame', text: this.#text(), noisy: true, damaged: true });
    out.push({ kind: 'too-long' });
    this.reset();
    this.#skipping = true;
  }

  #end(out: Framed[]): void {
    const what = others[this.#opened ?? mrz];
    if (what !== undefined) out.push({ kind: 'other', what });
    else if (this.#length > 0)
      out.push({ kind: 'frame', text: this.#text(), noisy: this.#noise > 0, damaged: false });
  }

  /** Bytes outside of any frame: a spike, or, where nothing follows it, a read that this framing cannot understand. */
  #outside(out: Framed[], silent: boolean): void {
    if (this.#length === 0) return;
    if (!silent || this.#length < shortestNoisyFrame) out.push({ kind: 'noise', bytes: this.#text() });
    else out.push({ kind: 'frame', text: this.#text(), noisy: true, damaged: true });
  }

  #text(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }
}

function isOpener(byte: number): boolean {
  return byte === mrz || others[byte] !== undefined;
}

function isText(byte: number): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || byte === 0x0d || byte === 0x0a;
}

import type { BlockCheck } from '#contracts/readers.ts';
import { BlockCheckSum } from './block-check.ts';
import { type Framed, type Framing, longestFrame, shortestFrame, shortestNoisyFrame } from './framing.ts';

/**
 * Bytes of a generic swipe reader to frames, as they come, in chunks cut anywhere.
 *
 *     bare        line CR [LF]  line CR [LF]  [line CR [LF]]
 *     enveloped   STX  line CR [LF]  line CR [LF]  [line [CR [LF]]]  ETX  [block check]
 *
 * A bare frame says nowhere that it is complete. The length of its first line does (ICAO Doc 9303 parts 4 to 7: two
 * lines of 44 or 36, three of 30), so that a good frame is out with its last byte; any other is out when the line has
 * been silent for a while. Where the last line has no line end, silence alone is the end: its length says nothing, since
 * a visa's line of 44 from which eight characters are missing above would end as one of 36, with every digit right and
 * the state of another document (found by `npm run prove -- fuzz`). Bytes that are no text before a frame are a spike of their own and cost it nothing.
 */
const stx = 0x02;
const etx = 0x03;
const cr = 0x0d;
const lf = 0x0a;

/** Lines that follow from the length of the first. */
const linesByLength: Readonly<Record<number, number>> = { 44: 2, 36: 2, 30: 3 };

export interface LineFramingOptions {
  readonly blockCheck: BlockCheck;
  /** False where the last line has no line end of its own. */
  readonly lastLineEnd: boolean;
}

export class LineFraming implements Framing {
  readonly #options: LineFramingOptions;
  readonly #buffer = new Uint8Array(longestFrame);
  readonly #check: BlockCheckSum;
  #length = 0;
  #enveloped = false;
  /** The byte after ETX is the block check, whatever it is. */
  #checkFollows = false;
  #skipping = false;
  #lines = 0;
  #firstLine = 0;
  #lineStart = 0;
  #noise = 0;

  constructor(options: LineFramingOptions = { blockCheck: 'none', lastLineEnd: true }) {
    this.#options = options;
    this.#check = new BlockCheckSum(options.blockCheck);
  }

  get pending(): boolean {
    return this.#length > 0 || this.#skipping || this.#checkFollows;
  }

  push(chunk: Uint8Array): Framed[] {
    const out: Framed[] = [];
    for (const byte of chunk) this.#take(byte, out);
    return out;
  }

  silence(): Framed[] {
    const out: Framed[] = [];
    this.#skipping = false;
    this.#end(out, this.#checkFollows);
    return out;
  }

  reset(): void {
    this.#length = 0;
    this.#enveloped = false;
    this.#checkFollows = false;
    this.#skipping = false;
    this.#lines = 0;
    this.#firstLine = 0;
    this.#lineStart = 0;
    this.#noise = 0;
  }

  #take(byte: number, out: Framed[]): void {
    if (this.#checkFollows) return this.#end(out, byte !== this.#check.value);
    if (byte === stx) {
      this.#end(out, false);
      this.reset();
      this.#enveloped = true;
      this.#check.begin();
      return;
    }
    if (this.#skipping) return;
    // The LF of a CRLF, or the line end after an ETX: it belongs to the frame before.
    if (this.#length === 0 && !this.#enveloped && (byte === cr || byte === lf || byte === etx)) return;
    if (byte === etx) return this.#endOfText(out);
    if (this.#length === longestFrame) {
      this.#end(out, this.#enveloped);
      out.push({ kind: 'too-long' });
      this.#skipping = true;
      return;
    }
    const isText = byte >= 0x20 && byte <= 0x7e;
    const isEnd = byte === cr || byte === lf;
    if (isText && this.#length > 0 && this.#noise === this.#length && !this.#enveloped) this.#end(out, false);
    this.#put(byte, isText || isEnd);
    if (isEnd) this.#lineEnd(byte, out);
  }

  #put(byte: number, isText: boolean): void {
    if (this.#enveloped) this.#check.add(byte);
    this.#buffer[this.#length++] = byte;
    if (!isText) this.#noise++;
  }

  #lineEnd(byte: number, out: Framed[]): void {
    const pair = byte === lf && this.#buffer[this.#length - 2] === cr;
    if (!pair) {
      this.#lines++;
      if (this.#lines === 1) this.#firstLine = this.#length - 1 - this.#lineStart;
    }
    this.#lineStart = this.#length;
    if (this.#enveloped || !this.#options.lastLineEnd) return;
    if (this.#lines === linesByLength[this.#firstLine]) this.#end(out, false);
  }

  #endOfText(out: Framed[]): void {
    if (!this.#enveloped) return this.#end(out, false);
    this.#check.end();
    if (this.#options.blockCheck === 'none') this.#end(out, false);
    else this.#checkFollows = true;
  }

  #end(out: Framed[], damaged: boolean): void {
    const noise = this.#noise;
    // What should have been checked and was not is not to be believed.
    const unchecked = this.#options.blockCheck !== 'none' && !this.#checkFollows;
    const bytes = this.#buffer.slice(0, this.#length);
    const wasSkipping = this.#skipping;
    this.reset();
    this.#skipping = wasSkipping;
    if (bytes.length === 0) return;
    const shortest = noise > 0 ? shortestNoisyFrame : shortestFrame;
    if (bytes.length < shortest) out.push({ kind: 'noise', bytes });
    else out.push({ kind: 'frame', text: bytes, noisy: noise > 0, damaged: damaged || unchecked });
  }
}

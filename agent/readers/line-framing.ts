/**
 * Bytes of a generic swipe reader to frames, as they come, in chunks cut anywhere.
 *
 *     bare        line CR [LF]  line CR [LF]  [line CR [LF]]
 *     enveloped   STX  line CR [LF]  line CR [LF]  [line [CR [LF]]]  ETX
 *
 * A bare frame says nowhere that it is complete. The length of its first line does (ICAO Doc 9303 parts 4 to 7: two
 * lines of 44 or 36, three of 30), so that a good frame is out with its last byte; any other is out when the line has
 * been silent for a while. The framing knows no clock: its owner calls `silence`.
 */
const stx = 0x02;
const etx = 0x03;
const cr = 0x0d;
const lf = 0x0a;

/** Lines that follow from the length of the first. */
const linesByLength: Readonly<Record<number, number>> = { 44: 2, 36: 2, 30: 3 };

/** Twice the longest frame of a known reader: more than this is no document. */
export const longestFrame = 256;
/** Fewer bytes than this with noise among them are a spike on the line, not a read that an officer waits for. */
const shortestNoisyFrame = 20;

export type Framed =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array; readonly noisy: boolean }
  /** A spike on the line: bytes that no reader sends, too few to be a read. */
  | { readonly kind: 'noise'; readonly count: number }
  /** A frame ended at `longestFrame`; what follows is passed over until the line is silent or a frame begins. */
  | { readonly kind: 'too-long' };

export class LineFraming {
  readonly #buffer = new Uint8Array(longestFrame);
  #length = 0;
  #enveloped = false;
  #skipping = false;
  #lines = 0;
  #firstLine = 0;
  #lineStart = 0;
  #noise = 0;

  /** Whether bytes wait for more, so that silence means something. */
  get pending(): boolean {
    return this.#length > 0 || this.#skipping;
  }

  /** Takes a chunk; what it completes, in order. */
  push(chunk: Uint8Array): Framed[] {
    const out: Framed[] = [];
    for (const byte of chunk) this.#take(byte, out);
    return out;
  }

  /** The line has been silent: what waits is all that comes. */
  silence(): Framed[] {
    const out: Framed[] = [];
    this.#skipping = false;
    this.#end(out);
    return out;
  }

  /** The device is gone: what waits is dropped, so that it is never joined to a frame after it. */
  reset(): void {
    this.#length = 0;
    this.#enveloped = false;
    this.#skipping = false;
    this.#lines = 0;
    this.#firstLine = 0;
    this.#lineStart = 0;
    this.#noise = 0;
  }

  #take(byte: number, out: Framed[]): void {
    if (byte === stx) {
      this.#end(out);
      this.reset();
      this.#enveloped = true;
      this.#put(byte);
      return;
    }
    if (this.#skipping) return;
    // The LF of a CRLF, or the line end after an ETX: it belongs to the frame before.
    if (this.#length === 0 && (byte === cr || byte === lf || byte === etx)) return;
    if (this.#length === longestFrame) {
      this.#end(out);
      out.push({ kind: 'too-long' });
      this.#skipping = true;
      return;
    }
    const before = this.#buffer[this.#length - 1];
    this.#put(byte);
    if (byte === etx) this.#end(out);
    else if (byte === cr || (byte === lf && before !== cr)) this.#lineEnd(out);
    else if (byte === lf) this.#lineStart = this.#length;
    else if (byte < 0x20 || byte > 0x7e) this.#noise++;
  }

  #put(byte: number): void {
    this.#buffer[this.#length++] = byte;
    if (byte === stx) this.#lineStart = this.#length;
  }

  #lineEnd(out: Framed[]): void {
    this.#lines++;
    if (this.#lines === 1) this.#firstLine = this.#length - 1 - this.#lineStart;
    this.#lineStart = this.#length;
    if (!this.#enveloped && this.#lines === linesByLength[this.#firstLine]) this.#end(out);
  }

  #end(out: Framed[]): void {
    const noise = this.#noise;
    const bytes = this.#buffer.slice(0, this.#length);
    const wasSkipping = this.#skipping;
    this.reset();
    this.#skipping = wasSkipping;
    if (bytes.length === 0) return;
    if (noise > 0 && bytes.length < shortestNoisyFrame) out.push({ kind: 'noise', count: noise });
    else out.push({ kind: 'frame', bytes, noisy: noise > 0 });
  }
}

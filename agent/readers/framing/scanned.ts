import { type Framed, type Framing, longestFrame, shortestNoisyFrame } from './framing.ts';

/** What stands at the beginning of the bytes that wait. */
export type Found =
  /** A whole message of this many bytes; `framed` is what it says, if it says anything. */
  | { readonly kind: 'message'; readonly bytes: number; readonly framed?: Framed }
  /** The beginning of one: more must come. */
  | { readonly kind: 'begun' }
  /** No message begins with this byte. */
  | { readonly kind: 'nothing' };

/** Reads a message at the beginning of the bytes; pure, and never longer than `longestFrame`. */
export type Scan = (bytes: Uint8Array) => Found;

/**
 * A framing of messages that say themselves how long they are. Where none begins, one byte is passed over as noise and
 * the next is tried: so it finds back into step after garbage, and a length that was damaged costs one message.
 */
export class ScannedFraming implements Framing {
  readonly #scan: Scan;
  readonly #buffer = new Uint8Array(longestFrame);
  #length = 0;
  readonly #noise = new Uint8Array(longestFrame);
  #noiseLength = 0;
  #flooded = false;

  constructor(scan: Scan) {
    this.#scan = scan;
  }

  get pending(): boolean {
    return this.#length > 0 || this.#noiseLength > 0 || this.#flooded;
  }

  push(chunk: Uint8Array): Framed[] {
    const out: Framed[] = [];
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + longestFrame - this.#length);
      this.#buffer.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
      this.#read(out, false);
    }
    return out;
  }

  silence(): Framed[] {
    const out: Framed[] = [];
    this.#read(out, true);
    this.#sayNoise(out, true);
    this.reset();
    return out;
  }

  reset(): void {
    this.#length = 0;
    this.#noiseLength = 0;
    this.#flooded = false;
  }

  #read(out: Framed[], silent: boolean): void {
    while (this.#length > 0) {
      const found = this.#scan(this.#buffer.subarray(0, this.#length));
      if (found.kind === 'message') {
        this.#sayNoise(out, false);
        if (found.framed !== undefined) out.push(found.framed);
        this.#drop(found.bytes);
        continue;
      }
      // A message that does not go on is none, nor is one that does not fit.
      if (found.kind === 'begun' && !silent && this.#length < longestFrame) return;
      this.#pass(out);
    }
  }

  #pass(out: Framed[]): void {
    const byte = this.#buffer[0] ?? 0;
    this.#drop(1);
    if (this.#flooded) return;
    this.#noise[this.#noiseLength++] = byte;
    if (this.#noiseLength < longestFrame) return;
    this.#sayNoise(out, true);
    out.push({ kind: 'too-long' });
    this.#flooded = true;
  }

  #drop(count: number): void {
    this.#buffer.copyWithin(0, count, this.#length);
    this.#length -= count;
  }

  /** Where silence follows so much of it, an officer waits for an answer: it is a read that could not be understood. */
  #sayNoise(out: Framed[], silent: boolean): void {
    const bytes = this.#noise.slice(0, this.#noiseLength);
    this.#noiseLength = 0;
    this.#flooded = false;
    if (bytes.length === 0) return;
    if (!silent || bytes.length < shortestNoisyFrame) out.push({ kind: 'noise', bytes });
    else out.push({ kind: 'frame', text: bytes, noisy: true, damaged: true });
  }
}

/** Whether every byte is a printable character or a line end. */
export function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => (byte >= 0x20 && byte <= 0x7e) || byte === 0x0d || byte === 0x0a);
}

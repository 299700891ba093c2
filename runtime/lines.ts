const newline = 0x0a;

/**
 * Cuts what a stream brings into lines, and keeps no more than one line of `limit` bytes meanwhile. After a line that
 * is longer nothing of the stream can be believed any more: `overlong` stays true and no further line comes.
 */
export class LineCutter {
  readonly #limit: number;
  #pieces: Buffer[] = [];
  #held = 0;
  #overlong = false;

  /** `limit` in bytes, without the end of the line. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get overlong(): boolean {
    return this.#overlong;
  }

  /** The lines that this piece completes, without their ends. */
  push(piece: Buffer): string[] {
    const lines: string[] = [];
    let begin = 0;
    while (!this.#overlong) {
      const end = piece.indexOf(newline, begin);
      const part = piece.subarray(begin, end < 0 ? piece.length : end);
      this.#held += part.length;
      if (this.#held > this.#limit) {
        this.#overlong = true;
        this.#pieces = [];
        break;
      }
      if (part.length > 0) this.#pieces.push(part);
      if (end < 0) break;
      lines.push(Buffer.concat(this.#pieces).toString('utf8'));
      this.#pieces = [];
      this.#held = 0;
      begin = end + 1;
    }
    return lines;
  }
}

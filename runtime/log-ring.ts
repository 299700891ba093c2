/** What a log writes its lines to, as `createLog` of runtime/log.ts takes it. */
export interface LogStream {
  write(line: string): void;
}

/** The newest lines of a log, up to so many bytes, in memory: what a diagnostic bundle begins with. */
export class LogRing implements LogStream {
  readonly #limit: number;
  #lines: string[] = [];
  /** How many of `#lines` have been passed over at its beginning; cut off now and then, not at every line. */
  #begin = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(limit = 262_144) {
    this.#limit = limit;
  }

  write(line: string): void {
    // A line longer than the whole ring would push out all others and still not fit.
    const kept = line.trimEnd().slice(0, this.#limit / 8);
    if (kept === '') return;
    this.#lines.push(kept);
    this.#bytes += Buffer.byteLength(kept);
    while (this.#bytes > this.#limit) {
      this.#bytes -= Buffer.byteLength(this.#lines[this.#begin] ?? '');
      this.#lines[this.#begin++] = '';
      this.#dropped++;
    }
    if (this.#begin > 1000) {
      this.#lines = this.#lines.slice(this.#begin);
      this.#begin = 0;
    }
  }

  /** Oldest first, without the ends of the lines. */
  lines(): string[] {
    return this.#lines.slice(this.#begin);
  }

  /** Lines that were written and are no longer here. */
  get dropped(): number {
    return this.#dropped;
  }
}

/** Writes every line to each of the streams. */
export function tee(...streams: readonly LogStream[]): LogStream {
  return {
    write(line) {
      for (const stream of streams) stream.write(line);
    },
  };
}

import { isUtf8 } from 'node:buffer';
import { fieldsKept, type RowBytes, type RowSource, type WrongField } from './rows.ts';

/** Bytes of a file, a pipe or a test, cut anywhere. Each chunk is used up before the next one is asked for. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface CsvOptions {
  /** A row of more bytes is broken, so that a quote that is never closed does not swallow the file. */
  readonly longestRow?: number;
  /** Bytes that are looked at together, beyond the longest row. */
  readonly blockBytes?: number;
}

const comma = 0x2c;
const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** More bytes are needed to know where the row ends. */
const unfinished = -1;
const noWrong: readonly WrongField[] = [];
const notText: readonly WrongField[] = [{ problem: 'is not text in UTF-8' }];

/**
 * Rows of a CSV (RFC 4180) in UTF-8: fields separated by commas, rows by CRLF or LF, fields in double quotes may hold
 * both and double a quote that they hold. Rows that are wholly empty are counted but left out; a byte order mark too.
 *
 * Chunks are copied into one block, in which the rows are found where they lie; what is left of the last row goes to the
 * front before more is read:
 *
 *     | rows that were given | row | row | beginning of a row | free |
 *                            ^ #at                            ^ #filled
 */
export class CsvRows implements RowSource {
  readonly heading = 'Row 1, the header';
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #longest: number;
  readonly #block: Buffer;
  readonly #from = new Int32Array(fieldsKept);
  readonly #to = new Int32Array(fieldsKept);
  /** Fields of the row in hand that hold doubled quotes. */
  #doubled: number[] = [];
  #count = 0;
  #at = 0;
  #filled = 0;
  #chunk: Uint8Array = Buffer.alloc(0);
  #begun = false;
  #ended = false;
  /** Whether all rows that are whole in the block are text. */
  #text = true;
  #number = 0;

  constructor(chunks: Chunks, options: CsvOptions = {}) {
    this.#chunks =
      Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
    this.#longest = options.longestRow ?? 65_536;
    this.#block = Buffer.allocUnsafe(this.#longest + (options.blockBytes ?? 1_048_576));
  }

  next(): RowBytes | undefined {
    while (this.#at < this.#filled) {
      const start = this.#at;
      let broken: string | undefined;
      let end = this.#scan(start);
      if (typeof end === 'string') {
        broken = end;
        end = start;
      } else if (end === unfinished) {
        if (this.#filled - start <= this.#longest) return undefined;
        end = this.#filled;
      }
      if (end - start > this.#longest) {
        broken = `is longer than ${this.#longest} bytes: perhaps a quote is opened and never closed`;
      }
      this.#number++;
      if (broken !== undefined) {
        this.#at = this.#filled;
        this.#ended = true;
        return this.#row(noWrong, broken);
      }
      this.#at = end;
      if (this.#count === 1 && this.#from[0] === this.#to[0]) continue;
      const wrong = this.#text || isUtf8(this.#block.subarray(start, end)) ? noWrong : notText;
      for (const field of this.#doubled) this.#halveQuotes(field);
      return this.#row(wrong);
    }
    return undefined;
  }

  async more(): Promise<boolean> {
    if (this.#ended) return false;
    const block = this.#block;
    block.copyWithin(0, this.#at, this.#filled);
    this.#filled -= this.#at;
    this.#at = 0;
    while (this.#filled < block.length) {
      if (this.#chunk.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) {
          this.#ended = true;
          break;
        }
        this.#chunk = next.value;
      }
      const taken = this.#chunk.subarray(0, block.length - this.#filled);
      block.set(taken, this.#filled);
      this.#filled += taken.length;
      this.#chunk = this.#chunk.subarray(taken.length);
    }
    if (!this.#begun && block.subarray(0, Math.min(3, this.#filled)).equals(byteOrderMark)) this.#at = 3;
    this.#begun = true;
    // No character of several bytes holds a line feed, so that this cuts none.
    const whole = this.#ended ? this.#filled : block.lastIndexOf(lineFeed, this.#filled - 1) + 1;
    this.#text = whole <= this.#at || isUtf8(block.subarray(this.#at, whole));
    return true;
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#chunks.return?.();
  }

  /** Finds the fields of the row that starts here. Where the next row starts, `unfinished`, or what is wrong with a quote. */
  #scan(start: number): number | string {
    const block = this.#block;
    const filled = this.#filled;
    const from = this.#from;
    const to = this.#to;
    let count = 0;
    let at = start;
    if (this.#doubled.length > 0) this.#doubled = [];
    for (;;) {
      let byte = 0;
      let first = at;
      let last: number;
      if (at < filled && block[at] === quote) {
        first++;
        last = this.#closingQuote(first, count);
        if (last === unfinished) {
          if (!this.#ended || filled - start > this.#longest) return unfinished;
          return 'a quote is opened and never closed';
        }
        at = last + 1;
        if (at < filled) {
          byte = block[at] as number;
          if (byte === carriageReturn) {
            if (at + 1 === filled && !this.#ended) return unfinished;
            if (at + 1 < filled && block[at + 1] === lineFeed) {
              at++;
              byte = lineFeed;
            }
          }
          if (byte !== comma && byte !== lineFeed) {
            if (at + 1 - start > this.#longest) return unfinished;
            return 'something stands between a closing quote and the next comma';
          }
        }
      } else {
        while (at < filled && (byte = block[at] as number) !== comma && byte !== lineFeed) at++;
        last = at;
        if (at < filled && byte === lineFeed && last > first && block[last - 1] === carriageReturn) last--;
      }
      if (at === filled && !this.#ended) return unfinished;
      if (count < fieldsKept) {
        from[count] = first;
        to[count] = last;
      }
      count++;
      if (at === filled) break;
      at++;
      if (byte === lineFeed) break;
    }
    this.#count = count;
    return at;
  }

  /** Where the quote stands that closes this field; quotes that are doubled are noted. */
  #closingQuote(from: number, field: number): number {
    const block = this.#block;
    const filled = this.#filled;
    let doubled = false;
    for (let at = from; at < filled; at++) {
      if (block[at] !== quote) continue;
      // At the end of the block its pair may follow yet, which `#scan` waits for.
      if (at + 1 === filled || block[at + 1] !== quote) {
        if (doubled && field < fieldsKept) this.#doubled.push(field);
        return at;
      }
      doubled = true;
      at++;
    }
    return unfinished;
  }

  /** Of each two quotes in a field keeps one, where the field lies. */
  #halveQuotes(field: number): void {
    const block = this.#block;
    let end = this.#from[field] as number;
    for (let at = end; at < (this.#to[field] as number); at++) {
      const byte = block[at] as number;
      block[end++] = byte;
      if (byte === quote) at++;
    }
    this.#to[field] = end;
  }

  #row(wrong: readonly WrongField[], broken?: string): RowBytes {
    return {
      number: this.#number,
      bytes: this.#block,
      from: this.#from,
      to: this.#to,
      count: this.#count,
      wrong,
      broken,
    };
  }
}

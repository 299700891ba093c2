/** Longer than any document with its line ends: what follows is dropped, and the whole is no document anyhow. */
const longest = 2048;
const CR = 0x0d;
const LF = 0x0a;
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * Divides a stream of bytes into documents at empty lines, in bounded memory. A line ends with LF, CRLF or CR; a line
 * of blanks is empty. Each document is told with the number of its first line, counted from 1.
 */
export class DocumentDivider {
  readonly #onDocument: (bytes: Uint8Array, line: number) => void;
  #bytes: number[] = [];
  /** Number of the line that is being read, and of the first one of this document. */
  #line = 1;
  #first = 1;
  /** Whether anything but blanks stands in the line that is being read, and in the document before it. */
  #lineHasText = false;
  #hasText = false;
  #afterCR = false;
  /** How much of a byte order mark was seen at the very beginning; undefined once that is over. */
  #mark: number | undefined = 0;

  constructor(onDocument: (bytes: Uint8Array, line: number) => void) {
    this.#onDocument = onDocument;
  }

  push(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (this.#isMark(byte)) continue;
      const endsPair = byte === LF && this.#afterCR;
      this.#afterCR = byte === CR;
      if (endsPair) continue;
      if (byte === CR || byte === LF) this.#endLine();
      else this.#take(byte);
    }
  }

  /** The stream has ended: what is left is a document too. */
  end(): void {
    if (this.#hasText || this.#lineHasText) this.#onDocument(Uint8Array.from(this.#bytes), this.#first);
    this.#bytes = [];
    this.#hasText = this.#lineHasText = false;
  }

  #take(byte: number): void {
    const isBlank = byte === 0x20 || byte === 0x09;
    if (!isBlank && !this.#hasText && !this.#lineHasText) this.#first = this.#line;
    if (!isBlank) this.#lineHasText = true;
    if (this.#bytes.length < longest) this.#bytes.push(byte);
  }

  #endLine(): void {
    if (this.#lineHasText) {
      this.#hasText = true;
      this.#lineHasText = false;
      if (this.#bytes.length < longest) this.#bytes.push(LF);
    } else {
      this.end();
    }
    this.#line += 1;
  }

  #isMark(byte: number): boolean {
    if (this.#mark === undefined) return false;
    const isMark = byte === byteOrderMark[this.#mark];
    if (isMark) this.#mark += 1;
    // A mark that breaks off was none; the bytes that are lost with it are no document's.
    if (!isMark || this.#mark === byteOrderMark.length) this.#mark = undefined;
    return isMark;
  }
}

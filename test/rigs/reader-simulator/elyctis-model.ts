import { elyctis, joined, latin } from './encode.ts';
import type { ModelParts, ReaderModel } from './model.ts';

/** What it says of itself: made up. */
const version = 'IDBOX 1.0';
const serialNumber = '0000001';
const headerLength = 3;
/** No command of the host is longer: more is another reader's language. */
const longestData = 16;

/**
 * Elyctis IDBOX: answers `V`, `R`, `I` and `C`. With continuous reading on (`C 00 01 01`, answered by the same) it
 * sends what is put into it, once, and continuous reading is then off: what is put in before it is on again is not
 * sent, also not later. `I` asks for what lies in it.
 */
export class ElyctisModel<Document> implements ReaderModel<Document> {
  readonly #parts: ModelParts<Document>;
  #continuous = false;
  #lying: Document | undefined;
  #waiting: Uint8Array = new Uint8Array();

  constructor(parts: ModelParts<Document>) {
    this.#parts = parts;
  }

  get listening(): boolean {
    return this.#continuous;
  }

  put(document: Document): boolean {
    this.#lying = document;
    if (!this.#continuous) return false;
    this.#continuous = false;
    this.#parts.read(document);
    return true;
  }

  powerOn(): void {
    this.#continuous = false;
    this.#lying = undefined;
    this.#waiting = new Uint8Array();
  }

  heard(bytes: Uint8Array): void {
    this.#waiting = joined(this.#waiting, bytes);
    while (this.#waiting.length >= headerLength) {
      const [command = 0, high = 0, low = 0] = this.#waiting;
      const end = headerLength + (high << 8) + low;
      const known = 'VRIC'.includes(String.fromCharCode(command));
      if (!known || end > headerLength + longestData) {
        this.#waiting = this.#waiting.subarray(1);
        continue;
      }
      if (this.#waiting.length < end) return;
      const message = this.#waiting.slice(0, end);
      this.#waiting = this.#waiting.subarray(end);
      this.#parts.command(message);
      this.#obey(String.fromCharCode(command), message);
    }
  }

  #obey(command: string, message: Uint8Array): void {
    switch (command) {
      case 'V':
        return this.#parts.answer(elyctis('V', latin(version)));
      case 'R':
        return this.#parts.answer(elyctis('R', latin(serialNumber)));
      case 'I':
        return this.#lying === undefined ? this.#parts.answer(elyctis('I')) : this.#parts.read(this.#lying);
      default:
        this.#continuous = message[headerLength] === 1;
        return this.#parts.answer(message);
    }
  }
}

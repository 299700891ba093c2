import type { ReaderProfile } from '#contracts/readers.ts';
import { joined } from './encode.ts';
import type { ModelParts, ReaderModel, SignalName } from './model.ts';

interface Known {
  readonly bytes: Uint8Array;
  readonly obey: () => void;
}

const ACK = 0x06;
/** A Honeywell menu command: SYN M CR, text, and `!` (kept until power-off) or `.` (kept for good). */
const menuPrefix = Uint8Array.of(0x16, 0x4d, 0x0d);
const menuEnds = ['!', '.'].map((end) => end.charCodeAt(0));
/** Switches reading of text on; without it an imager reads barcodes only. */
const switchesOcrOn = /ocrena1/i;
const longestCommand = 64;

/**
 * A reader that sends by itself, or an imager that reads while a session that the host began lasts: until it has read,
 * or until the host ends it. What lies before an imager when a session begins is read then, but only once.
 */
export class ListenModel<Document> implements ReaderModel<Document> {
  readonly #parts: ModelParts<Document>;
  readonly #isImager: boolean;
  readonly #hasTrigger: boolean;
  readonly #known: readonly Known[];
  #ocr: boolean;
  #session = false;
  #unreadYet: Document | undefined;
  #waiting: Uint8Array = new Uint8Array();

  constructor(profile: ReaderProfile, parts: ModelParts<Document>) {
    this.#parts = parts;
    this.#isImager = profile.family === 'honeywell';
    this.#ocr = !this.#isImager;
    const protocol = profile.protocol.kind === 'listen' ? profile.protocol : undefined;
    this.#hasTrigger = protocol?.trigger !== undefined;
    const trigger = protocol?.trigger;
    const setup = this.#isImager ? [] : (protocol?.setup ?? []);
    this.#known = [
      ...(Object.entries(profile.signals) as [SignalName, string][]).map(([name, hex]) =>
        known(hex, () => parts.signal(name)),
      ),
      ...(trigger === undefined
        ? []
        : [known(trigger.start, () => this.#begin()), known(trigger.stop, () => (this.#session = false))]),
      ...setup.map(({ send, expect }) =>
        known(send, () => {
          if (expect !== undefined) parts.answer(fromHex(expect));
        }),
      ),
    ].filter(({ bytes }) => bytes.length > 0);
  }

  get listening(): boolean {
    return this.#ocr && (!this.#hasTrigger || this.#session);
  }

  put(document: Document): boolean {
    if (!this.listening) {
      this.#unreadYet = document;
      return false;
    }
    this.#read(document);
    return true;
  }

  powerOn(): void {
    this.#ocr = !this.#isImager;
    this.#session = false;
    this.#unreadYet = undefined;
    this.#waiting = new Uint8Array();
  }

  heard(bytes: Uint8Array): void {
    this.#waiting = joined(this.#waiting, bytes);
    while (this.#waiting.length > 0) {
      const found = this.#command();
      if (found === 'begun') return;
      const length = found?.bytes.length ?? 1;
      const command = this.#waiting.slice(0, length);
      this.#waiting = this.#waiting.subarray(length);
      if (found === undefined) continue;
      this.#parts.command(command);
      found.obey();
    }
  }

  /** The command at the beginning of what waits; undefined where none begins there. */
  #command(): Known | 'begun' | undefined {
    const waiting = this.#waiting;
    const whole = this.#known.find(({ bytes }) => beginsWith(waiting, bytes));
    if (whole !== undefined) return whole;
    if (this.#isImager && beginsWith(waiting, menuPrefix)) {
      const end = waiting.findIndex((byte, at) => at >= menuPrefix.length && menuEnds.includes(byte));
      if (end >= 0) return this.#menu(waiting.slice(0, end + 1));
      return waiting.length < longestCommand ? 'begun' : undefined;
    }
    const candidates = [...this.#known.map(({ bytes }) => bytes), ...(this.#isImager ? [menuPrefix] : [])];
    return candidates.some((bytes) => beginsWith(bytes, waiting)) ? 'begun' : undefined;
  }

  /** Answered by the command in capitals, ACK and its end. */
  #menu(bytes: Uint8Array): Known {
    const text = Buffer.from(bytes.subarray(menuPrefix.length, -1)).toString('latin1');
    return {
      bytes,
      obey: () => {
        if (switchesOcrOn.test(text)) this.#ocr = true;
        const answer = Buffer.from(text.toUpperCase(), 'latin1');
        this.#parts.answer(joined(answer, Uint8Array.of(ACK), bytes.subarray(-1)));
      },
    };
  }

  #begin(): void {
    this.#session = true;
    const waiting = this.#unreadYet;
    if (waiting !== undefined && this.#ocr) this.#read(waiting);
  }

  #read(document: Document): void {
    this.#unreadYet = undefined;
    this.#session = false;
    this.#parts.read(document);
  }
}

const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const known = (hex: string, obey: () => void): Known => ({ bytes: fromHex(hex), obey });

function beginsWith(bytes: Uint8Array, begin: Uint8Array): boolean {
  return bytes.length >= begin.length && begin.every((byte, at) => bytes[at] === byte);
}

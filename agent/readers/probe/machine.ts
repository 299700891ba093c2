import type { ModemLines } from '../links/serial.ts';
import { classify, type Classified } from './classify.ts';
import { type Burst, directionOf, likeliest } from './guess.ts';
import { type Line, line, lineName } from './line.ts';
import { agree, recognise, type Wrapping } from './recognise.ts';

export type ProbeInput =
  /** The port is open as the machine wanted it. */
  | { readonly kind: 'opened'; readonly modem?: ModemLines | undefined }
  /** Bytes, and then silence. */
  | { readonly kind: 'burst'; readonly bytes: Uint8Array }
  /** The time that it asked for has passed, and nothing came. */
  | { readonly kind: 'silence' };

export type ProbeAction =
  | { readonly kind: 'open'; readonly line: Line }
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** Tell it `silence` after so many milliseconds; what comes before is a `burst`. */
  | { readonly kind: 'wait'; readonly millis: number }
  /** In words to the engineer. */
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'conclude'; readonly conclusion: Conclusion };

export type Conclusion =
  | {
      readonly kind: 'found';
      readonly line: Line;
      readonly wrapping: Wrapping;
      /** False where text came, but never a machine readable zone. */
      readonly mrz: boolean;
      readonly swipes: number;
    }
  /** It said nothing until it was asked for its version; `about` is the answer. */
  | { readonly kind: 'answers'; readonly line: Line; readonly about: string }
  /** Our own bytes came back. */
  | { readonly kind: 'looped' }
  | { readonly kind: 'nothing'; readonly modem: ModemLines | undefined }
  /** Something came, but under no setting was it text. */
  | { readonly kind: 'unknown'; readonly swipes: number };

type Phase = 'listening' | 'confirming' | 'asking';

/** `V`, no data: an Elyctis says its version; it reads nothing before it is told to. */
export const versionCommand = Uint8Array.of(0x56, 0x00, 0x00);
const askSpeeds = [9600, 115_200] as const;
const answerMillis = 1500;
/** So few bytes right after the port was opened are a spike of the line, once. */
const spike = 2;
const enoughSwipes = 3;
const mostSwipes = 12;
const mostTexts = 3;

/**
 * Finds the settings of a serial reader from a few swipes. A pure machine: no port, no clock; a table of inputs and
 * actions is its whole behaviour.
 *
 *     listening ── text of a zone ──> confirming ── once more, or silence ──> found
 *       │  ^ garbage: likelier settings
 *       └── nothing at all ──> asking ── version ──> answers;  own bytes ──> looped;  nothing ──> nothing
 */
export class Probe {
  readonly #patienceMillis: number;
  #phase: Phase = 'listening';
  #line: Line = line(9600);
  #modem: ModemLines | undefined;
  #swipes = 0;
  #spike: Uint8Array | undefined;
  #silences = 0;
  #asked = 0;
  #texts: Wrapping[] = [];
  readonly #garbage: Burst[] = [];
  readonly #zones: { readonly line: Line; readonly wrapping: Wrapping }[] = [];

  constructor(patienceMillis: number) {
    this.#patienceMillis = patienceMillis;
  }

  start(): readonly ProbeAction[] {
    return [
      say('Have a specimen document ready; what is read is neither shown nor kept.'),
      { kind: 'open', line: this.#line },
    ];
  }

  step(input: ProbeInput): readonly ProbeAction[] {
    if (input.kind === 'opened') return this.#opened(input.modem);
    if (this.#phase === 'asking') return this.#answer(input);
    if (input.kind === 'silence') return this.#silent();
    if (input.bytes.length <= spike && this.#spike === undefined) {
      this.#spike = input.bytes;
      return [say(`${count(input.bytes)} came: a spike on the line, passed over.`), this.#wait()];
    }
    this.#silences = 0;
    this.#swipes++;
    const what = classify(input.bytes, this.#line);
    if (what.kind === 'mrz') return this.#zone(what);
    if (this.#phase === 'confirming') return this.#found();
    return what.kind === 'text' ? this.#text(what) : this.#unreadable(input.bytes);
  }

  #opened(modem: ModemLines | undefined): readonly ProbeAction[] {
    this.#modem ??= modem;
    if (this.#phase === 'asking') {
      return [
        { kind: 'send', bytes: versionCommand },
        { kind: 'wait', millis: answerMillis },
      ];
    }
    return [say(`Listening at ${lineName(this.#line)}. Swipe the document.`), this.#wait()];
  }

  #zone(what: Exclude<Classified, { kind: 'garbage' }>): readonly ProbeAction[] {
    const found = { line: { ...this.#line, ...what.format }, wrapping: recognise(what.bytes) };
    this.#zones.push(found);
    const seen = `${count(what.bytes)} came at ${lineName(found.line)}: lines of a machine readable zone`;
    if (this.#phase === 'confirming' || this.#swipes >= enoughSwipes)
      return [say(`${seen}.`), ...this.#found()];
    this.#phase = 'confirming';
    return [say(`${seen}. Swipe once more, to be sure.`), this.#wait()];
  }

  #text(what: Exclude<Classified, { kind: 'garbage' }>): readonly ProbeAction[] {
    this.#texts.push(recognise(what.bytes));
    this.#line = { ...this.#line, ...what.format };
    const seen = `${count(what.bytes)} came at ${lineName(this.#line)}: text, but no machine readable zone`;
    if (this.#texts.length >= mostTexts) return [say(`${seen}.`), ...this.#found()];
    return [
      say(`${seen}. Swipe a passport or a card again, with its lines towards the reader and in one go.`),
      this.#wait(),
    ];
  }

  #unreadable(bytes: Uint8Array): readonly ProbeAction[] {
    const burst = { at: this.#line, bytes };
    this.#garbage.push(burst);
    const next = this.#swipes < mostSwipes ? likeliest(this.#garbage) : undefined;
    const seen = `${count(bytes)} came at ${lineName(this.#line)}, and they are no text`;
    if (next === undefined) return [say(`${seen}.`), conclude({ kind: 'unknown', swipes: this.#swipes })];
    this.#line = next;
    return [say(`${seen}: ${directionOf(burst, next)}.`), { kind: 'open', line: next }];
  }

  #silent(): readonly ProbeAction[] {
    if (this.#zones.length > 0 || this.#texts.length > 0) return this.#found();
    // A line that is much faster than the port listens may be no more than a spike to it.
    if (this.#garbage.length === 0 && this.#spike !== undefined) return this.#unreadable(this.#spike);
    if (this.#garbage.length === 0) {
      this.#phase = 'asking';
      this.#line = line(askSpeeds[0]);
      return [say('Nothing came. The reader is asked for its version.'), { kind: 'open', line: this.#line }];
    }
    // Silence at a speed where the driver passes over all that is damaged says something too, but only so much.
    this.#silences++;
    this.#garbage.push({ at: this.#line, bytes: new Uint8Array() });
    const next = this.#silences < 2 ? likeliest(this.#garbage) : undefined;
    if (next === undefined) return [conclude({ kind: 'unknown', swipes: this.#swipes })];
    const seen = `Nothing came at ${lineName(this.#line)}.`;
    this.#line = next;
    return [say(seen), { kind: 'open', line: next }];
  }

  #answer(input: Exclude<ProbeInput, { kind: 'opened' }>): readonly ProbeAction[] {
    if (input.kind === 'burst') {
      const { bytes } = input;
      if (sameBytes(bytes, versionCommand)) return [conclude({ kind: 'looped' })];
      if (bytes[0] === versionCommand[0] && bytes[1] === 0 && bytes[2] === bytes.length - 3) {
        const about = new TextDecoder('latin1').decode(bytes.subarray(3)).replace(/[^\x20-\x7e]+/g, ' ');
        return [conclude({ kind: 'answers', line: this.#line, about: about.trim().slice(0, 64) })];
      }
    }
    const next = askSpeeds[++this.#asked];
    if (next === undefined) return [conclude({ kind: 'nothing', modem: this.#modem })];
    this.#line = line(next);
    return [{ kind: 'open', line: this.#line }];
  }

  #found(): readonly ProbeAction[] {
    const mrz = this.#zones.length > 0;
    const last = this.#zones.at(-1)?.line ?? this.#line;
    const wrapping = agree(mrz ? this.#zones.map((zone) => zone.wrapping) : this.#texts);
    if (wrapping === undefined) return [conclude({ kind: 'unknown', swipes: this.#swipes })];
    return [conclude({ kind: 'found', line: last, wrapping, mrz, swipes: this.#swipes })];
  }

  #wait(): ProbeAction {
    return { kind: 'wait', millis: this.#patienceMillis };
  }
}

const say = (text: string): ProbeAction => ({ kind: 'say', text });
const conclude = (conclusion: Conclusion): ProbeAction => ({ kind: 'conclude', conclusion });
const count = ({ length }: Uint8Array): string => (length === 1 ? '1 byte' : `${length} bytes`);
const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);

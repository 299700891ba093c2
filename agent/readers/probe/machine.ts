import { isDeepStrictEqual } from 'node:util';
import type { ModemLines } from '../links/serial.ts';
import { conclude, type ProbeAction, type ProbeInput, say } from './actions.ts';
import { classify, type Classified } from './classify.ts';
import type { Conclusion } from './conclusion.ts';
import { type Burst, directionOf, fewBytes, likeliest } from './guess.ts';
import { type Line, line, lineName, sameLine, speeds } from './line.ts';
import { agree, recognise, type Wrapping } from './recognise.ts';

type Readable = Exclude<Classified, { kind: 'garbage' }>;

/** `V`, no data: an Elyctis says its version; it reads nothing before it is told to. */
export const versionCommand = Uint8Array.of(0x56, 0x00, 0x00);
const askSpeeds = speeds;
/** An answer takes some ten milliseconds, and at 1200 baud a tenth of a second more. */
const answerMillis = 500;
/** So few bytes are a spike of the line. */
const spike = 2;
/** With nothing between them they may be swipes on a line that is very much faster. */
const mostSpikesInRow = 3;
/** How long a document may come behind noise. */
const settleMillis = 1500;
const mostSwipes = 12;
/** Parts of documents and text that is no document. */
const mostInVain = 5;
/** Of any kind, so that a line that is never quiet ends it too. */
const mostBursts = 60;

/**
 * Finds the settings of a serial reader from a few swipes. A pure machine: no port, no clock; a table of inputs and
 * actions is its whole behaviour.
 *
 *     listening ── a whole zone ──> one more that agrees ──> found
 *       │  ^ garbage: likelier settings; a few bytes: listen on, they may be noise
 *       │  ^ what does not agree: counted from the beginning
 *       └── nothing at all ──> asking ── version ──> answers;  own bytes ──> looped;  nothing ──> nothing
 */
export class Probe {
  readonly #patienceMillis: number;
  #asking = false;
  #line: Line = line(9600);
  #modem: ModemLines | undefined;
  #swipes = 0;
  #bursts = 0;
  #spikes = 0;
  #silences = 0;
  #spikesInRow = 0;
  #asked = 0;
  #inVain = 0;
  /** A few bytes, while it is seen whether a document follows. */
  #few: Uint8Array | undefined;
  /** The whole read that the next one must agree with. */
  #zone: { readonly line: Line; readonly wrapping: Wrapping } | undefined;
  /** The best that has come so far. */
  #seen: Omit<Extract<Conclusion, { kind: 'unsure' }>, 'kind' | 'swipes'> | undefined;
  readonly #garbage: Burst[] = [];
  readonly #tried = new Set<string>();

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
    if (this.#asking) return this.#answer(input);
    if (input.kind === 'silence') return this.#silent();
    if (++this.#bursts > mostBursts || this.#swipes >= mostSwipes) return this.#end();
    const { bytes } = input;
    if (bytes.length <= spike) return this.#spike(bytes);
    this.#spikesInRow = 0;
    const what = classify(bytes, this.#line);
    if (what.kind === 'garbage') return bytes.length < fewBytes ? this.#noise(bytes) : this.#swiped(bytes);
    this.#silences = 0;
    this.#swipes++;
    this.#few = undefined;
    return what.kind === 'zone' ? this.#whole(what) : this.#vain(what);
  }

  #opened(modem: ModemLines | undefined): readonly ProbeAction[] {
    this.#modem ??= modem;
    if (this.#asking) {
      return [
        { kind: 'send', bytes: versionCommand },
        { kind: 'wait', millis: answerMillis },
      ];
    }
    this.#tried.add(lineName(this.#line));
    return [say(`Listening at ${lineName(this.#line)}. Swipe the document.`), this.#wait()];
  }

  #whole(what: Readable): readonly ProbeAction[] {
    const before = this.#zone;
    const found = { line: { ...this.#line, ...what.format }, wrapping: recognise(what.bytes) };
    const seen = `${this.#came(what)}: a whole machine readable zone`;
    const agreed =
      before !== undefined &&
      sameLine(before.line, found.line) &&
      sameFraming(before.wrapping, found.wrapping)
        ? agree([before.wrapping, found.wrapping])
        : undefined;
    if (agreed !== undefined) {
      const { line: at } = found;
      return [say(`${seen}.`), conclude({ kind: 'found', line: at, wrapping: agreed, swipes: this.#swipes })];
    }
    this.#zone = found;
    this.#seen = { line: found.line, seen: 'zone' };
    const differs =
      before === undefined ? '' : ', but not set or framed as the one before; it counts as the first';
    return [say(`${seen}${differs}. Swipe once more, to be sure.`), this.#wait()];
  }

  /** A part of a document, or no document: neither proves a framing. */
  #vain(what: Readable): readonly ProbeAction[] {
    if (this.#seen?.seen !== 'zone')
      this.#seen = { line: { ...this.#line, ...what.format }, seen: what.kind };
    const isPart = what.kind === 'part';
    const lacks = isPart
      ? 'a part of a document, or a damaged one'
      : `text, but no machine readable zone${this.#beginsAgain()}`;
    const seen = `${this.#came(what)}: ${lacks}`;
    if (++this.#inVain >= mostInVain) return [say(`${seen}.`), ...this.#end()];
    const ask = isPart
      ? 'Swipe it in one go'
      : 'Swipe a passport or a card, its lines towards the reader, in one go';
    return [say(`${seen}. ${ask}.`), this.#wait()];
  }

  #spike(bytes: Uint8Array): readonly ProbeAction[] {
    this.#spikes++;
    if (++this.#spikesInRow < mostSpikesInRow || this.#zone !== undefined)
      return [say(`${count(bytes)} came: a spike on the line, passed over.`), this.#wait()];
    this.#spikesInRow = 0;
    return this.#unreadable(bytes);
  }

  /** A few bytes that are no text: noise, unless nothing follows; then a faster line may give so few of a document. */
  #noise(bytes: Uint8Array): readonly ProbeAction[] {
    // What has given a whole zone is no faster line.
    if (this.#zone !== undefined) return [say(`${count(bytes)} of noise came, passed over.`), this.#wait()];
    if (this.#few !== undefined) return this.#unreadable(bytes);
    this.#few = bytes;
    return [
      say(`${count(bytes)} came that are no text: noise, or a faster line. Listening on.`),
      { kind: 'wait', millis: settleMillis },
    ];
  }

  /** As many bytes as of a document, but no text. */
  #swiped(bytes: Uint8Array): readonly ProbeAction[] {
    this.#silences = 0;
    if (this.#zone === undefined) return this.#unreadable(bytes);
    // The setting has given a whole zone once, which is no chance: it has another try.
    this.#swipes++;
    const seen = `${count(bytes)} came at ${lineName(this.#line)}, and they are no text`;
    return [say(`${seen}${this.#beginsAgain()}. Swipe the document.`), this.#wait()];
  }

  #unreadable(bytes: Uint8Array): readonly ProbeAction[] {
    const burst = { at: this.#line, bytes };
    this.#few = undefined;
    this.#garbage.push(burst);
    const next = likeliest(this.#garbage);
    const isNoise = next !== undefined && sameLine(next, this.#line);
    if (!isNoise) this.#swipes++;
    const seen = `${count(bytes)} came at ${lineName(this.#line)}, and they are no text`;
    if (next === undefined || this.#swipes >= mostSwipes) return [say(`${seen}.`), ...this.#end()];
    this.#line = next;
    const words = say(`${seen}: ${directionOf(burst, next)}.`);
    return isNoise ? [words, this.#wait()] : [words, { kind: 'open', line: next }];
  }

  #silent(): readonly ProbeAction[] {
    if (this.#few !== undefined) return this.#unreadable(this.#few);
    if (this.#seen !== undefined) return this.#end();
    if (this.#garbage.length === 0) return this.#ask();
    // Silence at a speed where the driver passes over all that is damaged says something too, but only so much.
    this.#silences++;
    this.#garbage.push({ at: this.#line, bytes: new Uint8Array() });
    const next = this.#silences < 2 ? likeliest(this.#garbage) : undefined;
    // All that came may have been noise, and the reader one that waits to be told to read.
    if (next === undefined)
      return this.#garbage.some(({ bytes }) => bytes.length >= fewBytes) ? this.#end() : this.#ask();
    const seen = `Nothing came at ${lineName(this.#line)}.`;
    this.#line = next;
    return [say(seen), { kind: 'open', line: next }];
  }

  #ask(): readonly ProbeAction[] {
    this.#asking = true;
    this.#line = line(askSpeeds[0]);
    return [
      say('No document came. The reader is asked for its version, at each speed.'),
      { kind: 'open', line: this.#line },
    ];
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
    if (next === undefined) return this.#end();
    this.#line = line(next);
    return [{ kind: 'open', line: this.#line }];
  }

  /** What can be said where nothing was found for sure. */
  #end(): readonly ProbeAction[] {
    const swipes = this.#swipes;
    if (this.#seen !== undefined) return [conclude({ kind: 'unsure', ...this.#seen, swipes })];
    if (this.#garbage.length === 0) {
      const asked = askSpeeds.slice(0, this.#asked);
      return [conclude({ kind: 'nothing', modem: this.#modem, spikes: this.#spikes, asked })];
    }
    return [conclude({ kind: 'unknown', swipes, tried: [...this.#tried] })];
  }

  /** Forgets the whole read that the next one should have agreed with; in words, where there was one. */
  #beginsAgain(): string {
    if (this.#zone === undefined) return '';
    this.#zone = undefined;
    return '; that does not agree with the swipe before, and counting begins again';
  }

  #came({ bytes, format }: Readable): string {
    return `${count(bytes)} came at ${lineName({ ...this.#line, ...format })}`;
  }

  #wait(): ProbeAction {
    return { kind: 'wait', millis: this.#patienceMillis };
  }
}

const count = ({ length }: Uint8Array): string => (length === 1 ? '1 byte' : `${length} bytes`);
const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);
const sameFraming = (a: Wrapping, b: Wrapping): boolean =>
  a.lineEnd === b.lineEnd && isDeepStrictEqual(a.framing, b.framing);

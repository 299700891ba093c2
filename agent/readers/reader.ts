import type { ReaderState } from '#contracts/health.ts';
import type { ReaderId } from '#contracts/names.ts';
import type { Feedback, ReaderProfile } from '#contracts/readers.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { Connection, type Place } from './connection.ts';
import type { Locator } from './devices/locate.ts';
import type { Frame } from './frame.ts';
import { createFraming } from './framing/create.ts';
import type { Framed, Framing } from './framing/framing.ts';
import { fromHex } from './protocol/bytes.ts';
import { createProtocol } from './protocol/create.ts';
import type { Protocol, ProtocolAction } from './protocol/protocol.ts';
import { Repeats } from './repeats.ts';

/** What a reader's light and beep can say. */
export type Signal = 'read' | 'again' | 'attention';

export interface Reader {
  readonly id: ReaderId;
  state(): ReaderState;
  /** What it says about itself, and where it was found, where that is not what the settings say; empty otherwise. */
  about(): string;
  /** Whether `trigger` does something. */
  readonly canTrigger: boolean;
  /** Tells it to read, where it waits for that. Faults: READER_ABSENT, READER_SILENT. */
  trigger(): Result<void>;
  /** Light and beep, as far as it has them and the settings allow. */
  signal(signal: Signal): void;
  close(): Promise<void>;
}

export interface ReaderListener {
  frame(frame: Frame): void;
  /** Its state, or what it says about itself, has changed. */
  state(): void;
  /** Something was wrong with what came; the bytes are not in the fault. */
  fault(fault: Fault): void;
}

export interface ReaderSettings {
  readonly id: ReaderId;
  readonly profile: ReaderProfile;
  readonly feedback: Feedback;
}

export interface ReaderParts {
  readonly locator: Locator;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly listener: ReaderListener;
}

/**
 * A reader: its connection, its framing and its protocol, joined. Gives frames; half of one is dropped when the device
 * goes, and never joined to what comes after.
 */
export function openReader(settings: ReaderSettings, parts: ReaderParts): Reader {
  return new DeviceReader(settings, parts);
}

class DeviceReader implements Reader {
  readonly id: ReaderId;
  readonly canTrigger: boolean;
  readonly #settings: ReaderSettings;
  readonly #parts: ReaderParts;
  readonly #framing: Framing;
  readonly #repeats: Repeats;
  readonly #connection: Connection;
  #protocol: Protocol;
  #state: ReaderState = 'absent';
  #said = '';
  #place = '';
  #cancelSilence: () => void = () => {};
  #cancelWait: () => void = () => {};

  constructor(settings: ReaderSettings, parts: ReaderParts) {
    const { id, profile } = settings;
    this.id = id;
    this.canTrigger = profile.can.trigger;
    this.#settings = settings;
    this.#parts = parts;
    this.#framing = createFraming(profile.framing);
    this.#protocol = createProtocol(profile.protocol, profile.idleMillis);
    this.#repeats = new Repeats(ms(profile.repeatMillis));
    const { locator, clock, random, log } = parts;
    this.#connection = new Connection({
      id,
      profile: profile.link,
      locator,
      clock,
      random,
      log,
      opened: (place) => this.#opened(place),
      data: (chunk) => this.#data(chunk),
      lost: (why) => this.#lost(why),
      failed: ({ code }) => this.#become(code === 'READER_ABSENT' ? 'absent' : 'refused'),
    });
  }

  state(): ReaderState {
    return this.#state;
  }

  about(): string {
    return [this.#said, this.#place].filter((part) => part !== '').join('; ');
  }

  trigger(): Result<void> {
    if (!this.#connection.isOpen) return fail('READER_ABSENT', 'It cannot be told to read.');
    if (this.#state === 'silent') return fail('READER_SILENT', 'It was not told to read.');
    this.#do(this.#protocol.step({ kind: 'trigger' }));
    return ok(undefined);
  }

  signal(signal: Signal): void {
    const { feedback, profile } = this.#settings;
    if (feedback === 'off') return;
    const { read, again, attention } = profile.signals;
    // Discreet: whoever stands at the counter sees and hears the same for every verdict.
    const loud = feedback === 'full' ? (attention ?? read) : read;
    const bytes = { read, again, attention: loud }[signal];
    if (bytes !== undefined) this.#connection.write(fromHex(bytes));
  }

  async close(): Promise<void> {
    this.#cancelSilence();
    this.#cancelWait();
    await this.#connection.close();
  }

  #opened(place: Place): void {
    const { log } = this.#parts;
    this.#place = placeWords(place);
    log.info('The reader is ready', { node: place.node, how: place.how });
    if (place.how !== 'exact')
      log.warn('The reader is not the device of the settings', { place: this.#place });
    this.#become('ready');
    const { protocol, idleMillis } = this.#settings.profile;
    this.#protocol = createProtocol(protocol, idleMillis);
    this.#do(this.#protocol.step({ kind: 'opened' }));
  }

  #lost(why: string): void {
    this.#cancelSilence();
    this.#cancelWait();
    const half = this.#framing.pending;
    this.#framing.reset();
    this.#repeats.forget();
    this.#said = '';
    this.#place = '';
    this.#parts.log.warn('The reader is gone', { code: 'READER_LOST', reason: why, halfFrame: half });
    if (half) this.#parts.listener.fault(fail('READER_LOST', 'It went in the middle of a frame.').fault);
    this.#become('absent');
  }

  #data(chunk: Uint8Array): void {
    const receivedAt = this.#parts.clock.monotonic();
    this.#cancelSilence();
    this.#pass(this.#framing.push(chunk), receivedAt);
    if (!this.#framing.pending) return;
    const { clock } = this.#parts;
    this.#cancelSilence = clock.after(ms(this.#settings.profile.idleMillis), () => {
      // Where this process was held up for so long, what came meanwhile is read before another timer fires.
      this.#cancelSilence = clock.after(ms(1), () => this.#silence(receivedAt));
    });
  }

  #silence(receivedAt: Frame['receivedAt']): void {
    // A cable that was pulled in the middle of a frame is silent too, and half a frame of it is no read.
    this.#connection.check();
    if (this.#connection.isOpen) this.#pass(this.#framing.silence(), receivedAt);
  }

  #pass(all: readonly Framed[], receivedAt: Frame['receivedAt']): void {
    for (const framed of all) this.#do(this.#protocol.step({ kind: 'framed', framed }), receivedAt);
  }

  /** Does what the protocol wants. */
  #do(actions: readonly ProtocolAction[], receivedAt = this.#parts.clock.monotonic()): void {
    for (const action of actions) {
      switch (action.kind) {
        case 'send':
          this.#connection.write(action.bytes);
          break;
        case 'deliver':
          this.#deliver(action.framed, receivedAt);
          break;
        case 'wait':
          this.#cancelWait();
          this.#cancelWait = this.#parts.clock.after(ms(action.millis), () =>
            this.#do(this.#protocol.step({ kind: 'timeout' })),
          );
          break;
        case 'answers':
          this.#answers(action.yes);
          break;
        case 'about':
        default:
          this.#said = action.text;
          this.#parts.listener.state();
      }
    }
  }

  #answers(yes: boolean): void {
    if (yes && this.#state === 'silent') this.#become('ready');
    // Noise is an answer of a kind: the wrong speed, most likely. The two must not take turns for ever.
    if (yes || this.#state === 'silent' || this.#state === 'noise') return;
    const { fault } = fail('READER_SILENT', 'It does not answer what it is asked.');
    this.#parts.log.warn('The reader does not answer', faultFields(fault));
    this.#parts.listener.fault(fault);
    this.#become('silent');
  }

  #deliver(framed: Framed, receivedAt: Frame['receivedAt']): void {
    const { listener, log } = this.#parts;
    switch (framed.kind) {
      case 'frame': {
        const { text, noisy, damaged } = framed;
        // What came damaged is sent again for a reason.
        if (damaged || noisy) this.#repeats.forget();
        else if (this.#repeats.isRepeat(text, receivedAt))
          return log.debug('A frame came again and is passed over');
        log.trace('A frame came', { bytes: text.length, noisy, damaged });
        listener.frame({ reader: this.id, bytes: text, damaged, receivedAt });
        if (noisy) this.#fault('FRAME_NOISE', `${text.length} bytes.`);
        else if (damaged) this.#fault('FRAME_DAMAGED', `${text.length} bytes.`);
        else this.#become('ready');
        break;
      }
      case 'noise':
        this.#fault('FRAME_NOISE', `${framed.bytes.length} bytes.`);
        break;
      case 'too-long':
        this.#fault('FRAME_TOO_LONG', 'The rest is passed over until the line is silent.');
        break;
      case 'other':
        log.debug('The reader read what is no travel document and is passed over', { what: framed.what });
        break;
      case 'reply':
      default:
    }
  }

  #fault(code: 'FRAME_NOISE' | 'FRAME_TOO_LONG' | 'FRAME_DAMAGED', detail: string): void {
    const { listener, log } = this.#parts;
    const { fault } = fail(code, detail);
    // A flood of noise is one line: the state stands until a clean frame comes.
    if (this.#state !== 'noise') log.warn('The reader sends what is no document', faultFields(fault));
    listener.fault(fault);
    this.#become('noise');
  }

  #become(state: ReaderState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#parts.listener.state();
  }
}

function placeWords({ how, device }: Place): string {
  const usb = device?.usb;
  if (how === 'exact' || usb === undefined) return '';
  if (how === 'moved') return `in another port, ${usb.port}`;
  return `another of the same model${usb.serial === undefined ? '' : `, serial number ${usb.serial}`}`;
}

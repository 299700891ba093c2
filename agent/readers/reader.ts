import type { ReaderState } from '#contracts/health.ts';
import type { ReaderId } from '#contracts/names.ts';
import { fail, type Fault } from '#contracts/result.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import type { Clock } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Frame } from './frame.ts';
import { type Framed, LineFraming } from './line-framing.ts';
import { openSerialLink, type SerialLink } from './serial-link.ts';

export interface Reader {
  readonly id: ReaderId;
  state(): ReaderState;
  close(): Promise<void>;
}

export interface ReaderListener {
  frame(frame: Frame): void;
  /** Its state has changed. */
  state(): void;
  /** Something was wrong with what came; the bytes are not in the fault. */
  fault(fault: Fault): void;
}

export interface ReaderParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly listener: ReaderListener;
}

export type ReaderSettings = AgentSettings['readers'][number];

/** An unplugged device often says nothing until it is written to (node-serialport#2043): so it is looked for. */
const checkEvery = ms(500);

/**
 * A serial reader by its stable name: opened, read, and opened again for as long as it takes, whatever happens to its
 * cable. Gives frames; half of one is dropped when the device goes, and never joined to what comes after.
 */
export function openReader(settings: ReaderSettings, parts: ReaderParts): Reader {
  return new SerialReader(settings, parts);
}

class SerialReader implements Reader {
  readonly id: ReaderId;
  readonly #settings: ReaderSettings;
  readonly #parts: ReaderParts;
  readonly #framing = new LineFraming();
  readonly #backoff: Backoff;
  #state: ReaderState = 'absent';
  #saidCause: string | undefined;
  #link: SerialLink | undefined;
  #closed = false;
  #cancelSilence: () => void = () => {};
  #cancelTimer: () => void = () => {};
  #opening: Promise<void>;

  constructor(settings: ReaderSettings, parts: ReaderParts) {
    this.id = settings.id;
    this.#settings = settings;
    this.#parts = parts;
    this.#backoff = new Backoff(checkEvery, ms(5000), parts.random);
    this.#opening = this.#open();
  }

  state(): ReaderState {
    return this.#state;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    this.#cancelSilence();
    await this.#opening;
    await this.#link?.close();
    this.#link = undefined;
  }

  async #open(): Promise<void> {
    const { clock, log } = this.#parts;
    const listener = {
      data: (chunk: Uint8Array) => this.#data(chunk),
      lost: (why: string) => void this.#lose(why),
    };
    const opened = await openSerialLink(this.#settings, listener, clock);
    if (this.#closed) {
      if (opened.ok) await opened.value.close();
      return;
    }
    if (opened.ok) {
      this.#link = opened.value;
      this.#backoff.worked();
      this.#saidCause = undefined;
      log.info('The reader is ready', { path: this.#settings.path });
      this.#become('ready');
      this.#cancelTimer = clock.after(checkEvery, () => this.#check());
      return;
    }
    const { fault } = opened;
    // Once per cause: a reader that is away for a month is one line, not five million.
    if (this.#saidCause !== fault.detail) log.warn('The reader cannot be opened', faultFields(fault));
    this.#saidCause = fault.detail;
    const absent = fault.code === 'READER_ABSENT';
    this.#become(absent ? 'absent' : 'refused');
    // An absent one is looked for steadily: the officer has just plugged it in and waits.
    this.#reopenAfter(absent ? checkEvery : this.#backoff.next());
  }

  #reopenAfter(delay: ReturnType<typeof ms>): void {
    this.#cancelTimer();
    if (this.#closed) return;
    this.#cancelTimer = this.#parts.clock.after(delay, () => {
      this.#opening = this.#open();
    });
  }

  #check(): void {
    if (this.#link === undefined || this.#closed) return;
    if (this.#link.present()) this.#cancelTimer = this.#parts.clock.after(checkEvery, () => this.#check());
    else void this.#lose('unplugged');
  }

  async #lose(why: string): Promise<void> {
    const link = this.#link;
    if (link === undefined || this.#closed) return;
    this.#link = undefined;
    this.#cancelSilence();
    const half = this.#framing.pending;
    this.#framing.reset();
    this.#parts.log.warn('The reader is gone', { code: 'READER_LOST', reason: why, halfFrame: half });
    if (half) this.#parts.listener.fault(fail('READER_LOST', 'It went in the middle of a frame.').fault);
    this.#become('absent');
    await link.close();
    this.#reopenAfter(ms(0));
  }

  #data(chunk: Uint8Array): void {
    const receivedAt = this.#parts.clock.monotonic();
    this.#cancelSilence();
    this.#pass(this.#framing.push(chunk), receivedAt);
    if (!this.#framing.pending) return;
    this.#cancelSilence = this.#parts.clock.after(ms(this.#settings.idleMillis), () =>
      this.#pass(this.#framing.silence(), receivedAt),
    );
  }

  #pass(framed: readonly Framed[], receivedAt: Frame['receivedAt']): void {
    const { listener } = this.#parts;
    for (const one of framed) {
      if (one.kind === 'frame') {
        this.#parts.log.trace('A frame came', { bytes: one.bytes.length, noisy: one.noisy });
        listener.frame({ reader: this.id, bytes: one.bytes, receivedAt });
        if (one.noisy) this.#fault('FRAME_NOISE', `${one.bytes.length} bytes.`);
        else this.#become('ready');
      } else if (one.kind === 'noise') this.#fault('FRAME_NOISE', `${one.count} bytes.`);
      else this.#fault('FRAME_TOO_LONG', 'The rest is passed over until the line is silent.');
    }
  }

  #fault(code: 'FRAME_NOISE' | 'FRAME_TOO_LONG', detail: string): void {
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

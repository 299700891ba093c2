import type { ReaderId } from '#contracts/names.ts';
import type { LinkProfile } from '#contracts/readers.ts';
import { fail, type Fault } from '#contracts/result.ts';
import { type Millis, ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import type { Clock } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Located, Locator } from './devices/locate.ts';
import type { Link } from './links/link.ts';
import { openLink } from './links/open.ts';

/** Where a reader was found. */
export type Place = Extract<Located, { kind: 'found' }>;

export interface ConnectionParts {
  readonly id: ReaderId;
  readonly profile: LinkProfile;
  readonly locator: Locator;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Each is said once for each time that it happens, in this order: opened, data …, lost. */
  opened(place: Place): void;
  data(chunk: Uint8Array): void;
  lost(why: string): void;
  /** It could not be opened and is tried again. READER_ABSENT, READER_REFUSED or READER_AMBIGUOUS. */
  failed(fault: Fault): void;
}

/** An unplugged device often says nothing until it is written to (node-serialport#2043): so it is looked for. */
const checkEvery = ms(500);

/** A device by its stable identity: found, opened, and found again for as long as it takes. */
export class Connection {
  readonly #parts: ConnectionParts;
  readonly #backoff: Backoff;
  #link: Link | undefined;
  #saidCause: string | undefined;
  #closed = false;
  #cancelTimer: () => void = () => {};
  #opening: Promise<void>;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(checkEvery, ms(5000), parts.random);
    this.#opening = this.#open();
  }

  /** False while there is none: what is written then is lost, as on a cable. */
  get isOpen(): boolean {
    return this.#link !== undefined;
  }

  write(bytes: Uint8Array): void {
    this.#link?.write(bytes);
  }

  /** Looks whether the device is still there, without waiting for the next regular look; `lost` follows if it is not. */
  check(): void {
    if (this.#link?.present() === false) void this.#lose('unplugged');
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    await this.#opening;
    await this.#link?.close();
    this.#link = undefined;
  }

  async #open(): Promise<void> {
    const { clock, locator, id, profile } = this.#parts;
    const place = locator.locate(id);
    if (place.kind !== 'found') return this.#cannotOpen(notFound(place));
    // What a link says once it is given up concerns nobody.
    let mine: Link | undefined;
    const listener = {
      data: (chunk: Uint8Array) => {
        if (!this.#closed) this.#parts.data(chunk);
      },
      lost: (why: string) => {
        if (mine !== undefined && mine === this.#link) void this.#lose(why);
      },
    };
    const opened = await openLink(profile, place.node, listener, clock);
    if (this.#closed) {
      if (opened.ok) await opened.value.close();
      return;
    }
    if (!opened.ok) return this.#cannotOpen(opened.fault);
    // Between the look and the opening its name may have gone to another device.
    const still = locator.locate(id);
    if (still.kind !== 'found' || still.node !== place.node) {
      await opened.value.close();
      return this.#openAfter(checkEvery);
    }
    mine = opened.value;
    this.#link = mine;
    this.#backoff.worked();
    this.#saidCause = undefined;
    this.#parts.opened(place);
    this.#cancelTimer = clock.after(checkEvery, () => this.#look());
  }

  #cannotOpen(fault: Fault): void {
    // Once per cause: a reader that is away for a month is one line, not five million.
    if (this.#saidCause !== fault.detail)
      this.#parts.log.warn('The reader cannot be opened', faultFields(fault));
    this.#saidCause = fault.detail;
    this.#parts.failed(fault);
    // An absent one is looked for steadily: the officer has just plugged it in and waits.
    this.#openAfter(fault.code === 'READER_ABSENT' ? checkEvery : this.#backoff.next());
  }

  #openAfter(delay: Millis): void {
    this.#cancelTimer();
    if (this.#closed) return;
    this.#cancelTimer = this.#parts.clock.after(delay, () => {
      this.#opening = this.#open();
    });
  }

  #look(): void {
    this.check();
    if (this.#link === undefined || this.#closed) return;
    this.#cancelTimer = this.#parts.clock.after(checkEvery, () => this.#look());
  }

  async #lose(why: string): Promise<void> {
    const link = this.#link;
    if (link === undefined || this.#closed) return;
    this.#link = undefined;
    this.#parts.lost(why);
    await link.close();
    this.#openAfter(ms(0));
  }
}

function notFound(located: Exclude<Located, { kind: 'found' }>): Fault {
  if (located.kind === 'absent')
    return fail('READER_ABSENT', 'None of the devices that are plugged in is this reader.').fault;
  return fail('READER_AMBIGUOUS', `It could be any of ${located.nodes.join(', ')}.`).fault;
}

import { ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { VersionedNetwork } from '../configuration/index.ts';
import type { Events } from './events.ts';
import type { StandingFaults } from './faults.ts';
import type { Session } from './session.ts';

export interface SessionsParts {
  readonly open: (next: VersionedNetwork) => Promise<Result<Session>>;
  readonly events: Events;
  readonly faults: StandingFaults;
  readonly clock: Clock;
}

/** What could not be opened, for want of space perhaps, is tried again. */
const againAfter = ms(10_000);

/** One session after the other: each has one configuration, and the next begins when the last has ended. */
export class Sessions {
  readonly #parts: SessionsParts;
  #current: Session | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;
  #cancel: (() => void) | undefined;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  /** The one that runs; undefined only before the first and where one could not be opened. */
  get current(): Session | undefined {
    return this.#current;
  }

  /** Faults: those of opening it. */
  async start(first: VersionedNetwork): Promise<Result<void>> {
    const opened = await this.#parts.open(first);
    if (!opened.ok) return opened;
    this.#current = opened.value;
    opened.value.start();
    return ok(undefined);
  }

  /** Another configuration is in force from now on. */
  change(network: VersionedNetwork): void {
    this.#cancel?.();
    this.#turn = this.#turn.then(() => this.#replace(network));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#turn;
    await this.#current?.close();
  }

  async #replace(network: VersionedNetwork): Promise<void> {
    if (this.#closed) return;
    await this.#current?.close();
    this.#current = undefined;
    const started = await this.start(network);
    this.#parts.faults.note('the configuration', started);
    if (started.ok) this.#parts.events.add(`the configuration of version ${network.version} is in force`);
    else this.#cancel = this.#parts.clock.after(againAfter, () => this.change(network));
  }
}

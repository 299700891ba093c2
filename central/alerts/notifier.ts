import { type Millis, ms } from '#contracts/units.ts';
import type { Result } from '#contracts/result.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { toFault } from '#runtime/errors.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { uuid7 } from '#runtime/uuid.ts';
import type { Db } from '../store/index.ts';
import { text } from './due.ts';
import { deliver } from './deliver.ts';
import {
  beginAttempt,
  channelState,
  type Delivery,
  endAttempt,
  makeDelivery,
  noticesOf,
  waitingDelivery,
} from './notices.ts';
import type { ChannelSettings, Routing } from './routing.ts';

export interface NotifierParts {
  readonly db: Db;
  readonly routing: Routing;
  readonly giveUpHours: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Fills bytes, for ids. */
  readonly randomBytes: (bytes: Uint8Array) => Uint8Array;
  readonly log: Log;
  /** After each try, whether it arrived. */
  readonly told?: (delivered: boolean) => void;
}

const tick = ms(5000);
/** At most one mail in so long: what happens meanwhile goes into the next one. */
const mailEvery = 60_000;
/** Longer than any attempt takes: whoever takes over does not try at the same time. */
const attemptMillis = 60_000;
const firstPause = 5000;
const lastPause = 600_000;

/** Sends what was written to be told; run by the leader alone. One message at a time on each channel. */
export class Notifier {
  readonly #parts: NotifierParts;
  readonly #busy = new Map<string, Promise<void>>();
  #stopping = new AbortController();
  #cancelTick: () => void = () => {};

  constructor(parts: NotifierParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopping = new AbortController();
    this.#tick();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelTick();
    await Promise.all(this.#busy.values());
  }

  /** Looks at once whether something is to be sent. */
  wake(): void {
    if (!this.#stopping.signal.aborted) void this.run();
  }

  /** Sends on every channel what is to be sent now; resolves when that is done. */
  async run(): Promise<void> {
    await Promise.all(this.#parts.routing.channels.map((channel) => this.#once(channel)));
  }

  #tick(): void {
    if (this.#stopping.signal.aborted) return;
    void this.run();
    this.#cancelTick = this.#parts.clock.after(tick, () => this.#tick());
  }

  #once(channel: ChannelSettings): Promise<void> {
    const { name } = channel;
    const busy = this.#busy.get(name);
    if (busy !== undefined) return busy;
    const work = this.#drain(channel)
      .catch((thrown: unknown) => {
        this.#parts.log.error('A channel of notifications stopped', {
          channel: name,
          ...faultFields(toFault(thrown)),
        });
      })
      .finally(() => this.#busy.delete(name));
    this.#busy.set(name, work);
    return work;
  }

  async #drain(channel: ChannelSettings): Promise<void> {
    const { db, clock } = this.#parts;
    while (!this.#stopping.signal.aborted) {
      const now = clock.wall();
      const next = await db.read(async (tx) => ({
        delivery: await waitingDelivery(tx, channel.name),
        ...(await channelState(tx, channel.name)),
      }));
      if (!next.ok) return this.#warn(channel, next);
      const { delivery, last, waits } = next.value;
      if (delivery === undefined) {
        // Either way: a clock that was set back must not hold mail up until it has caught up.
        const lately = last !== null && Math.abs(now - Date.parse(last)) < mailEvery;
        if (!waits || (channel.kind === 'email' && lately)) return;
        const id = uuid7(now, this.#parts.randomBytes);
        const made = await db.transaction((tx) => makeDelivery(tx, id, channel.name, instant(now)));
        if (!made.ok) return this.#warn(channel, made);
        continue;
      }
      const wait = Date.parse(delivery.next_at) - now;
      if (wait > 0 && wait <= lastPause) return;
      if (!(await this.#attempt(channel, delivery))) return;
    }
  }

  /** True where the next message may follow at once. */
  async #attempt(channel: ChannelSettings, delivery: Delivery): Promise<boolean> {
    const { db, clock, log } = this.#parts;
    const began = clock.wall();
    const mine = await db.transaction((tx) => beginAttempt(tx, delivery, text(began + attemptMillis)));
    const notices = await db.read((tx) => noticesOf(tx, delivery.id));
    if (!mine.ok || !mine.value || !notices.ok) return false;
    const message = { id: delivery.id, notices: notices.value };
    const sent = await deliver(channel, message, clock, this.#stopping.signal);
    const now = clock.wall();
    if (!sent.ok && this.#stopping.signal.aborted) return false;
    this.#parts.told?.(sent.ok);
    const old = now - Date.parse(delivery.at) > this.#parts.giveUpHours * 3_600_000;
    const ended = await db.transaction((tx) =>
      endAttempt(
        tx,
        delivery.id,
        sent.ok
          ? { state: 'sent', nextAt: instant(now), failedSince: null, detail: null }
          : {
              state: old ? 'given-up' : 'waiting',
              nextAt: text(now + this.#pause(delivery.attempts)),
              failedSince: delivery.failed_since ?? instant(began),
              detail: sent.fault.detail.slice(0, 500),
            },
      ),
    );
    if (!ended.ok) this.#warn(channel, ended);
    if (!sent.ok) {
      const fields = { channel: channel.name, attempt: delivery.attempts + 1, ...faultFields(sent.fault) };
      if (old) log.error('A message about alerts was given up', fields);
      else log.warn('A message about alerts was not delivered; it is tried again', fields);
      return false;
    }
    log.info('Told of alerts', {
      channel: channel.name,
      delivery: delivery.id,
      notices: notices.value.length,
    });
    return ended.ok;
  }

  /** Doubles with every attempt up to ten minutes, with jitter. */
  #pause(attempts: number): Millis {
    const whole = Math.min(lastPause, firstPause * 2 ** Math.min(attempts, 20));
    return ms(whole / 2 + (this.#parts.random() * whole) / 2);
  }

  #warn(channel: ChannelSettings, failed: Extract<Result<unknown>, { ok: false }>): void {
    this.#parts.log.warn('Notifications wait for the database', {
      channel: channel.name,
      ...faultFields(failed.fault),
    });
  }
}

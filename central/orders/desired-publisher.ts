import type { RegisteredTerminal } from '#contracts/registry.ts';
import { topic } from '#contracts/topics.ts';
import { type Millis, ms } from '#contracts/units.ts';
import { instant } from '#runtime/clock.ts';
import { faultFields } from '#runtime/log.ts';
import type { Announcement } from '../store/index.ts';
import { Bell } from './bell.ts';
import { compose, type Composed, signedDesired } from './compose.ts';
import type { OrdersParts } from './ports.ts';
import { covers } from './scope.ts';
import { breathe, slices } from './sql.ts';

type Parts = Pick<OrdersParts, 'db' | 'registry' | 'link' | 'signer' | 'clock' | 'log' | 'desiredPerSecond'>;

const perSecondUsually = 200;
/** Terminals in one transaction. */
const composedAtOnce = 50;
/** Messages that the broker has not acknowledged yet: Mosquitto takes 20 at once. */
const inFlight = 20;
const idle = ms(60_000);
const retryEvery = ms(10_000);

/**
 * The leader’s task that brings what terminals shall run to the broker (retained, QoS 1): what is new, and everything
 * again after a session with the broker has begun, since it may keep nothing over its own restart. First every number
 * is made, which is quick; then messages go out spread over time.
 */
export class DesiredPublisher {
  readonly #parts: Parts;
  readonly #bell: Bell;
  readonly #stale = new Map<string, RegisteredTerminal>();
  readonly #queue = new Set<string>();
  /** Published already, but perhaps forgotten by the broker. */
  readonly #again = new Set<string>();
  #notBefore = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#bell = new Bell(parts.clock);
  }

  /** Runs while this process leads. */
  async run(signal: AbortSignal): Promise<void> {
    const { db, link, clock } = this.#parts;
    const stops = [
      db.listen((announcement) => this.#heard(announcement)),
      link.onConnected(() => this.publishAgain()),
    ];
    // The broker may have been started again while nobody led.
    this.publishAgain();
    try {
      while (!signal.aborted) {
        const next = await this.turn(signal);
        await this.#bell.wait(next, signal);
      }
    } finally {
      for (const stop of stops) stop();
      this.#stale.clear();
      this.#queue.clear();
      this.#again.clear();
      this.#notBefore = clock.monotonic();
    }
  }

  /** Everything has to go to the broker again. */
  publishAgain(): void {
    for (const { terminal } of this.#parts.registry.all()) this.#again.add(terminal);
    this.#notBefore = 0;
    this.registryChanged();
  }

  /** Terminals may have come, gone or moved. */
  registryChanged(): void {
    this.#touch(() => true);
  }

  /** Messages that wait to be published. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Makes what numbers are due and publishes what may go now; the answer is how long nothing more is to be done. */
  async turn(signal: AbortSignal): Promise<Millis> {
    if (!(await this.#composeStale(signal))) return retryEvery;
    if (this.#queue.size === 0) return idle;
    const { clock } = this.#parts;
    const wait = this.#notBefore - clock.monotonic();
    if (wait > 0) return ms(wait);
    const well = await this.#publishSome(signal);
    this.#notBefore = clock.monotonic() + (well ? 1000 : retryEvery);
    return well ? ms(1000) : retryEvery;
  }

  /** A layer, or what was signed for it, is another one now. */
  changed(layer: string): void {
    this.#touch((terminal) => covers(layer, terminal));
  }

  #heard({ kind, key }: Announcement): void {
    if (kind === 'layer') this.changed(key);
    else if (kind === 'all') this.registryChanged();
  }

  #touch(which: (terminal: RegisteredTerminal) => boolean): void {
    for (const one of this.#parts.registry.all()) if (which(one)) this.#stale.set(one.terminal, one);
    this.#bell.ring();
  }

  async #composeStale(signal: AbortSignal): Promise<boolean> {
    while (this.#stale.size > 0 && !signal.aborted) {
      const batch = [...this.#stale.values()].slice(0, composedAtOnce);
      for (const { terminal } of batch) this.#stale.delete(terminal);
      const composed = await this.#compose(batch);
      if (composed === undefined) {
        for (const one of batch) this.#stale.set(one.terminal, one);
        return false;
      }
      for (const { terminal, version, published } of composed) {
        if (version !== published || this.#again.has(terminal)) this.#queue.add(terminal);
      }
      await breathe();
    }
    return true;
  }

  async #publishSome(signal: AbortSignal): Promise<boolean> {
    const { registry, desiredPerSecond = perSecondUsually } = this.#parts;
    let left = desiredPerSecond;
    while (left > 0 && this.#queue.size > 0 && !signal.aborted) {
      const names = [...this.#queue].slice(0, Math.min(left, composedAtOnce));
      left -= names.length;
      // Who was revoked meanwhile gets nothing.
      const batch = names.flatMap((name) => registry.find(name) ?? []);
      for (const name of names) if (registry.find(name) === undefined) this.#queue.delete(name);
      const composed = await this.#compose(batch);
      if (composed === undefined) return false;
      const given: Composed[] = [];
      let well = true;
      for (const slice of slices(composed, inFlight)) {
        if (!well || signal.aborted) break;
        const done = await Promise.all(slice.map((one) => this.#publish(one)));
        for (const [i, one] of slice.entries()) {
          if (done[i] === true) given.push(one);
          else well = false;
        }
        await breathe();
      }
      if (!(await this.#given(given))) return false;
      if (!well) return false;
    }
    return true;
  }

  async #publish(composed: Composed): Promise<boolean> {
    const { link, signer, log } = this.#parts;
    const { terminal, version } = composed;
    // In its place from now on: what changes while it goes out is queued anew, and one that the broker refuses goes last.
    this.#queue.delete(terminal);
    const done = await link.publish(topic(terminal, 'desired'), signedDesired(composed, signer), {
      retain: true,
    });
    if (done.ok) {
      this.#again.delete(terminal);
      return true;
    }
    this.#queue.add(terminal);
    log.warn('A configuration could not be published; it is tried again', {
      terminal,
      version,
      ...faultFields(done.fault),
    });
    return false;
  }

  async #given(composed: readonly Composed[]): Promise<boolean> {
    if (composed.length === 0) return true;
    const { db, clock, log } = this.#parts;
    const at = instant(clock.wall());
    const done = await db.transaction(async (tx) => {
      for (const slice of slices(composed)) {
        await tx.run(
          `INSERT INTO desired_published (terminal, version, at) VALUES ${slice.map(() => '(?, ?, ?)').join(', ')}
           ON CONFLICT (terminal) DO UPDATE SET version = excluded.version, at = excluded.at`,
          ...slice.flatMap(({ terminal, version }) => [terminal, version, at]),
        );
      }
    });
    if (!done.ok) log.error('What was published could not be recorded', faultFields(done.fault));
    return done.ok;
  }

  async #compose(batch: readonly RegisteredTerminal[]): Promise<Composed[] | undefined> {
    const { db, clock, log } = this.#parts;
    const done = await db.transaction((tx) => compose(tx, batch, instant(clock.wall())));
    if (done.ok) return done.value;
    log.error('Configurations could not be put together', faultFields(done.fault));
    return undefined;
  }
}

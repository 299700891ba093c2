import type { Fault } from '#contracts/result.ts';
import { type Millis, ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';

/** How a session ended; `by` is undefined where it never began. */
export interface SessionEnd {
  readonly fault: Fault;
  readonly by?: 'broker' | 'line';
  /** How long it stood; 0 where it never did. */
  readonly stood: Millis;
  /** The controller acknowledged something in it. */
  readonly answered: boolean;
}

export interface PausesParts {
  readonly first: Millis;
  readonly spread: Millis;
  readonly random: () => number;
}

/** A session that has stood for this long has worked, also where nothing was owed. */
export const standing = ms(10_000);
const longest = ms(60_000);
/**
 * A session that the broker ended has worked only if it stood for longer than any pause: two machines with one identity
 * put each other out, and must not do so ever faster.
 */
const standingForBroker = ms(120_000);
const busy = { first: ms(30_000), last: ms(600_000) };
const takenOver = { first: ms(60_000), last: ms(900_000) };

/** How long to wait after a session ended, or could not be begun, before the next one. */
export class Pauses {
  readonly #spread: Millis;
  readonly #random: () => number;
  readonly #usual: Backoff;
  readonly #busy: Backoff;
  readonly #takenOver: Backoff;

  constructor({ first, spread, random }: PausesParts) {
    this.#spread = spread;
    this.#random = random;
    this.#usual = new Backoff(first, longest, random);
    this.#busy = new Backoff(busy.first, busy.last, random);
    this.#takenOver = new Backoff(takenOver.first, takenOver.last, random);
  }

  after({ fault, by, stood, answered }: SessionEnd): Millis {
    const long = stood >= standingForBroker;
    if (by === 'broker' ? long : answered || stood >= standing) this.#usual.worked();
    if (long) this.#busy.worked();
    if (stood >= takenOver.last) this.#takenOver.worked();
    if (fault.code === 'IDENTITY_TAKEN_OVER') return this.#takenOver.next();
    if (fault.code === 'BROKER_BUSY') return this.#busy.next();
    // The whole fleet was put out in this moment, and would come back in the next.
    const spread = by === 'broker' && long ? this.#random() * this.#spread : 0;
    return ms(this.#usual.next() + spread);
  }
}

import { type Millis, ms } from '#contracts/units.ts';

/**
 * Pauses that double from `first` to `last`, each with jitter (half to whole), so that thousands of terminals do not
 * come back in the same second. `worked` is called only after the thing has really worked for a while: a connection
 * that is accepted and then closed at once must not begin at the shortest pause again.
 */
export class Backoff {
  readonly #first: number;
  readonly #last: number;
  readonly #random: () => number;
  #next: number;

  constructor(first: Millis, last: Millis, random: () => number) {
    this.#first = first;
    this.#last = last;
    this.#random = random;
    this.#next = first;
  }

  /** The next pause. */
  next(): Millis {
    const whole = this.#next;
    this.#next = Math.min(this.#last, whole * 2);
    return ms(whole / 2 + (this.#random() * whole) / 2);
  }

  worked(): void {
    this.#next = this.#first;
  }
}

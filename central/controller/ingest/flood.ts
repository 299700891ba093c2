import type { Clock } from '#runtime/clock.ts';

/** So long a terminal may save up what it does not say, in seconds. */
const savedSeconds = 30;

interface Bucket {
  tokens: number;
  at: number;
}

/** What each terminal may say: a bucket of messages that fills again at a steady rate. */
export class Buckets {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  /** Takes one message out of it; false where it is empty. Called for registered terminals alone, so that it is bounded. */
  take(terminal: string): boolean {
    const bucket = this.#filled(terminal);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** What a message brought with it counts as so many more; below zero they are given back. */
  charge(terminal: string, messages: number): void {
    const bucket = this.#filled(terminal);
    bucket.tokens = Math.max(-this.#most, Math.min(this.#most, bucket.tokens - messages));
  }

  get #most(): number {
    return this.#perSecond * savedSeconds;
  }

  #filled(terminal: string): Bucket {
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(terminal) ?? { tokens: this.#most, at: now };
    bucket.tokens = Math.min(this.#most, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond);
    bucket.at = now;
    this.#buckets.set(terminal, bucket);
    return bucket;
  }
}

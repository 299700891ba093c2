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
    const now = this.#clock.monotonic();
    const full = this.#perSecond * savedSeconds;
    const bucket = this.#buckets.get(terminal) ?? { tokens: full, at: now };
    bucket.tokens = Math.min(full, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond);
    bucket.at = now;
    this.#buckets.set(terminal, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** A batch of news counts as nothing: a terminal that was without a link for a month must not be held back. */
  giveBack(terminal: string): void {
    const bucket = this.#buckets.get(terminal);
    if (bucket !== undefined) bucket.tokens += 1;
  }
}

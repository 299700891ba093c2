import { ms } from '#contracts/units.ts';
import { type Clock, pause } from '#runtime/clock.ts';

/**
 * How many bytes per second a download may take of the line, so that look-ups keep room: a token bucket of one second.
 * Whoever has taken bytes pays for them before it takes more; while it waits it reads nothing, and TCP holds the sender
 * back. Over any time, at most that time's worth of bytes goes through, and one second's worth and one piece more.
 */
export class Budget {
  readonly #clock: Clock;
  #rate: number;
  /** Bytes that may go through now; below zero where some went through in advance. */
  #tokens: number;
  #filledAt: number;

  /** 0 bytes per second is no limit. */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#rate = bytesPerSecond;
    this.#tokens = bytesPerSecond;
    this.#filledAt = clock.monotonic();
  }

  /** Pays for bytes that have come; resolves when the next ones may, or at once when the signal is aborted. */
  async pay(bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.#rate === 0) return;
    this.#fill();
    this.#tokens -= bytes;
    if (this.#tokens >= 0) return;
    await pause(this.#clock, ms((-this.#tokens / this.#rate) * 1000), signal);
  }

  /** Another rate, from the next payment on. */
  setRate(bytesPerSecond: number): void {
    this.#fill();
    // A debt at the old rate is not made to last at a much lower one.
    this.#tokens = this.#rate === 0 ? bytesPerSecond : (this.#tokens / this.#rate) * bytesPerSecond;
    this.#rate = bytesPerSecond;
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#filledAt) / 1000) * this.#rate);
    this.#filledAt = now;
  }
}

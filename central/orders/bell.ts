import type { Millis } from '#contracts/units.ts';
import { type Clock, pause } from '#runtime/clock.ts';

/** Lets a task sleep until it is time or somebody rings; what rings while it works is not missed. */
export class Bell {
  readonly #clock: Clock;
  #wake = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#wake.abort();
  }

  async wait(atMost: Millis, signal: AbortSignal): Promise<void> {
    await pause(this.#clock, atMost, AbortSignal.any([this.#wake.signal, signal]));
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
  }
}

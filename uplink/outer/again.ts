import { type Millis, ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import type { Clock } from '#runtime/clock.ts';

/**
 * Runs one action, never twice at the same time: asked for while it runs, it runs once more after. Where it says that
 * it did not succeed it is tried again with growing pauses, until it has.
 */
export class Again {
  readonly #action: () => Promise<boolean>;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #running: Promise<void> | undefined;
  #wanted = false;
  #closed = false;
  #cancel: (() => void) | undefined;

  constructor(
    action: () => Promise<boolean>,
    parts: { readonly clock: Clock; readonly random: () => number },
  ) {
    this.#action = action;
    this.#clock = parts.clock;
    this.#backoff = new Backoff(ms(500), ms(15_000), parts.random);
  }

  /** As soon as can be; settles when it has run once more from now on. */
  now(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wanted = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  /** After a moment in which more may come: many news of the kernel are one change. */
  soon(delay: Millis): void {
    if (this.#closed || this.#cancel !== undefined) return;
    this.#cancel = this.#clock.after(delay, () => {
      this.#cancel = undefined;
      void this.now();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wanted = false;
    this.#cancel?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      this.#wanted = false;
      const done = await this.#action();
      if (done) this.#backoff.worked();
      else if (!this.#wanted) this.soon(this.#backoff.next());
    }
    this.#running = undefined;
  }
}

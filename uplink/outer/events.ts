import type { MonotonicTime } from '#contracts/units.ts';
import type { Log } from '#runtime/log.ts';

const kept = 40;

/** What was tried lately, for whoever stands before the terminal and asks why. */
export class Events {
  readonly #log: Log;
  readonly #now: () => MonotonicTime;
  #newestFirst: { readonly at: MonotonicTime; readonly text: string }[] = [];

  constructor(log: Log, now: () => MonotonicTime) {
    this.#log = log;
    this.#now = now;
  }

  add(text: string): void {
    this.#log.info(text);
    this.#newestFirst = [{ at: this.#now(), text: text.slice(0, 300) }, ...this.#newestFirst].slice(0, kept);
  }

  list(): { at: number; text: string }[] {
    return this.#newestFirst.map(({ at, text }) => ({
      at: Math.max(0, Math.round((this.#now() - at) / 1000)),
      text,
    }));
  }
}

import { type Millis, ms } from '#contracts/units.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import type { Notifier } from '#runtime/sd-notify.ts';

const lookEvery = ms(1000);

/**
 * Feeds the service manager's watchdog by the progress of this process's own loop, and keeps on disk now and then what
 * must outlast a power cut. A lost uplink is no reason to be started anew.
 */
export class Upkeep {
  readonly #stopping = new AbortController();
  readonly ended: Promise<void>;

  constructor(parts: {
    readonly clock: Clock;
    readonly notifier: Notifier;
    readonly save: () => Promise<void>;
    readonly saveEvery: Millis;
  }) {
    this.ended = this.#loop(parts);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.ended;
  }

  async #loop({ clock, notifier, save, saveEvery }: ConstructorParameters<typeof Upkeep>[0]): Promise<void> {
    let fed = clock.monotonic();
    let saved = clock.monotonic();
    while (!this.#stopping.signal.aborted) {
      const now = clock.monotonic();
      if (notifier.watchdogEvery !== undefined && now - fed >= notifier.watchdogEvery) {
        fed = now;
        await notifier.alive();
      }
      if (now - saved >= saveEvery) {
        saved = now;
        await save();
      }
      await pause(clock, lookEvery, this.#stopping.signal);
    }
    await save();
  }
}

import type { MonotonicTime } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';

const hour = 3_600_000;

/** Whether the firewall had to be put back within the last hour, by the helper's count of it since its start. */
export class FirewallWatch {
  readonly #clock: Clock;
  #count: number | undefined;
  #at: MonotonicTime | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the count; true where it has grown. Of what was before the first one, nobody knows when it was. */
  see(count: number): boolean {
    const before = this.#count;
    this.#count = count;
    // A helper that was started again counts from 0.
    const grown = before !== undefined && count > (count < before ? 0 : before);
    if (grown) this.#at = this.#clock.monotonic();
    return grown;
  }

  touched(): boolean {
    return this.#at !== undefined && this.#clock.monotonic() - this.#at < hour;
  }
}

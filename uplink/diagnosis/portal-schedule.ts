import { type MonotonicTime, ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';

export interface PortalOccasion {
  /** The uplink has a usable address and a way to send to. */
  readonly ready: boolean;
  /** Since when every hub is silent over it; undefined while one answers, or before one was probed. */
  readonly silentSince: MonotonicTime | undefined;
  readonly metered: boolean;
}

/** A line that was just switched over is not in doubt yet. */
const patience = 5000;
const atLeast = 15_000;
const meteredEvery = 3_600_000;

/**
 * When a portal check of one uplink is due: all hubs silent over it for 5 s, then again after pauses that grow from
 * 30 s to 15 min (with jitter, half to whole); over a metered one at most once an hour. Never over a line that works. Once it worked, all begins anew,
 * except that the hour of a metered one goes on.
 */
export class PortalSchedule {
  readonly #backoff: Backoff;
  #last: MonotonicTime | undefined;
  #pause = 0;

  constructor(random: () => number) {
    this.#backoff = new Backoff(ms(30_000), ms(900_000), random);
  }

  isDue({ ready, silentSince, metered }: PortalOccasion, now: MonotonicTime): boolean {
    if (silentSince === undefined) {
      this.#backoff.worked();
      // A line that comes and goes is not checked each time that it goes.
      this.#pause = atLeast;
      return false;
    }
    if (!ready || now - silentSince < patience) return false;
    if (this.#last === undefined) return true;
    return now - this.#last >= Math.max(this.#pause, metered ? meteredEvery : 0);
  }

  /** To be called when a check begins. */
  begun(now: MonotonicTime): void {
    this.#last = now;
    this.#pause = this.#backoff.next();
  }
}

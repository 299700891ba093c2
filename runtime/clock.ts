import { readFileSync } from 'node:fs';
import { type Millis, type MonotonicTime, monotonic, type WallTime, wall } from '#contracts/units.ts';

/** Time comes in as an argument, so that tests drive it. */
export interface Clock {
  /** What the machine's wall clock says; it may be wrong and may go backwards. */
  wall(): WallTime;
  /** Milliseconds since boot, with fractions; never goes backwards. */
  monotonic(): MonotonicTime;
  /** Calls `action` once after `delay`; the answer cancels it. Never keeps the process alive by itself. */
  after(delay: Millis, action: () => void): () => void;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  wall: () => wall(Date.now()),
  // process.hrtime is CLOCK_MONOTONIC: the same for all processes of one boot, so it can be kept on disk beside the boot id.
  monotonic: () => monotonic(Number(process.hrtime.bigint()) / 1e6),
  after(delay, action) {
    const timer = setTimeout(action, delay);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** The kernel's id of this boot. */
export function readBootId(path = '/proc/sys/kernel/random/boot_id'): string {
  return readFileSync(path, 'utf8').trim();
}

/** A wall time as RFC 3339 in UTC with milliseconds. */
export function instant(at: WallTime): string {
  return new Date(at).toISOString();
}

/** Waits on the given clock; ends early, without an error, when the signal is aborted. */
export function pause(clock: Clock, delay: Millis, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delay, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

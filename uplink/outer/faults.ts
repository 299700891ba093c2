import type { Fault } from '#contracts/result.ts';
import type { UplinkFault } from '#contracts/uplink.ts';
import type { MonotonicTime } from '#contracts/units.ts';
import { faultFields, type Log } from '#runtime/log.ts';

/**
 * What does not work at present, one fault for each thing that is tried: it stands until that thing has succeeded, and
 * is logged when it comes, changes and goes, not with every attempt.
 */
export class StandingFaults {
  readonly #log: Log;
  readonly #now: () => MonotonicTime;
  readonly #standing = new Map<string, { readonly fault: Fault; readonly since: MonotonicTime }>();

  constructor(log: Log, now: () => MonotonicTime) {
    this.#log = log;
    this.#now = now;
  }

  /** What came of the thing this time. */
  note(thing: string, outcome: { readonly ok: true } | { readonly ok: false; readonly fault: Fault }): void {
    const before = this.#standing.get(thing);
    if (outcome.ok) {
      if (before === undefined) return;
      this.#standing.delete(thing);
      this.#log.info('A fault is gone', { thing, code: before.fault.code });
      return;
    }
    const { fault } = outcome;
    if (before?.fault.code !== fault.code || before.fault.detail !== fault.detail)
      this.#log.warn('Something does not work; it is tried again', { thing, ...faultFields(fault) });
    this.#standing.set(thing, { fault, since: before?.since ?? this.#now() });
  }

  /** The thing is no longer wanted. */
  forget(thing: string): void {
    this.#standing.delete(thing);
  }

  get any(): boolean {
    return this.#standing.size > 0;
  }

  list(): UplinkFault[] {
    return [...this.#standing.values()].slice(0, 32).map(({ fault, since }) => ({
      code: fault.code,
      detail: fault.detail.slice(0, 500),
      since: Math.max(0, Math.round((this.#now() - since) / 1000)),
    }));
  }
}

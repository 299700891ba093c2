import type { ErrorCode } from '#contracts/errors.ts';
import type { Fault } from '#contracts/result.ts';
import type { Clock } from '#runtime/clock.ts';
import { faultFields, type Log, type LogFields } from '#runtime/log.ts';

/** Each kind of refusal is logged at most once in this many milliseconds: a peer that tries for ever fills no disk. */
const quietFor = 60_000;

/** Counts refusals and logs them sparingly, with how many were not logged. */
export class Refusals {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #kinds = new Map<ErrorCode, { loggedAt: number; since: number }>();
  #count = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  get count(): number {
    return this.#count;
  }

  add(text: string, fault: Fault, fields: LogFields = {}): void {
    this.#count++;
    const now = this.#clock.monotonic();
    const kind = this.#kinds.get(fault.code) ?? { loggedAt: Number.NEGATIVE_INFINITY, since: 0 };
    kind.since++;
    this.#kinds.set(fault.code, kind);
    if (now - kind.loggedAt < quietFor) return;
    this.#log.warn(text, { ...faultFields(fault), ...fields, times: kind.since });
    kind.loggedAt = now;
    kind.since = 0;
  }
}

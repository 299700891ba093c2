import { conditions } from '#contracts/conditions.ts';
import type { Condition } from '#contracts/health.ts';
import { type Millis, type MonotonicTime, ms } from '#contracts/units.ts';
import type { Found } from './found.ts';

interface Stand {
  /** As an instant of trusted time, which may jump when it is verified. */
  readonly since: string;
  /** When its delay is over. */
  readonly due: MonotonicTime;
}

/** Keeps since when each condition stands, and holds it back until it has stood for its delay without a break. */
export class StandingConditions {
  #stands = new Map<string, Stand>();

  /** Of the conditions found, those whose delay is over, each with the instant at which it was first found. */
  update(found: readonly Found[], now: string, at: MonotonicTime): Condition[] {
    const before = this.#stands;
    this.#stands = new Map();
    return found.flatMap((one) => {
      const key = `${one.code} ${one.subject ?? ''}`;
      const stand = before.get(key) ?? { since: now, due: dueAt(one, at) };
      this.#stands.set(key, stand);
      return stand.due <= at ? [{ ...one, since: stand.since }] : [];
    });
  }

  /** How long until the next one that is held back is due; undefined where none is. */
  dueIn(at: MonotonicTime): Millis | undefined {
    const waiting = [...this.#stands.values()].filter(({ due }) => due > at).map(({ due }) => due - at);
    return waiting.length === 0 ? undefined : ms(Math.min(...waiting));
  }
}

function dueAt({ code }: Found, at: MonotonicTime): MonotonicTime {
  return (at + conditions[code].delaySeconds * 1000) as MonotonicTime;
}

import type { CentreConditionCode } from '#contracts/api/fleet.ts';
import type { Condition } from '#contracts/health.ts';
import { wall } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';

/** What the conditions of the centre itself are derived from. */
export interface CentreFacts {
  readonly brokerConnected: boolean;
  /** Transactions and reads that failed since the start. */
  readonly storeErrors: number;
  /** When the collection was made; undefined where there is none. */
  readonly collectionDate: string | undefined;
  /** When the newest edition was published: undefined where the centre serves none, null where there is none yet. */
  readonly editionDate: string | null | undefined;
  /** Whether this process leads. Where others may, their lead is not this one's trouble. */
  readonly leads: boolean;
  readonly alone: boolean;
}

/** A failed transaction is shown for so long: one that fails now and then is no passing thing. */
const storeErrorShown = 60_000;
/** A broker that is started again must not alarm anybody. */
const brokerGrace = 15_000;
const leaderGrace = 15_000;

/** What is wrong with the centre itself, and since when. */
export class CentreConditions {
  readonly #clock: Clock;
  readonly #maxAge: number;
  readonly #since = new Map<string, { readonly wall: string; readonly at: number }>();
  #errors = 0;
  #erredAt = Number.NEGATIVE_INFINITY;

  /** `maxAgeSeconds`: older than this, collection and edition are stale. */
  constructor(clock: Clock, maxAgeSeconds: number) {
    this.#clock = clock;
    this.#maxAge = maxAgeSeconds * 1000;
  }

  /** Those that stand now; to be asked every few seconds. */
  of(facts: CentreFacts): Condition[] {
    const now = this.#clock.monotonic();
    if (facts.storeErrors > this.#errors) this.#erredAt = now;
    this.#errors = facts.storeErrors;
    const stale = (date: string): boolean => this.#clock.wall() - Date.parse(date) > this.#maxAge;
    const { collectionDate, editionDate } = facts;
    const found: readonly (readonly [CentreConditionCode, boolean, number])[] = [
      ['broker-unreachable', !facts.brokerConnected, brokerGrace],
      ['store-failing', now - this.#erredAt < storeErrorShown, 0],
      ['collection-absent', collectionDate === undefined, 0],
      ['collection-stale', collectionDate !== undefined && stale(collectionDate), 0],
      ['editions-stale', typeof editionDate === 'string' && stale(editionDate), 0],
      ['no-leader', !facts.leads && facts.alone, leaderGrace],
    ];
    return found.flatMap(([code, holds, grace]) => {
      if (!holds) {
        this.#since.delete(code);
        return [];
      }
      const since = this.#since.get(code) ?? { wall: instant(wall(this.#clock.wall())), at: now };
      this.#since.set(code, since);
      return now - since.at < grace ? [] : [{ code, since: since.wall }];
    });
  }
}

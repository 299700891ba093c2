import type { Condition, ConditionCode, HealthReport, ReaderState } from '#contracts/health.ts';
import type { Found } from './found.ts';
import { causeOfSilence, uplinkConditions, type UplinkFacts } from './uplink.ts';

/** What the conditions of a terminal are derived from. */
export interface ConditionFacts {
  readonly readers: readonly { readonly id: string; readonly state: ReaderState }[];
  readonly link: 'up' | 'down' | 'unknown';
  /** Null where there is none. */
  readonly edition: { readonly tooOld: boolean; readonly aging: boolean } | null;
  readonly editionDamaged: boolean;
  readonly editionRefused: boolean;
  readonly clock: HealthReport['clock']['state'];
  readonly disk: HealthReport['disk'];
  readonly recordingFails: boolean;
  readonly storeReplaced: boolean;
  readonly certificateDaysLeft: number;
  readonly uplink: UplinkFacts;
}

const diskLowShare = 0.1;
const diskLowBytes = 268_435_456;
const certificateDays = 30;

const readerConditions: Readonly<Record<Exclude<ReaderState, 'ready'>, ConditionCode>> = {
  absent: 'reader-absent',
  refused: 'reader-refused',
  noise: 'reader-noise',
  silent: 'reader-silent',
};

/** The conditions that stand; none where all is well. */
export function conditionsOf(facts: ConditionFacts): Found[] {
  const found: Found[] = facts.readers.flatMap(({ id, state }) =>
    state === 'ready' ? [] : [{ code: readerConditions[state], subject: id }],
  );
  const when = (holds: boolean, code: ConditionCode): void => {
    if (holds) found.push({ code });
  };
  when(facts.recordingFails, 'not-recording');
  when(facts.storeReplaced, 'store-replaced');
  when(facts.edition === null, 'edition-absent');
  when(facts.edition?.tooOld === true, 'edition-old');
  when(facts.edition?.aging === true && !facts.edition.tooOld, 'edition-aging');
  when(facts.editionDamaged, 'edition-damaged');
  when(facts.editionRefused, 'edition-refused');
  const ofUplink = uplinkConditions(facts.uplink);
  found.push(...ofUplink);
  // Where the uplinks say themselves why nothing is reached, their conditions stand for it.
  when(facts.link === 'down' && !causeOfSilence(facts.uplink, ofUplink), 'central-unreachable');
  // The centre verifies the clock: while it is out of reach, that is the one cause.
  when(facts.clock === 'unverified' && facts.link !== 'down', 'clock-unverified');
  const { freeBytes, totalBytes } = facts.disk;
  when(freeBytes < Math.min(diskLowBytes, totalBytes * diskLowShare), 'disk-low');
  when(facts.certificateDaysLeft < certificateDays, 'certificate-expiring');
  return found;
}

/** Keeps since when each condition stands. */
export class StandingConditions {
  readonly #since = new Map<string, string>();

  /** The conditions found, each with the instant at which it was first found without a break. */
  update(found: readonly Found[], now: string): Condition[] {
    const keyOf = ({ code, subject }: Found): string => `${code} ${subject ?? ''}`;
    const standing = new Set(found.map(keyOf));
    for (const key of this.#since.keys()) if (!standing.has(key)) this.#since.delete(key);
    return found.map((one) => {
      const since = this.#since.get(keyOf(one)) ?? now;
      this.#since.set(keyOf(one), since);
      return { ...one, since };
    });
  }
}

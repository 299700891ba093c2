import type { ConditionCode } from '#contracts/conditions.ts';
import type { HealthReport, ReaderState } from '#contracts/health.ts';
import type { Found } from './found.ts';
import { type Figures, passes, thresholds } from './thresholds.ts';
import { oldKeys, uplinkConditions, type UplinkFacts } from './uplink.ts';

/** What the conditions of a terminal are derived from. */
export interface ConditionFacts
  extends Figures, Pick<HealthReport, 'uptime' | 'storage' | 'start' | 'configuration'> {
  readonly readers: readonly { readonly id: string; readonly state: ReaderState }[];
  readonly link: 'up' | 'down' | 'unknown';
  /** Null where there is none. */
  readonly edition: { readonly tooOld: boolean; readonly aging: boolean } | null;
  readonly editionDamaged: boolean;
  readonly editionRefused: boolean;
  readonly recordingFails: boolean;
  readonly storeReplaced: boolean;
  readonly outboxThinned: boolean;
  readonly sessionTakenOver: boolean;
  readonly certificateDaysLeft: number;
  readonly uplink: UplinkFacts;
}

const certificateDays = 30;
const wearingPercent = 80;
const wornPercent = 100;
/** So long how the machine started is worth a lamp, in seconds. */
const startMatters = 86_400;

const readerConditions: Readonly<Record<Exclude<ReaderState, 'ready'>, ConditionCode>> = {
  absent: 'reader-absent',
  refused: 'reader-refused',
  noise: 'reader-noise',
  silent: 'reader-silent',
};

/**
 * All conditions that are found, those too that another one explains (contracts/conditions.ts, `causes`); none where all
 * is well. `before` is what was found the last time: a threshold lets go later than it begins.
 */
export function conditionsOf(facts: ConditionFacts, before: readonly Found[] = []): Found[] {
  const found: Found[] = facts.readers.flatMap(({ id, state }) =>
    state === 'ready' ? [] : [{ code: readerConditions[state], subject: id }],
  );
  const when = (holds: boolean, code: ConditionCode): void => {
    if (holds) found.push({ code });
  };
  when(facts.recordingFails, 'not-recording');
  when(facts.storeReplaced, 'store-replaced');
  when(facts.sessionTakenOver, 'session-taken-over');
  when(facts.edition === null, 'edition-absent');
  when(facts.edition?.tooOld === true, 'edition-old');
  when(facts.edition?.aging === true, 'edition-aging');
  when(facts.editionDamaged, 'edition-damaged');
  when(facts.editionRefused, 'edition-refused');
  found.push(...uplinkConditions(facts.uplink), ...oldKeys(facts.uplink, facts.now));
  when(facts.link === 'down', 'central-unreachable');
  when(facts.clock.state === 'unverified', 'clock-unverified');
  const stood = new Set(before.map(({ code }) => code));
  for (const threshold of thresholds)
    when(passes(threshold, facts, stood.has(threshold.code)), threshold.code);
  ofMachine(facts, when);
  when(facts.outboxThinned, 'outbox-thinned');
  when(facts.configuration.state === 'probation', 'configuration-probation');
  when(facts.configuration.state === 'undone', 'configuration-undone');
  when(facts.configuration.state === 'refused', 'configuration-refused');
  when(facts.certificateDaysLeft < certificateDays, 'certificate-expiring');
  return found;
}

function ofMachine(facts: ConditionFacts, when: (holds: boolean, code: ConditionCode) => void): void {
  const { storage, power, start, uptime } = facts;
  when((storage.fileSystemErrors ?? 0) > 0, 'file-system-errors');
  when((storage.wearPercent ?? 0) >= wornPercent, 'flash-worn');
  when((storage.wearPercent ?? 0) >= wearingPercent, 'flash-wearing');
  when(power?.source === 'battery', 'on-battery');
  when(power?.undervoltage === true, 'undervoltage');
  const fresh = uptime.systemSeconds < startMatters;
  when(fresh && start.watchdog, 'watchdog-reset');
  when(fresh && start.unexpected, 'unexpected-reboot');
}

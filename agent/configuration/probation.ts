import type { ErrorCode } from '#contracts/errors.ts';
import { type Millis, ms } from '#contracts/units.ts';

/**
 * The probation of a new configuration; pure. Something fails against it only where the one before would demonstrably
 * have worked at the same moment, and only such time counts.
 *
 * ```
 *              every witness works                     failing for its whole time
 *   running ───────────────────────▶ confirmed   running ────────────────────────▶ undone
 *      │ ▲                                          │  or: it ended too often
 *      └─┘ nothing is proven: no time counts        ▼
 * ```
 */
export interface Trial {
  /** Time in which it failed and the one before would have worked, ms. */
  readonly failedMillis: number;
  /** How often the agent ended without being asked to, in the same boot of the machine. */
  readonly crashes: number;
  /** How often the machine was booted anew: a power cut is no proof, but nothing may go on for ever. */
  readonly boots: number;
}

/** What one thing shows that must work before a new configuration stays. */
export interface Witness {
  /** What is said if it does not. */
  readonly code: ErrorCode;
  readonly detail: string;
  readonly works: boolean;
  /** Share of the time that counts against the new one, 0 to 1: 0 where the one before would not have worked either. */
  readonly against: number;
}

export type TrialEvent =
  /** What was seen, and how long ago it was last looked, ms. */
  | { readonly kind: 'seen'; readonly witnesses: readonly Witness[]; readonly since: number }
  /** The agent is being started although nobody had stopped it. */
  | { readonly kind: 'ended'; readonly sameBoot: boolean };

export type TrialStep =
  | { readonly kind: 'on'; readonly trial: Trial }
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'undone'; readonly code: ErrorCode; readonly detail: string };

export const newTrial: Trial = { failedMillis: 0, crashes: 0, boots: 0 };
const mostCrashes = 3;
const mostBoots = 10;

export function stepTrial(trial: Trial, event: TrialEvent, probation: Millis): TrialStep {
  if (event.kind === 'ended') return onEnd(trial, event.sameBoot);
  const failing = event.witnesses.filter(({ works }) => !works);
  if (failing.length === 0) return { kind: 'confirmed' };
  const worst = failing.reduce((a, b) => (b.against > a.against ? b : a));
  const failedMillis = trial.failedMillis + event.since * worst.against;
  if (worst.against > 0 && failedMillis >= probation)
    return { kind: 'undone', code: worst.code, detail: worst.detail };
  return { kind: 'on', trial: { ...trial, failedMillis } };
}

/** How often is looked: often enough for a short probation, and seldom enough for a slow line. */
export function lookEvery(probation: Millis): Millis {
  return ms(Math.min(30_000, probation / 5));
}

function onEnd(trial: Trial, sameBoot: boolean): TrialStep {
  const next = sameBoot ? { ...trial, crashes: trial.crashes + 1 } : { ...trial, boots: trial.boots + 1 };
  if (next.crashes < mostCrashes && next.boots < mostBoots) return { kind: 'on', trial: next };
  const how = sameBoot
    ? `ended ${next.crashes} times`
    : `was cut off by ${next.boots} restarts of the machine`;
  return {
    kind: 'undone',
    code: 'CONFIGURATION_CRASHED',
    detail: `The agent ${how} before the centre had been reached with it.`,
  };
}

import { type Millis, ms } from '#contracts/units.ts';

/**
 * The probation of a new network configuration; pure. A new one must reach a hub within its time, or the one before
 * comes back; only time in which the one before would demonstrably have worked counts against the new one.
 *
 * ```
 *             reached                                       reached, one before never failed meanwhile
 * new ──────────────────────▶ confirmed      before ────────────────────────────────────────▶ refused
 *  │  ▲                                        │ ▲
 *  │  └── over (a general outage: nothing ─────┘ │      reached, after an outage: the new one gets
 *  │       is decided, longer turns)             │      a fair turn again, at most three times
 *  └──────────────── over ──────────────────────▶┘
 * ```
 */
export interface Trial {
  readonly version: number;
  /** Which one runs now. */
  readonly runs: 'new' | 'before';
  /** How often in a row the one before did not reach a hub either: turns grow with it. */
  readonly outages: number;
  /** How often an outage ended while the one before ran, and the new one was given another turn for it. */
  readonly again: number;
  /** How often the helper started anew during this turn: a configuration that crashes it must not gain time by it. */
  readonly starts: number;
}

export type TrialEvent =
  /** A hub was reached with the one that runs. */
  | 'reached'
  /** Its turn is over, without a hub. */
  | 'over'
  /** The helper was started anew. */
  | 'restarted';

export type TrialStep = { readonly trial: Trial } | { readonly end: 'confirmed' | 'refused' };

const mostAgain = 3;
const mostStarts = 3;
const longestGrowth = 8;

export function beginTrial(version: number): Trial {
  return { version, runs: 'new', outages: 0, again: 0, starts: 0 };
}

export function stepTrial(trial: Trial, event: TrialEvent): TrialStep {
  switch (event) {
    case 'reached':
      return trial.runs === 'new' ? { end: 'confirmed' } : beforeReached(trial);
    case 'over':
      return { trial: over(trial) };
    case 'restarted': {
      const starts = trial.starts + 1;
      if (trial.runs === 'before' || starts < mostStarts) return { trial: { ...trial, starts } };
      return { trial: over(trial) };
    }
    default:
      return { trial };
  }
}

/** How long the turn that runs may take: what was configured, longer after each round in which nothing worked. */
export function turnOf(trial: Trial, probation: Millis): Millis {
  return ms(probation * Math.min(longestGrowth, 2 ** trial.outages));
}

function over(trial: Trial): Trial {
  if (trial.runs === 'new') return { ...trial, runs: 'before', starts: 0 };
  return { ...trial, runs: 'new', outages: trial.outages + 1, starts: 0 };
}

function beforeReached(trial: Trial): TrialStep {
  // The one before worked as soon as it was back: the new one had its time, and did not.
  if (trial.outages === 0 || trial.again >= mostAgain) return { end: 'refused' };
  // There was an outage, and nobody knows whether it ended before or after the last turn of the new one.
  return { trial: { ...trial, runs: 'new', outages: 0, again: trial.again + 1, starts: 0 } };
}

import type { HealthReport } from '#contracts/health.ts';
import type { VerdictKind } from '#contracts/verdict.ts';

const members = {
  hit: 'hit',
  possible: 'possible',
  'no-record': 'noRecord',
  unresolved: 'unresolved',
  unreadable: 'unreadable',
} as const satisfies Readonly<Record<VerdictKind, keyof HealthReport['counts']>>;

/** Counts frames and final verdicts since the agent started. */
export class Counts {
  readonly #counts = { frames: 0, hit: 0, possible: 0, noRecord: 0, unresolved: 0, unreadable: 0 };

  frame(): void {
    this.#counts.frames++;
  }

  verdict(kind: VerdictKind): void {
    this.#counts[members[kind]]++;
  }

  now(): HealthReport['counts'] {
    return { ...this.#counts };
  }
}

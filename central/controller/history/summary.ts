import type { MetricName } from '#contracts/api/fleet.ts';
import { counted, type Measured } from './lines.ts';

interface Sum {
  readonly least: number;
  readonly total: number;
  readonly n: number;
  readonly most: number;
}

/** Puts what was measured in small steps into larger ones. */
export class Summary {
  readonly #isCounted: boolean;
  readonly #sums = new Map<number, Sum>();

  constructor(name: MetricName) {
    this.#isCounted = counted.has(name);
  }

  /** `at` is the beginning of the larger step. */
  add(at: number, [least, mean, most]: Measured): void {
    const sum = this.#sums.get(at);
    this.#sums.set(at, {
      least: Math.min(sum?.least ?? least, least),
      total: (sum?.total ?? 0) + mean,
      n: (sum?.n ?? 0) + 1,
      most: Math.max(sum?.most ?? most, most),
    });
  }

  /** By time. */
  steps(): [at: number, measured: Measured][] {
    return [...this.#sums]
      .sort(([a], [b]) => a - b)
      .map(([at, { least, total, n, most }]) => [
        at,
        this.#isCounted ? [total, total, total] : [least, total / n, most],
      ]);
  }
}

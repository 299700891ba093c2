import { cpus, release, totalmem } from 'node:os';

/** One measured figure. Where it is a comparison it names its rival, and the ratio is ours divided by the rival's. */
export interface Figure {
  readonly name: string;
  readonly case: string;
  readonly value: number;
  readonly unit: 'ms' | 'µs' | 'MiB' | 'B' | 'bits' | '%' | '×' | '% of a core' | 's' | '1/s' | 'count';
  readonly rival?: string;
  readonly ratio?: number;
  /** The limit that the design sets, for the reader of the table. */
  readonly target?: number;
}

export interface BenchOptions {
  /** A quick run on few samples. */
  readonly small: boolean;
  /** Fewer terminals or minutes than the benchmark would take, where it counts in them. */
  readonly terminals?: number;
  readonly minutes?: number;
  /** One of the databases alone: sqlite or postgres. */
  readonly store?: string;
  readonly folder: string;
  readonly say: (text: string) => void;
}

export type Bench = (options: BenchOptions) => Promise<Figure[]>;

export function machine(): Readonly<Record<string, string | number>> {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
}

/** The value below which `share` of the samples lie (nearest rank). */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function round(value: number): number {
  return Number(value.toPrecision(4));
}

export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    figure.case,
    `${figure.value} ${figure.unit}`,
    figure.target === undefined ? '' : `below ${figure.target}`,
    figure.rival === undefined ? '' : `${figure.ratio} × ${figure.rival}`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

import type { TerminalRow } from '#contracts/api/fleet.ts';
import type { Result } from '#contracts/result.ts';
import type { StoreFigures } from './figures.ts';

/** What of a terminal's row is counted. */
export type CountedTerminal = Pick<
  TerminalRow,
  'bureau' | 'state' | 'conditions' | 'owed' | 'configuration' | 'maintenance'
>;

/** What the lookup service has done since the start, and what it answers from. */
export interface LookupFigures {
  readonly lookups: number;
  readonly refused: number;
  readonly collectionVersion: number;
  readonly records: number;
  /** When the collection was made; undefined where there is none, or nobody knows. */
  readonly collectionDate?: string | undefined;
}

export interface CertificateFigure {
  /** A fixed word: `controller`, `lookup`, `console`. */
  readonly use: string;
  /** Unix time, in seconds. */
  readonly expires: number;
}

/** What this process uses. */
export interface ProcessFigures {
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly cpuSeconds: number;
  /** By how much the event loop was late since it was asked last: 99 of 100 times at most this, in seconds. */
  readonly lagP99Seconds: number;
  /** Unix time, in seconds. */
  readonly startedAt: number;
}

/** What is asked for at every scrape. One that fails or throws takes nothing from the others. */
export interface MetricSources {
  readonly version: string;
  /** From memory: every registered terminal. */
  readonly terminals: () => Iterable<CountedTerminal>;
  /** Of the database; `storeFigures(db)`. */
  readonly figures: () => Promise<Result<StoreFigures>>;
  readonly connected: () => boolean;
  /** Whether this process leads. */
  readonly leads: () => boolean;
  readonly store: { readonly kind: 'sqlite' | 'postgres'; readonly errors: () => number };
  readonly lookups: () => LookupFigures;
  /** When the newest edition was published; undefined or null where the centre serves none, or has none yet. */
  readonly editionDate: () => string | null | undefined;
  readonly certificates: () => readonly CertificateFigure[];
  readonly process: () => ProcessFigures;
  /** Unix time, in milliseconds. */
  readonly now: () => number;
}

/** What the rooms tell of as it happens. */
export interface Counts {
  received(items: number): void;
  doubled(items: number): void;
  lost(items: number): void;
  /** Numbers that a terminal gave up within its budget, and said so. */
  thinned(items: number): void;
  refused(channel: string, why: string, n?: number): void;
  /** From when a message arrived until it was committed, in seconds. */
  ingested(seconds: number): void;
  /** From when a report arrived until the console was told, in seconds. */
  shown(seconds: number): void;
  /** A request of the API by the name of its route, and its status. */
  request(route: string, status: number): void;
  notified(delivered: boolean): void;
}

import type { Channel } from '#contracts/topics.ts';
import type { Ignored } from './presence.ts';

/** Why something that arrived was not acted upon. */
export type Refused =
  | Ignored
  | 'unregistered'
  | 'invalid'
  | 'oversized'
  | 'unknown-topic'
  | 'ahead'
  | 'conflict'
  | 'flooding'
  | 'failed';

/** What the ingest counts; `Metrics` shows it. */
export interface Counts {
  received(items: number): void;
  doubled(items: number): void;
  lost(items: number): void;
  /** Numbers that a terminal gave up within its budget, and said so. */
  thinned(items: number): void;
  /** From when a message arrived until it was committed, in seconds. */
  ingested(seconds: number): void;
  refused(channel: Channel | 'other', why: Refused, n?: number): void;
}

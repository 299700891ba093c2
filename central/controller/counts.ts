import type { Channel } from '#contracts/topics.ts';
import type { Ignored } from './presence.ts';

/** Why something that arrived was not acted upon. */
export type Refused = Ignored | 'unregistered' | 'invalid' | 'unknown-topic' | 'ahead' | 'conflict';

/** What the ingest counts; `Metrics` shows it. */
export interface Counts {
  received(items: number): void;
  doubled(items: number): void;
  lost(items: number): void;
  refused(channel: Channel | 'other', why: Refused, n?: number): void;
}

import type { Uuid } from '#contracts/names.ts';
import type { OutboxBatch, OutboxEntry, OwedItem } from '#contracts/outbox.ts';
import type { Result } from '#contracts/result.ts';

/** When something happened, as this terminal knows it. */
export type OwedStamp = Pick<OutboxEntry, 'at' | 'clock'>;

/** Entries that follow one another without a hole, and the lowest number that is still kept. */
export type OwedBatch = Pick<OutboxBatch, 'oldest' | 'entries'>;

/** What this terminal owes to the centre, in its store: one stream of numbered items. */
export interface OutboxPort {
  /** The stream's id: made with the store, so that a wiped terminal begins a new stream. */
  stream(): Uuid;
  /**
   * Adds an item and gives its number. Called inside a transaction that its caller commits, so that the item and the
   * audit entry are one durable change; it never commits by itself. Numbers rise by one and are never used twice.
   */
  owe(item: OwedItem, stamp: OwedStamp): number;
  /**
   * The lowest entries from `fromSeq` on (default: the lowest kept), at most `limit` of them and about 32 KiB, or
   * undefined where there is none. An entry that cannot be read any more is replaced by an `item-damaged` with its
   * number. The fault is the store's.
   */
  batch(limit: number, fromSeq?: number): Result<OwedBatch | undefined>;
  /**
   * Forgets all up to and including `through`, in one durable transaction, and gives the number of entries forgotten.
   * Called only when the controller itself has said that it stored them.
   */
  acknowledge(through: number): Result<number>;
  /** How many numbers wait; those of thinned items are among them. */
  depth(): number;
  /** Whether metrics were given up for want of space and the centre does not know it yet. */
  thinned(): boolean;
  /** When the oldest item that waits happened. */
  oldestAt(): string | undefined;
  /** Calls `listener` soon after items were added, when their transaction is over; the answer ends it. */
  onOwed(listener: () => void): () => void;
}

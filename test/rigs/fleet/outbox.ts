import { randomUUID } from 'node:crypto';
import type { Outbox, OwedBatch, OwedStamp } from '#agent/outbox/index.ts';
import type { OutboxEntry, OwedItem } from '#contracts/outbox.ts';
import { ok, type Result } from '#contracts/result.ts';

/** A batch ends after the entry that passes this, like that of the real one. */
const batchBytes = 32_768;

/**
 * What a played terminal owes, in memory: 10,000 databases would measure the machine's disk and not the centre. It keeps
 * the contract of the real outbox but for surviving its process.
 */
export class PlayedOutbox implements Outbox {
  readonly #stream = randomUUID();
  readonly #listeners = new Set<() => void>();
  #entries: OutboxEntry[] = [];
  #next = 1;
  /** Items that were ever owed, and those that the controller has acknowledged. */
  owedEver = 0;
  acknowledgedEver = 0;

  stream(): string {
    return this.#stream;
  }

  owe(item: OwedItem, stamp: OwedStamp): number {
    const seq = this.#next++;
    this.#entries.push({ seq, ...stamp, item });
    this.owedEver++;
    for (const listener of this.#listeners) queueMicrotask(listener);
    return seq;
  }

  batch(limit: number, fromSeq = 1): Result<OwedBatch | undefined> {
    const oldest = this.#entries[0]?.seq;
    if (oldest === undefined) return ok(undefined);
    const entries: OutboxEntry[] = [];
    let size = 0;
    for (const entry of this.#entries) {
      if (entry.seq < fromSeq) continue;
      if (entries.length >= limit || size > batchBytes) break;
      size += JSON.stringify(entry.item).length;
      entries.push(entry);
    }
    return ok(entries.length === 0 ? undefined : { oldest, entries });
  }

  acknowledge(through: number): Result<number> {
    const kept = this.#entries.filter(({ seq }) => seq > through);
    const forgotten = this.#entries.length - kept.length;
    this.#entries = kept;
    this.acknowledgedEver += forgotten;
    return ok(forgotten);
  }

  /** The highest number that was ever owed; 0 where there was none. */
  get last(): number {
    return this.#next - 1;
  }

  depth(): number {
    return this.#entries.length;
  }

  thinned(): boolean {
    return false;
  }

  oldestAt(): string | undefined {
    return this.#entries[0]?.at;
  }

  onOwed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

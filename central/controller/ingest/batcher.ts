import { ok, type Result } from '#contracts/result.ts';
import type { Db, WriteTx } from '../../store/index.ts';

interface Job {
  readonly terminal: string;
  readonly work: (tx: WriteTx) => Promise<void>;
  readonly done: (result: Result<void>) => void;
  readonly broken: (thrown: unknown) => void;
}

/** So many messages share one transaction, and so one sync to disk. */
const mostAtOnce = 64;

/**
 * Puts what arrives together into one transaction: each message is answered when that is committed. Messages of one
 * terminal keep their order. A message that breaks the transaction is found by doing each alone.
 */
export class Batcher {
  readonly #db: Db;
  #queue: Job[] = [];
  #running = false;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** `work` may run more than once: it changes nothing but the database. Rejects only with what `work` threw. */
  run<T>(terminal: string, work: (tx: WriteTx) => Promise<T>): Promise<Result<T>> {
    return new Promise((resolve, reject) => {
      let value: { readonly of: T } | undefined;
      this.#queue.push({
        terminal,
        work: async (tx) => {
          value = { of: await work(tx) };
        },
        done(result) {
          if (!result.ok) resolve(result);
          else if (value !== undefined) resolve(ok(value.of));
        },
        broken: reject,
      });
      if (!this.#running) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#running = true;
    // What arrives in the same turn of the loop belongs together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, mostAtOnce);
      this.#queue = this.#queue.slice(mostAtOnce);
      await this.#attempt(batch);
      // SQLite answers without a pause: let timers and sockets have their turn.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#running = false;
  }

  async #attempt(batch: readonly Job[]): Promise<void> {
    const alone = batch.length === 1;
    let result: Result<void> | undefined;
    try {
      result = await this.#db.transaction(async (tx) => {
        // Always in the same order, so that two controllers do not lock each other out.
        for (const terminal of [...new Set(batch.map((job) => job.terminal))].sort())
          await tx.lock(`terminal:${terminal}`);
        for (const job of batch) await job.work(tx);
      });
    } catch (thrown) {
      if (alone) return batch[0]?.broken(thrown);
    }
    if (result !== undefined && (result.ok || alone || result.fault.code !== 'STORE_FAILED')) {
      for (const job of batch) job.done(result);
      return;
    }
    for (const job of batch) await this.#attempt([job]);
  }
}

import type { OwedItem } from '#contracts/outbox.ts';
import type { Bytes } from '#contracts/units.ts';
import type { Store } from '../store/index.ts';

export interface ThinningParts {
  readonly store: Store;
  readonly budget: Bytes;
  readonly seal: (seq: number, item: OwedItem) => Buffer;
}

/** What a row takes beside its sealed bytes: times, places in the table and in its index. */
const rowBytes = 96;
/** So many rows are looked at in one transaction, so that no frame waits for long behind it. */
const stride = 128;
/** Where the pass over the metrics stands: it goes on there, so that all of the time is thinned alike. */
const cursorKey = 'outbox.thinned';

interface Row {
  readonly seq: number;
  readonly stands: number;
  readonly class: string;
  readonly size: number;
}

const columns = 'seq, stands, class, length(sealed) AS size';

/**
 * Keeps the outbox within its budget: above it every second metric is given up, from the oldest on, pass after pass, so
 * that a month without a link stays a history, only a coarser one; where there are no metrics left, the oldest events
 * go. A run of what was given up becomes one row. What is `kept` stays, whatever it takes.
 */
export class Thinning {
  readonly #parts: ThinningParts;
  /** An estimate: what was rolled back is in it until it matters. */
  #bytes: number;
  /** Nothing was left to give up: not looked for again before something comes or goes. */
  #spent = false;

  constructor(parts: ThinningParts) {
    this.#parts = parts;
    this.#bytes = this.#measure();
  }

  added(sealed: number): void {
    this.#bytes += sealed + rowBytes;
    this.#spent = false;
  }

  removed(rows: readonly { readonly sealed: Buffer }[]): void {
    for (const { sealed } of rows) this.#bytes -= sealed.length + rowBytes;
    this.#spent = false;
  }

  /** Gives up what must be; never called inside a transaction. */
  run(): void {
    const { store, budget } = this.#parts;
    if (this.#spent || this.#bytes <= budget) return;
    // A store that cannot be written says so elsewhere; it is tried again when something is owed next.
    const measured = store.transaction(() => this.#measure());
    if (!measured.ok) return;
    this.#bytes = measured.value;
    this.#thin();
  }

  /** A stride at a time, each in a transaction of its own. */
  #thin(): void {
    if (this.#bytes <= this.#parts.budget) return;
    const freed = this.#parts.store.transaction(() => this.#thinMetrics() + this.#dropEvents());
    if (!freed.ok) return;
    this.#spent = freed.value === 0;
    this.#bytes -= freed.value;
    if (!this.#spent) setImmediate(() => this.#thin());
  }

  /** Every second metric of the next stride; how many bytes that gave. */
  #thinMetrics(): number {
    const { store } = this.#parts;
    const from = Number(store.meta(cursorKey) ?? '0');
    let rows = this.#oldest('metric', from, stride);
    if (rows.length < 2 && from > 0) rows = this.#oldest('metric', 0, stride);
    // The last one is kept: what it was like at the end of the outage is worth most.
    if (rows.length < 2) return 0;
    const given = rows.filter((_, i) => i % 2 === 0 && i < rows.length - 1);
    store.setMeta(cursorKey, String(rows.at(-1)?.seq ?? 0));
    return this.#giveUp(given);
  }

  /** The oldest events, where no metric is left to be given up. */
  #dropEvents(): number {
    if (this.#oldest('metric', 0, 2).length > 1) return 0;
    return this.#giveUp(this.#oldest('event', 0, stride));
  }

  #oldest(kind: 'metric' | 'event', after: number, limit: number): Row[] {
    return this.#parts.store.all<Row>(
      `SELECT ${columns} FROM outbox WHERE class = ? AND seq > ? ORDER BY seq LIMIT ?`,
      kind,
      after,
      limit,
    );
  }

  #giveUp(rows: readonly Row[]): number {
    return rows.reduce((freed, row) => freed + this.#replace(row), 0);
  }

  /** One row stands for it and for what was given up just before and just after it; the bytes that this gave. */
  #replace({ seq, size }: Row): number {
    const { store, seal } = this.#parts;
    const beside = (order: 'before' | 'after'): Row | undefined => {
      const row = store.get<Row>(
        order === 'before'
          ? `SELECT ${columns} FROM outbox WHERE seq < ? ORDER BY seq DESC LIMIT 1`
          : `SELECT ${columns} FROM outbox WHERE seq > ? ORDER BY seq LIMIT 1`,
        seq,
      );
      return row?.class === 'thinned' ? row : undefined;
    };
    const before = beside('before');
    const after = beside('after');
    const last = after?.seq ?? seq;
    const count = 1 + (before?.stands ?? 0) + (after?.stands ?? 0);
    if (before !== undefined) store.run('DELETE FROM outbox WHERE seq = ?', before.seq);
    if (after !== undefined) store.run('DELETE FROM outbox WHERE seq = ?', seq);
    const sealed = seal(last, { kind: 'thinned', count });
    store.run(
      "UPDATE outbox SET class = 'thinned', stands = ?, sealed = ? WHERE seq = ?",
      count,
      sealed,
      last,
    );
    const gone = [before, after].filter((row) => row !== undefined);
    const freed = gone.reduce((sum, row) => sum + row.size + rowBytes, size);
    return freed - sealed.length;
  }

  #measure(): number {
    const sql = `SELECT coalesce(sum(length(sealed) + ${rowBytes}), 0) AS bytes FROM outbox`;
    return this.#parts.store.get<{ bytes: number }>(sql)?.bytes ?? 0;
  }
}

import { type KeyObject, randomFillSync } from 'node:crypto';
import type { Uuid } from '#contracts/names.ts';
import { outboxClass, type OutboxEntry, type OwedItem } from '#contracts/outbox.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Bytes, bytes } from '#contracts/units.ts';
import { type Clock, systemClock } from '#runtime/clock.ts';
import { systemCode, toError } from '#runtime/errors.ts';
import { uuid7 } from '#runtime/uuid.ts';
import type { Store } from '../store/index.ts';
import { openRow, type OutboxRow, sealItem } from './entry.ts';
import type { OutboxPort, OwedBatch, OwedStamp } from './ports.ts';
import { Thinning } from './thinning.ts';

export interface OutboxParts {
  readonly store: Store;
  /** AES-256 key of this terminal. */
  readonly sealingKey: KeyObject;
  /** For the time in the stream's id only. */
  readonly clock?: Clock;
  /** Above this, metrics and then events are given up (contracts/outbox.ts); 64 MB where left out. */
  readonly budget?: Bytes;
}

/** Where the stream's id is kept in the store's `meta`. */
const streamKey = 'outbox.stream';
/** Under this and the number, base64, the bytes of entries that could not be read. */
const damagedKey = 'outbox.damaged.';
/** So that a wrong sealing key on a deep outbox does not fill `meta` for ever. */
const mostDamagedKept = 1000;

/** A batch ends after the entry that passes this: on 64 kbit/s it is four seconds of line. */
const batchBytes = 32_768;
const defaultBudget = bytes(64_000_000);

/** Opens the outbox of this store; throws the store's fault where a new stream cannot be begun in it. */
export function createOutbox(parts: OutboxParts): OutboxPort {
  const stream = streamOf(parts.store, parts.clock ?? systemClock);
  const thinning = new Thinning({
    store: parts.store,
    budget: parts.budget ?? defaultBudget,
    seal: (seq, item) => sealItem(parts.sealingKey, stream, seq, item),
  });
  return new Outbox(parts.store, parts.sealingKey, stream, thinning);
}

function streamOf(store: Store, clock: Clock): Uuid {
  const kept = store.meta(streamKey);
  if (kept !== undefined) return kept;
  const fresh = uuid7(clock.wall(), (bytes) => randomFillSync(bytes));
  const made = store.transaction(() => store.setMeta(streamKey, fresh));
  if (!made.ok) throw toError(made.fault);
  return fresh;
}

class Outbox implements OutboxPort {
  readonly #store: Store;
  readonly #key: KeyObject;
  readonly #stream: Uuid;
  readonly #listeners = new Set<() => void>();
  readonly #thinning: Thinning;
  #announced = false;

  constructor(store: Store, key: KeyObject, stream: Uuid, thinning: Thinning) {
    this.#store = store;
    this.#key = key;
    this.#stream = stream;
    this.#thinning = thinning;
  }

  stream(): Uuid {
    return this.#stream;
  }

  owe(item: OwedItem, stamp: OwedStamp): number {
    // SQLite keeps the highest number ever used of an AUTOINCREMENT table in a table of its own, which takes part in
    // the transaction: a roll-back leaves no hole, and an empty outbox does not begin again at 1.
    const used = this.#store.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
    const seq = (used?.seq ?? 0) + 1;
    const sealed = sealItem(this.#key, this.#stream, seq, item);
    this.#store.run(
      'INSERT INTO outbox (seq, at, clock, sealed, class) VALUES (?, ?, ?, ?, ?)',
      seq,
      stamp.at,
      stamp.clock,
      sealed,
      outboxClass(item.kind),
    );
    this.#thinning.added(sealed.length);
    this.#announce();
    return seq;
  }

  batch(limit: number, fromSeq = 1): Result<OwedBatch | undefined> {
    let oldest: number | null;
    let rows: OutboxRow[];
    try {
      ({ oldest } = this.#ends());
      rows = this.#rows('seq >= ? ORDER BY seq LIMIT ?', fromSeq, limit);
    } catch (cause) {
      // Not a transaction: what is on disk can still be sent when writing has failed for good.
      return fail('STORE_FAILED', `The outbox cannot be read (${systemCode(cause) ?? 'unknown'}).`, cause);
    }
    if (oldest === null) return ok(undefined);
    const entries: OutboxEntry[] = [];
    let size = 0;
    for (const row of rows) {
      if (size > batchBytes) break;
      size += row.sealed.length;
      entries.push(openRow(this.#key, this.#stream, row).entry);
    }
    return ok(entries.length === 0 ? undefined : { oldest, entries });
  }

  acknowledge(through: number): Result<number> {
    return this.#store.transaction(() => {
      const rows = this.#rows('seq <= ?', through);
      this.#keepDamaged(rows);
      this.#thinning.removed(rows);
      return this.#store.run('DELETE FROM outbox WHERE seq <= ?', through);
    });
  }

  depth(): number {
    // Without holes, the two ends give it; counting would read every row of a long outage, every few seconds.
    const { oldest, newest } = this.#ends();
    return oldest === null || newest === null ? 0 : newest - oldest + 1;
  }

  thinned(): boolean {
    return (
      this.#store.get<{ one: number }>("SELECT 1 AS one FROM outbox WHERE class = 'thinned' LIMIT 1") !==
      undefined
    );
  }

  oldestAt(): string | undefined {
    return this.#store.get<{ at: string }>('SELECT at FROM outbox ORDER BY seq LIMIT 1')?.at;
  }

  onOwed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Transactions are synchronous, so that by the next turn of the loop this one is on disk or rolled back. */
  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    setImmediate(() => {
      this.#announced = false;
      this.#thinning.run();
      for (const listener of this.#listeners) listener();
    });
  }

  #ends(): { oldest: number | null; newest: number | null } {
    // Two subqueries: SQLite finds one end of an index without a scan, but not both in one query.
    return (
      this.#store.get<{ oldest: number | null; newest: number | null }>(
        `SELECT (SELECT seq - stands + 1 FROM outbox ORDER BY seq LIMIT 1) AS oldest,
                (SELECT max(seq) FROM outbox) AS newest`,
      ) ?? { oldest: null, newest: null }
    );
  }

  #rows(where: string, ...values: number[]): OutboxRow[] {
    return this.#store.all<OutboxRow>(`SELECT seq, at, clock, sealed FROM outbox WHERE ${where}`, ...values);
  }

  /** With the right key or a newer release, somebody may still read them: a number is forgotten, evidence is not. */
  #keepDamaged(rows: readonly OutboxRow[]): void {
    const damaged = rows.filter((row) => openRow(this.#key, this.#stream, row).damage !== undefined);
    if (damaged.length === 0) return;
    const kept =
      this.#store.get<{ n: number }>(
        'SELECT count(*) AS n FROM meta WHERE key >= ? AND key < ?',
        damagedKey,
        `${damagedKey}~`,
      )?.n ?? 0;
    for (const row of damaged.slice(0, Math.max(0, mostDamagedKept - kept))) {
      this.#store.setMeta(`${damagedKey}${row.seq}`, row.sealed.toString('base64'));
    }
  }
}

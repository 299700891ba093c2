import { isDeepStrictEqual } from 'node:util';
import type { OutboxBatch, OutboxEntry } from '#contracts/outbox.ts';
import type { ControllerStore } from './store.ts';

/** What became of a batch. */
export interface Delivery {
  /** The highest number up to which everything has been stored, or is known to be lost. */
  readonly through: number;
  /** Ids of the items that are new, in order. */
  readonly stored: readonly number[];
  /** Lookups whose alert has another acknowledgement or confirmation now. */
  readonly touched: readonly string[];
  /** Entries that had arrived before. */
  readonly doubled: number;
  /** Entries that do not follow what has arrived: the terminal still keeps what comes before them, and sends it. */
  readonly ahead: number;
  /** Numbers that the terminal no longer keeps and that never arrived. */
  readonly lost: number;
  /** Entries under a number that arrived before with another content. */
  readonly conflicts: number;
  /** The terminal began a new store. */
  readonly restarted: boolean;
}

/**
 * Stores what is new of a batch; called inside a transaction. An entry is stored only where its number follows the last
 * one of its stream, so that a batch that is repeated, reordered or cut stores nothing twice and leaves no hole
 * (contracts/outbox.ts). `oldest` above what is missing tells that it is missing for good: the gap is recorded and the
 * stream goes on behind it.
 */
export function storeBatch(
  store: ControllerStore,
  terminal: string,
  batch: OutboxBatch,
  now: string,
): Delivery {
  const known = store.get<{ through: number }>(
    'SELECT through FROM streams WHERE terminal = ? AND stream = ?',
    terminal,
    batch.stream,
  );
  let through = known?.through ?? 0;
  let lost = 0;
  // What the batch itself brings is not lost, whatever `oldest` says.
  const next = Math.min(batch.oldest, batch.entries[0]?.seq ?? batch.oldest);
  if (next > through + 1) {
    lost = next - 1 - through;
    store.run(
      'INSERT INTO lost_items VALUES (?, ?, ?, ?, ?)',
      terminal,
      batch.stream,
      through + 1,
      next - 1,
      now,
    );
    through = next - 1;
  }
  const stored: number[] = [];
  const touched = new Set<string>();
  let doubled = 0;
  let ahead = 0;
  let conflicts = 0;
  let restarted = false;
  for (const entry of batch.entries) {
    if (entry.seq > through + 1) {
      ahead++;
    } else if (entry.seq <= through) {
      doubled++;
      if (conflictsWithStored(store, terminal, batch.stream, entry, now)) conflicts++;
    } else {
      through = entry.seq;
      stored.push(storeEntry(store, terminal, batch.stream, entry, now));
      const { item } = entry;
      if (item.kind === 'hit-acknowledged' || item.kind === 'confirmation') touched.add(item.lookup);
      if (item.kind === 'store-replaced') restarted = true;
    }
  }
  if (through !== (known?.through ?? 0)) {
    store.run('INSERT OR REPLACE INTO streams VALUES (?, ?, ?)', terminal, batch.stream, through);
  }
  return { through, stored, touched: [...touched], doubled, ahead, lost, conflicts, restarted };
}

function storeEntry(
  store: ControllerStore,
  terminal: string,
  stream: string,
  entry: OutboxEntry,
  now: string,
): number {
  const { item } = entry;
  const row = store.get<{ id: number }>(
    `INSERT INTO items (terminal, stream, seq, received_at, kind, lookup, training, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    terminal,
    stream,
    entry.seq,
    now,
    item.kind,
    'lookup' in item ? item.lookup : null,
    item.kind === 'hit' && item.training ? 1 : 0,
    JSON.stringify(entry),
  );
  return row?.id ?? 0;
}

/**
 * A number that arrives a second time must say the same. It does not where two machines run with one copied store: what
 * the second says is kept beside, so that it is not lost. An item that the terminal can no longer read is no conflict.
 */
function conflictsWithStored(
  store: ControllerStore,
  terminal: string,
  stream: string,
  entry: OutboxEntry,
  now: string,
): boolean {
  if (entry.item.kind === 'item-damaged') return false;
  const before = store.get<{ body: string }>(
    'SELECT body FROM items WHERE terminal = ? AND stream = ? AND seq = ?',
    terminal,
    stream,
    entry.seq,
  );
  // Within a recorded gap there is nothing to compare with; what arrives late all the same is kept beside as well.
  if (before !== undefined && isDeepStrictEqual(JSON.parse(before.body), entry)) return false;
  const isNew = store.run(
    'INSERT OR IGNORE INTO conflicts (terminal, stream, seq, received_at, body) VALUES (?, ?, ?, ?, ?)',
    terminal,
    stream,
    entry.seq,
    now,
    JSON.stringify(entry),
  );
  return before !== undefined && isNew > 0;
}

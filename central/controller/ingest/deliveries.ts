import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { firstOf, type OutboxBatch, type OutboxEntry } from '#contracts/outbox.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import type { WriteTx } from '../../store/index.ts';

/** What became of a batch. */
export interface Delivery {
  /** The highest number up to which everything has been stored, or is known to be lost. */
  readonly through: number;
  /** What is new, in order, each under the number that the controller gave it; 0 where it is not kept as an item. */
  readonly stored: readonly { readonly id: number; readonly entry: OutboxEntry }[];
  /** Lookups whose hit has another acknowledgement or confirmation now. */
  readonly touched: readonly string[];
  /** Entries that had arrived before. */
  readonly doubled: number;
  /** Entries that do not follow what has arrived: the terminal still keeps what comes before them, and sends it. */
  readonly ahead: number;
  /** Numbers that the terminal gave up for want of space, and said so: no loss. */
  readonly thinned: number;
  /** Numbers that the terminal no longer keeps and that never arrived. */
  readonly lost: number;
  /** Entries under a number that arrived before with another content. */
  readonly conflicts: number;
  /** The terminal began a new store. */
  readonly restarted: boolean;
}

/**
 * Stores what is new of a batch; called inside a transaction with the terminal locked. An entry is stored only where its
 * number follows the last one of its stream, so that a batch that is repeated, reordered or cut stores nothing twice and
 * leaves no hole (contracts/outbox.ts). `oldest` above what is missing tells that it is missing for good: the gap is
 * recorded and the stream goes on behind it.
 */
export async function storeBatch(
  tx: WriteTx,
  from: RegisteredTerminal,
  batch: OutboxBatch,
  now: string,
): Promise<Delivery> {
  const { terminal } = from;
  const { stream } = batch;
  const known = await tx.get<{ through: number }>(
    'SELECT through FROM streams WHERE terminal = ? AND stream = ?',
    terminal,
    stream,
  );
  let through = known?.through ?? 0;
  let lost = 0;
  // What the batch itself brings is not lost, whatever `oldest` says.
  const [first] = batch.entries;
  const next = Math.min(batch.oldest, first === undefined ? batch.oldest : firstOf(first));
  if (next > through + 1) {
    lost = next - 1 - through;
    await tx.run(
      'INSERT INTO lost_items (terminal, stream, from_seq, to_seq, at) VALUES (?, ?, ?, ?, ?)',
      terminal,
      stream,
      through + 1,
      next - 1,
      now,
    );
    through = next - 1;
  }
  const stored: { id: number; entry: OutboxEntry }[] = [];
  const touched = new Set<string>();
  let doubled = 0;
  let thinned = 0;
  let ahead = 0;
  let conflicts = 0;
  // A store that was wiped says nothing of it but by its new stream.
  let restarted = known === undefined && (await hasOtherStream(tx, terminal, stream));
  for (const entry of batch.entries) {
    if (firstOf(entry) > through + 1) {
      ahead++;
    } else if (entry.seq <= through) {
      doubled++;
      if (await conflictsWithStored(tx, terminal, stream, entry, now)) conflicts++;
    } else {
      const { item } = entry;
      if (item.kind === 'thinned') thinned += entry.seq - through;
      through = entry.seq;
      const id = isKept(entry) ? await storeEntry(tx, from, stream, entry, now) : 0;
      stored.push({ id, entry });
      if (item.kind === 'hit-acknowledged' || item.kind === 'confirmation') touched.add(item.lookup);
      if (item.kind === 'store-replaced') restarted = true;
    }
  }
  if (through !== (known?.through ?? 0)) {
    await tx.run(
      `INSERT INTO streams (terminal, stream, through) VALUES (?, ?, ?)
       ON CONFLICT (terminal, stream) DO UPDATE SET through = excluded.through`,
      terminal,
      stream,
      through,
    );
  }
  return { through, stored, touched: [...touched], doubled, thinned, ahead, lost, conflicts, restarted };
}

async function hasOtherStream(tx: WriteTx, terminal: string, stream: string): Promise<boolean> {
  const sql = 'SELECT stream FROM streams WHERE terminal = ? AND stream <> ? LIMIT 1';
  return (await tx.get(sql, terminal, stream)) !== undefined;
}

/** Metrics become history, and what was given up says nothing more than that it was. */
function isKept({ item }: OutboxEntry): boolean {
  return item.kind !== 'metric' && item.kind !== 'thinned';
}

async function storeEntry(
  tx: WriteTx,
  { terminal, bureau, site }: RegisteredTerminal,
  stream: string,
  entry: OutboxEntry,
  now: string,
): Promise<number> {
  const { item } = entry;
  const row = await tx.get<{ id: number }>(
    `INSERT INTO items (terminal, bureau, site, stream, seq, received_at, kind, lookup, training, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    terminal,
    bureau,
    site,
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
async function conflictsWithStored(
  tx: WriteTx,
  terminal: string,
  stream: string,
  entry: OutboxEntry,
  now: string,
): Promise<boolean> {
  if (entry.item.kind === 'item-damaged' || !isKept(entry)) return false;
  const before = await tx.get<{ body: string }>(
    'SELECT body FROM items WHERE terminal = ? AND stream = ? AND seq = ?',
    terminal,
    stream,
    entry.seq,
  );
  // Within a recorded gap there is nothing to compare with; what arrives late all the same is kept beside as well.
  if (before !== undefined && isDeepStrictEqual(JSON.parse(before.body), entry)) return false;
  const body = JSON.stringify(entry);
  const isNew = await tx.run(
    `INSERT INTO conflicts (terminal, stream, seq, digest, received_at, body) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (terminal, stream, seq, digest) DO NOTHING`,
    terminal,
    stream,
    entry.seq,
    createHash('sha256').update(body).digest('hex'),
    now,
    body,
  );
  return before !== undefined && isNew > 0;
}

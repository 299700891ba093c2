import type { Result } from '#contracts/result.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Db, Tx } from '../store/index.ts';

/** What the database is asked at every scrape, of the tables of several rooms at once. */
export interface StoreFigures {
  readonly alerts: readonly {
    readonly severity: string;
    readonly acknowledged: number;
    readonly n: number;
  }[];
  /** Hits that no officer has acknowledged, without those of training, and when the oldest arrived. */
  readonly hits: { readonly n: number; readonly oldest: string | null };
  /** Commands of the last 24 hours. */
  readonly commands: readonly { readonly state: string; readonly n: number }[];
  readonly wavesRunning: number;
  /** Deliveries of notifications that wait, some of them for another try. */
  readonly deliveriesWaiting: number;
}

const day = 86_400_000;

/** Asks all of it; each statement goes through an index, or through a table that stays small. */
export function storeFigures(db: Db, clock: Pick<Clock, 'wall'>): Promise<Result<StoreFigures>> {
  return db.read(async (tx) => ({
    alerts: await tx.all<{ severity: string; acknowledged: number; n: number }>(
      // `state <> 'closed'` are the words of the index of those that stand.
      `SELECT severity, CASE WHEN acknowledged_at IS NULL THEN 0 ELSE 1 END AS acknowledged, count(*) AS n
       FROM alerts WHERE state <> 'closed' AND state = 'open' GROUP BY 1, 2`,
    ),
    hits: await hits(tx),
    commands: await tx.all<{ state: string; n: number }>(
      'SELECT state, count(*) AS n FROM commands WHERE id >= ? GROUP BY state',
      firstIdAt(clock.wall() - day),
    ),
    wavesRunning: await count(tx, "SELECT count(*) AS n FROM waves WHERE state = 'running'"),
    deliveriesWaiting: await count(tx, "SELECT count(*) AS n FROM deliveries WHERE state = 'waiting'"),
  }));
}

async function hits(tx: Tx): Promise<StoreFigures['hits']> {
  const row = await tx.get<{ n: number; oldest: string | null }>(
    `SELECT count(*) AS n, min(i.received_at) AS oldest FROM items i
     WHERE i.kind = 'hit' AND i.training = 0 AND NOT EXISTS (SELECT 1 FROM items o
       WHERE o.terminal = i.terminal AND o.lookup = i.lookup AND o.kind = 'hit-acknowledged')`,
  );
  return row ?? { n: 0, oldest: null };
}

async function count(tx: Tx, sql: string): Promise<number> {
  return (await tx.get<{ n: number }>(sql))?.n ?? 0;
}

/** Ids are UUIDs of version 7: they begin with their time (RFC 9562 section 5.7). */
function firstIdAt(at: number): string {
  const hex = Math.max(0, at).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`;
}

import type { HitRow } from '#contracts/api/fleet.ts';
import type { HitItem, OutboxEntry } from '#contracts/outbox.ts';
import type { Result } from '#contracts/result.ts';
import type { Db, SqlValue, Tx } from '../../store/index.ts';

/** Which hits; left out: all. */
export interface HitQuery {
  readonly terminal?: string;
  readonly site?: string;
  readonly bureau?: string;
  /** Only those that no officer has acknowledged, without those of training. */
  readonly open?: boolean;
  /** Only those with a lower id: the last of the page before. */
  readonly before?: number;
  readonly limit: number;
}

interface StoredHit {
  readonly id: number;
  readonly terminal: string;
  readonly bureau: string;
  readonly site: string;
  readonly received_at: string;
  readonly body: string;
  readonly acknowledged: string | null;
  readonly confirmation: string | null;
}

/** The last acknowledgement and the last confirmation of a lookup count. */
const columns = `i.id, i.terminal, i.bureau, i.site, i.received_at, i.body,
  (SELECT a.body FROM items a
   WHERE a.terminal = i.terminal AND a.lookup = i.lookup AND a.kind = 'hit-acknowledged'
   ORDER BY a.id DESC LIMIT 1) AS acknowledged,
  (SELECT c.body FROM items c
   WHERE c.terminal = i.terminal AND c.lookup = i.lookup AND c.kind = 'confirmation'
   ORDER BY c.id DESC LIMIT 1) AS confirmation`;
const isOpen = `i.training = 0 AND NOT EXISTS (SELECT 1 FROM items o
  WHERE o.terminal = i.terminal AND o.lookup = i.lookup AND o.kind = 'hit-acknowledged')`;

/** The hits of the database as operators see them. */
export class Hits {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** The latest first. */
  page(query: HitQuery): Promise<Result<HitRow[]>> {
    const where = ["i.kind = 'hit'"];
    const values: SqlValue[] = [];
    for (const name of ['terminal', 'site', 'bureau'] as const) {
      const value = query[name];
      if (value === undefined) continue;
      where.push(`i.${name} = ?`);
      values.push(value);
    }
    if (query.before !== undefined) {
      where.push('i.id < ?');
      values.push(query.before);
    }
    if (query.open === true) where.push(isOpen);
    return this.#db.read((tx) =>
      select(tx, `WHERE ${where.join(' AND ')} ORDER BY i.id DESC LIMIT ?`, ...values, query.limit),
    );
  }

  /** These hits, in order. */
  byIds(ids: readonly number[]): Promise<Result<HitRow[]>> {
    const places = ids.map(() => '?').join(', ');
    return this.#db.read((tx) =>
      select(tx, `WHERE i.kind = 'hit' AND i.id IN (${places}) ORDER BY i.id`, ...ids),
    );
  }

  /** Hits that no officer has acknowledged; those of training do not count. */
  unacknowledged(): Promise<Result<number>> {
    return this.#db.read(async (tx) => {
      const row = await tx.get<{ n: number }>(
        `SELECT count(*) AS n FROM items i WHERE i.kind = 'hit' AND ${isOpen}`,
      );
      return row?.n ?? 0;
    });
  }
}

async function select(tx: Tx, rest: string, ...values: readonly SqlValue[]): Promise<HitRow[]> {
  const rows = await tx.all<StoredHit>(`SELECT ${columns} FROM items i ${rest}`, ...values);
  return rows.flatMap(hitRow);
}

function hitRow(row: StoredHit): HitRow[] {
  // Our own words: each body was parsed by its schema before it was stored.
  const entry = JSON.parse(row.body) as OutboxEntry;
  const acknowledged = row.acknowledged === null ? undefined : (JSON.parse(row.acknowledged) as OutboxEntry);
  const confirmation = row.confirmation === null ? undefined : (JSON.parse(row.confirmation) as OutboxEntry);
  if (entry.item.kind !== 'hit') return [];
  return [
    {
      id: row.id,
      terminal: row.terminal,
      bureau: row.bureau,
      site: row.site,
      at: entry.at,
      clock: entry.clock,
      receivedAt: row.received_at,
      hit: masked(entry.item),
      acknowledged:
        acknowledged?.item.kind === 'hit-acknowledged'
          ? { at: acknowledged.at, outcome: acknowledged.item.outcome, officer: acknowledged.item.officer }
          : null,
      confirmation: confirmation?.item.kind === 'confirmation' ? confirmation.item.result : null,
    },
  ];
}

/** The item without its number but for the last three characters; the number of a look-alike is left out. */
function masked(item: HitItem): HitItem {
  return {
    ...item,
    document: { ...item.document, documentNumber: maskedNumber(item.document.documentNumber) },
    matches: item.matches.map(({ kind, record }) => ({ kind, record })),
  };
}

/** A number of three characters or fewer shows none of them. */
export function maskedNumber(number: string): string {
  const shown = number.length > 3 ? number.slice(-3) : '';
  return `${'•'.repeat(number.length - shown.length)}${shown}`;
}

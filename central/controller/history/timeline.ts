import type { TimelineEvent } from '#contracts/api/fleet.ts';
import type { Result } from '#contracts/result.ts';
import type { Db, SqlValue, WriteTx } from '../../store/index.ts';

/** Something that happened, to be kept on the time line. */
export interface NewEvent {
  readonly at: string;
  /** Null where it is of the centre. */
  readonly terminal: string | null;
  readonly site: string | null;
  readonly bureau: string | null;
  readonly kind: TimelineEvent['kind'];
  /** In words, without personal data; what is longer than 500 characters is cut. */
  readonly text: string;
  readonly severity: TimelineEvent['severity'];
  /** The terminal's own time, where it is known. */
  readonly deviceAt?: string;
}

/** The terminal's time is worth showing where it differs by more than this from when the word arrived. */
const sameTime = 60_000;
const longestText = 500;

/** Writes an event in the transaction of what happened, and announces it as `event` with its id. */
export async function addEvent(tx: WriteTx, event: NewEvent): Promise<void> {
  const { at, deviceAt } = event;
  const differs = deviceAt !== undefined && Math.abs(Date.parse(deviceAt) - Date.parse(at)) > sameTime;
  const row = await tx.get<{ id: number }>(
    `INSERT INTO events (at, terminal, site, bureau, kind, text, severity, device_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    at,
    event.terminal,
    event.site,
    event.bureau,
    event.kind,
    event.text.slice(0, longestText),
    event.severity,
    differs ? deviceAt : null,
  );
  tx.announce('event', String(row?.id ?? 0));
}

/** Which events; left out: all. */
export interface EventQuery {
  readonly terminal?: string;
  readonly site?: string;
  readonly bureau?: string;
  readonly kind?: TimelineEvent['kind'];
  /** Only those with a lower id: the last of the page before. */
  readonly before?: number;
  readonly limit: number;
}

interface EventRow {
  readonly id: number;
  readonly at: string;
  readonly terminal: string | null;
  readonly site: string | null;
  readonly bureau: string | null;
  readonly kind: TimelineEvent['kind'];
  readonly text: string;
  readonly severity: TimelineEvent['severity'];
  readonly device_at: string | null;
}

/** An event, and whose it is, so that one bureau does not see another's. */
export interface OwnedEvent {
  readonly event: TimelineEvent;
  readonly bureau: string | null;
}

/** What happened, newest first. */
export class Timeline {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  page(query: EventQuery): Promise<Result<TimelineEvent[]>> {
    const where: string[] = [];
    const values: SqlValue[] = [];
    for (const name of ['terminal', 'site', 'bureau', 'kind'] as const) {
      const value = query[name];
      if (value === undefined) continue;
      where.push(`${name} = ?`);
      values.push(value);
    }
    if (query.before !== undefined) {
      where.push('id < ?');
      values.push(query.before);
    }
    const filter = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
    return this.#db.read(async (tx) => {
      const rows = await tx.all<EventRow>(
        `SELECT * FROM events ${filter} ORDER BY id DESC LIMIT ?`,
        ...values,
        query.limit,
      );
      return rows.map(eventOf);
    });
  }

  /** These events, in order. */
  byIds(ids: readonly number[]): Promise<Result<OwnedEvent[]>> {
    return this.#db.read(async (tx) => {
      const rows = await tx.all<EventRow>(
        `SELECT * FROM events WHERE id IN (${ids.map(() => '?').join(', ')}) ORDER BY id`,
        ...ids,
      );
      return rows.map((row) => ({ event: eventOf(row), bureau: row.bureau }));
    });
  }

  /** Takes away what is older; called by the leader. Gives how many were. */
  purge(before: string): Promise<Result<number>> {
    return this.#db.transaction((tx) => tx.run('DELETE FROM events WHERE at < ?', before));
  }
}

function eventOf(row: EventRow): TimelineEvent {
  return {
    id: row.id,
    at: row.at,
    terminal: row.terminal,
    site: row.site,
    kind: row.kind,
    text: row.text,
    severity: row.severity,
    deviceAt: row.device_at,
  };
}

import type { Alert } from '#contracts/api/alerts.ts';
import type { SqlValue, Tx, WriteTx } from '../store/index.ts';

/** A row of table `alerts`, as the engine works on it. Instants are text that sorts by time. */
export interface AlertRecord {
  readonly id: number;
  readonly trouble: string;
  readonly code: string;
  readonly severity: 'warning' | 'error';
  readonly terminal: string | null;
  readonly site: string | null;
  readonly bureau: string | null;
  readonly subject: string | null;
  readonly state: 'open' | 'suppressed' | 'closed';
  readonly cause: number | null;
  readonly opened_at: string;
  readonly closed_at: string | null;
  /** Until when a trouble that comes back is this one; null while it stands. */
  readonly over_at: string | null;
  readonly times: number;
  /** JSON: when it came back within the last hour. */
  readonly returns: string;
  readonly flapping: number;
  readonly told_at: string | null;
  readonly due_at: string | null;
  readonly acknowledged_at: string | null;
  readonly acknowledged_by: string | null;
  readonly acknowledged_note: string | null;
  readonly silenced_until: string | null;
  readonly escalation: number;
}

const columns = [
  'trouble',
  'code',
  'severity',
  'terminal',
  'site',
  'bureau',
  'subject',
  'state',
  'cause',
  'opened_at',
  'closed_at',
  'over_at',
  'times',
  'returns',
  'flapping',
  'told_at',
  'due_at',
  'acknowledged_at',
  'acknowledged_by',
  'acknowledged_note',
  'silenced_until',
  'escalation',
] as const satisfies readonly (keyof AlertRecord)[];

/** Rows in one statement: far below the most values that either database takes. */
const chunk = 50;

/** Stores new records and gives them their ids, in their order. */
export async function insertAlerts(
  tx: WriteTx,
  records: readonly Omit<AlertRecord, 'id'>[],
): Promise<AlertRecord[]> {
  const stored: AlertRecord[] = [];
  const marks = `(${columns.map(() => '?').join(', ')})`;
  for (let from = 0; from < records.length; from += chunk) {
    const part = records.slice(from, from + chunk);
    const values: SqlValue[] = part.flatMap((record) => columns.map((column) => record[column]));
    const rows = await tx.all<{ id: number; trouble: string }>(
      `INSERT INTO alerts (${columns.join(', ')}) VALUES ${part.map(() => marks).join(', ')} RETURNING id, trouble`,
      ...values,
    );
    // The order of what is returned is nobody's promise.
    const ids = new Map(rows.map((row) => [row.trouble, row.id]));
    for (const record of part) stored.push({ ...record, id: ids.get(record.trouble) ?? 0 });
  }
  return stored;
}

const written = [
  'severity',
  'site',
  'bureau',
  'state',
  'cause',
  'closed_at',
  'over_at',
  'times',
  'returns',
  'flapping',
  'told_at',
  'due_at',
  'acknowledged_at',
  'acknowledged_by',
  'acknowledged_note',
  'silenced_until',
  'escalation',
] as const satisfies readonly (typeof columns)[number][];

export async function updateAlert(tx: WriteTx, record: AlertRecord): Promise<void> {
  await tx.run(
    `UPDATE alerts SET ${written.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`,
    ...written.map((column) => record[column]),
    record.id,
  );
}

/** What stands, and what would still be the same alert if it came back. */
export function standingAlerts(tx: Tx, now: string): Promise<AlertRecord[]> {
  return tx.all<AlertRecord>(
    "SELECT * FROM alerts WHERE state <> 'closed' OR over_at > ? OR due_at <= ? ORDER BY id",
    now,
    now,
  );
}

export function alertById(tx: Tx, id: number): Promise<AlertRecord | undefined> {
  return tx.get<AlertRecord>('SELECT * FROM alerts WHERE id = ?', id);
}

export function toAlert(record: AlertRecord): Alert {
  const { acknowledged_at: at, acknowledged_by: by, acknowledged_note: note } = record;
  return {
    id: record.id,
    code: record.code,
    severity: record.severity,
    terminal: record.terminal,
    site: record.site,
    bureau: record.bureau,
    subject: record.subject,
    state: record.state,
    cause: record.cause,
    openedAt: record.opened_at,
    closedAt: record.closed_at,
    times: record.times,
    flapping: record.flapping === 1,
    acknowledged: at === null ? null : { at, by: by ?? '', note: note ?? '' },
    silencedUntil: record.silenced_until,
    escalation: record.escalation,
  };
}

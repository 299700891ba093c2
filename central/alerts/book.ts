import type { Alert, Maintenance, NewMaintenance } from '#contracts/api/alerts.ts';
import type { Condition } from '#contracts/health.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { AlertSettings } from '#contracts/settings/alerting.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import type { Db, SqlValue, WriteTx } from '../store/index.ts';
import { nextDue, text } from './due.ts';
import { type Audit, MaintenanceBook } from './maintenance.ts';
import { failingChannels } from './notices.ts';
import type { Place } from './places.ts';
import { alertById, type AlertRecord, toAlert, updateAlert } from './record.ts';
import type { Routing } from './routing.ts';

export interface AlertQuery {
  /** `standing`: open and suppressed. */
  readonly which: 'open' | 'standing' | 'all';
  readonly bureau?: string;
  readonly site?: string;
  readonly terminal?: string;
  /** Only those with a lower id: the next page of a list. */
  readonly before?: number;
  /** 1 to 1000. */
  readonly limit: number;
}

export interface AlertPage {
  /** Newest first. */
  readonly alerts: readonly Alert[];
  /** `before` of the next page; null where this is the last. */
  readonly next: number | null;
}

/** What was done with an alert, and by whom. */
export interface AlertAct {
  readonly at: string;
  readonly by: string;
  readonly action: 'acknowledged' | 'silenced' | 'silence-ended';
  readonly note: string;
  readonly until: string | null;
}

export interface AlertBookParts {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: AlertSettings;
  readonly routing: Routing;
  readonly audit: Audit;
}

/** Alerts as operators see and treat them; in every process of the centre. Every change is announced. */
export class AlertBook {
  readonly #parts: AlertBookParts;
  readonly maintenance: MaintenanceBook;

  constructor(parts: AlertBookParts) {
    this.#parts = parts;
    this.maintenance = new MaintenanceBook(parts);
  }

  list(query: AlertQuery): Promise<Result<AlertPage>> {
    const where: string[] = [];
    const values: SqlValue[] = [];
    const also = (term: string, value: SqlValue | undefined): void => {
      if (value === undefined) return;
      where.push(term);
      values.push(value);
    };
    if (query.which === 'open') where.push("state = 'open'");
    // The words of the index of those that stand.
    if (query.which === 'standing') where.push("state <> 'closed'");
    also('bureau = ?', query.bureau);
    also('site = ?', query.site);
    also('terminal = ?', query.terminal);
    also('id < ?', query.before);
    const limit = Math.min(1000, Math.max(1, Math.floor(query.limit)));
    return this.#parts.db.read(async (tx) => {
      const rows = await tx.all<AlertRecord>(
        `SELECT * FROM alerts ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`} ORDER BY id DESC LIMIT ${limit + 1}`,
        ...values,
      );
      const alerts = rows.slice(0, limit).map(toAlert);
      return { alerts, next: rows.length > limit ? (alerts.at(-1)?.id ?? null) : null };
    });
  }

  /** Faults: NOT_FOUND, those of the database. */
  async byId(id: number): Promise<Result<Alert>> {
    const row = await this.#parts.db.read((tx) => alertById(tx, id));
    if (!row.ok) return row;
    return row.value === undefined ? absent(id) : ok(toAlert(row.value));
  }

  /** Everything that was done with an alert, in order. */
  acts(id: number): Promise<Result<AlertAct[]>> {
    return this.#parts.db.read((tx) =>
      tx.all<AlertAct>(
        'SELECT at, by_whom AS "by", action, note, until_at AS until FROM acts WHERE alert = ? ORDER BY id',
        id,
      ),
    );
  }

  /**
   * Somebody sees to it: it is told no further until it is over. A second one replaces the note; both are kept. Faults:
   * NOT_FOUND, REQUEST_INVALID where it is closed.
   */
  acknowledge(id: number, note: string, by: string): Promise<Result<Alert>> {
    const at = instant(this.#parts.clock.wall());
    return this.#change(id, { by, action: 'acknowledged', note, at, until: null }, (record) => ({
      ...record,
      acknowledged_at: at,
      acknowledged_by: by,
      acknowledged_note: note,
      due_at: null,
    }));
  }

  /** Nobody is told for so long; 0 ends it. Faults: NOT_FOUND, REQUEST_INVALID where it is closed. */
  silence(id: number, minutes: number, note: string, by: string): Promise<Result<Alert>> {
    const now = this.#parts.clock.wall();
    const until = minutes === 0 ? null : text(now + minutes * 60_000);
    const action = until === null ? ('silence-ended' as const) : ('silenced' as const);
    return this.#change(id, { by, action, note, at: text(now), until }, (record) => {
      const silenced = { ...record, silenced_until: until };
      return { ...silenced, due_at: nextDue(silenced, now, this.#parts) };
    });
  }

  /** Whether planned work covers this terminal now. From memory. */
  inMaintenance(place: Place): boolean {
    return this.maintenance.isCovered(place);
  }

  addMaintenance(planned: NewMaintenance, by: string): Promise<Result<Maintenance>> {
    return this.maintenance.add(planned, by);
  }

  endMaintenance(id: number, by: string): Promise<Result<Maintenance>> {
    return this.maintenance.end(id, by);
  }

  /** Conditions of the centre that this room finds: channels of notifications that fail. */
  conditions(): Promise<Result<Condition[]>> {
    const names = this.#parts.routing.channels.map(({ name }) => name);
    return this.#parts.db.read((tx) => failingChannels(tx, names));
  }

  close(): void {
    this.maintenance.close();
  }

  async #change(
    id: number,
    act: AlertAct,
    change: (record: AlertRecord) => AlertRecord,
  ): Promise<Result<Alert>> {
    const changed = await this.#parts.db.transaction(async (tx) => {
      // The leader compares under the same lock: neither overwrites the other.
      await tx.lock('alerts');
      const record = await alertById(tx, id);
      if (record === undefined || record.state === 'closed') return record;
      const after = change(record);
      await updateAlert(tx, after);
      await this.#keep(tx, after, act);
      return after;
    });
    if (!changed.ok) return changed;
    if (changed.value === undefined) return absent(id);
    if (changed.value.state === 'closed') return fail('REQUEST_INVALID', `Alert ${id} is closed.`);
    return ok(toAlert(changed.value));
  }

  async #keep(tx: WriteTx, record: AlertRecord, act: AlertAct): Promise<void> {
    const { at, by, action, note, until } = act;
    await tx.run(
      'INSERT INTO acts (alert, at, by_whom, action, note, until_at) VALUES (?, ?, ?, ?, ?, ?)',
      record.id,
      at,
      by,
      action,
      note,
      until,
    );
    tx.announce('alert', String(record.id));
    const what = until === null ? action : `${action} until ${until}`;
    await this.#parts.audit(tx, {
      by,
      action: `alert-${action}`,
      terminal: record.terminal,
      bureau: record.bureau,
      text: `Alert ${record.id} ${record.code} ${what}: ${note}`.slice(0, 1000),
    });
  }
}

/** Opens the book and reads the planned maintenance. Faults: those of the database. */
export async function openAlertBook(parts: AlertBookParts): Promise<Result<AlertBook>> {
  const book = new AlertBook(parts);
  const loaded = await book.maintenance.load();
  if (loaded.ok) return ok(book);
  book.close();
  return loaded;
}

function absent(id: number): Result<never> {
  return fail('NOT_FOUND', `There is no alert ${id}.`);
}

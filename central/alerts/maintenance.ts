import type { Maintenance, NewMaintenance } from '#contracts/api/alerts.ts';
import type { LayerScope } from '#contracts/configuration.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { type Clock, instant, pause } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Db, Tx, WriteTx } from '../store/index.ts';
import { covers, type Place } from './places.ts';

/** Writes an entry of the operators' audit in the transaction of the change itself. */
export type Audit = (
  tx: WriteTx,
  entry: {
    readonly by: string;
    readonly action: string;
    readonly terminal: string | null;
    readonly bureau: string | null;
    readonly text: string;
  },
) => Promise<void>;

interface MaintenanceRow {
  readonly id: number;
  readonly layer: LayerScope['layer'];
  readonly scope_key: string | null;
  readonly from_at: string;
  readonly until_at: string;
  readonly note: string;
  readonly by_whom: string;
  readonly ended_at: string | null;
}

/** So many days at most: who forgets to end it is not without alerts for good. */
const mostDays = 31;

/** Planned work: what is planned is in memory, in every process of the centre. */
export class MaintenanceBook {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #audit: Audit;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #stop: () => void;
  #planned: readonly Maintenance[] = [];
  #reads: Promise<unknown> = Promise.resolve();

  constructor(parts: { db: Db; clock: Clock; audit: Audit; log: Log }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#audit = parts.audit;
    this.#log = parts.log;
    this.#stop = parts.db.listen(({ kind }) => {
      if (kind === 'maintenance' || kind === 'all') void this.#readAgain();
    });
  }

  /** Reads what is planned from now on. Faults: those of the database. */
  async load(): Promise<Result<void>> {
    const now = instant(this.#clock.wall());
    const rows = await this.#db.read((tx) =>
      tx.all<MaintenanceRow>(
        'SELECT * FROM maintenance WHERE until_at > ? AND ended_at IS NULL ORDER BY id',
        now,
      ),
    );
    if (!rows.ok) return rows;
    this.#planned = rows.value.map(toMaintenance);
    return ok(undefined);
  }

  /** Whether planned work covers a terminal now; without a place, the centre itself. */
  isCovered(place: Place | undefined): boolean {
    return this.active().some(({ scope }) => covers(scope, place));
  }

  /** What runs now. */
  active(): Maintenance[] {
    const now = instant(this.#clock.wall());
    return this.#planned.filter(({ from, until }) => from <= now && now < until);
  }

  /** What runs or is still to come, and what is over where `all` is asked for; the latest first, at most 500. */
  list(all = false): Promise<Result<Maintenance[]>> {
    const now = instant(this.#clock.wall());
    return this.#db.read(async (tx) => {
      const rows = all
        ? await tx.all<MaintenanceRow>('SELECT * FROM maintenance ORDER BY id DESC LIMIT 500')
        : await tx.all<MaintenanceRow>(
            'SELECT * FROM maintenance WHERE until_at > ? AND ended_at IS NULL ORDER BY id DESC LIMIT 500',
            now,
          );
      return rows.map(toMaintenance);
    });
  }

  /** Faults: NOT_FOUND, those of the database. */
  async byId(id: number): Promise<Result<Maintenance>> {
    const row = await this.#db.read((tx) => find(tx, id));
    if (!row.ok) return row;
    return row.value === undefined ? fail('NOT_FOUND', `There is no maintenance ${id}.`) : ok(row.value);
  }

  /** Faults: REQUEST_INVALID where it ends before it begins, is over already or is too long. */
  async add(planned: NewMaintenance, by: string): Promise<Result<Maintenance>> {
    const from = Date.parse(planned.from);
    const until = Date.parse(planned.until);
    if (!(until > from)) return fail('REQUEST_INVALID', 'until: must be later than from.');
    if (until <= this.#clock.wall()) return fail('REQUEST_INVALID', 'until: is over already.');
    if (until - from > mostDays * 86_400_000)
      return fail('REQUEST_INVALID', `until: at most ${mostDays} days after from.`);
    const { scope, note } = planned;
    const key = 'key' in scope ? scope.key : null;
    // Written alike, so that the texts sort by time.
    const span = [new Date(from).toISOString(), new Date(until).toISOString()] as const;
    const added = await this.#db.transaction(async (tx) => {
      const row = await tx.get<MaintenanceRow>(
        'INSERT INTO maintenance (layer, scope_key, from_at, until_at, note, by_whom) VALUES (?, ?, ?, ?, ?, ?) RETURNING *',
        scope.layer,
        key,
        ...span,
        note,
        by,
      );
      if (row === undefined) return undefined;
      tx.announce('maintenance', String(row.id));
      await this.#audit(tx, {
        by,
        action: 'maintenance-added',
        ...whom(scope),
        text: `Maintenance ${row.id} of ${named(scope)} from ${span[0]} until ${span[1]}: ${note}`.slice(
          0,
          1000,
        ),
      });
      return toMaintenance(row);
    });
    if (!added.ok) return added;
    if (added.value === undefined) return fail('STORE_FAILED', 'The maintenance was not stored.');
    await this.#readAgain();
    return ok(added.value);
  }

  /** Ends it before its time. Faults: NOT_FOUND, REQUEST_INVALID where it is over already. */
  async end(id: number, by: string): Promise<Result<Maintenance>> {
    const now = instant(this.#clock.wall());
    const ended = await this.#db.transaction(async (tx) => {
      await tx.lock(`maintenance:${id}`);
      const found = await find(tx, id);
      if (found === undefined) return 'absent' as const;
      if (found.endedAt !== null || found.until <= now) return 'over' as const;
      await tx.run('UPDATE maintenance SET ended_at = ? WHERE id = ?', now, id);
      tx.announce('maintenance', String(id));
      await this.#audit(tx, {
        by,
        action: 'maintenance-ended',
        ...whom(found.scope),
        text: `Maintenance ${id} of ${named(found.scope)} ended`,
      });
      return { ...found, endedAt: now };
    });
    if (!ended.ok) return ended;
    if (ended.value === 'absent') return fail('NOT_FOUND', `There is no maintenance ${id}.`);
    if (ended.value === 'over') return fail('REQUEST_INVALID', `Maintenance ${id} is over already.`);
    await this.#readAgain();
    return ok(ended.value);
  }

  close(): void {
    this.#closing.abort();
    this.#stop();
  }

  /** One reading after the other, so that an older answer never comes last. */
  #readAgain(): Promise<unknown> {
    this.#reads = this.#reads.then(async () => {
      const read = await this.load();
      if (!read.ok) {
        this.#log.error('Planned maintenance could not be read', faultFields(read.fault));
        void this.#laterAgain();
      }
    });
    return this.#reads;
  }

  async #laterAgain(): Promise<void> {
    const { signal } = this.#closing;
    await pause(this.#clock, ms(5000), signal);
    if (!signal.aborted) await this.#readAgain();
  }
}

async function find(tx: Tx, id: number): Promise<Maintenance | undefined> {
  const row = await tx.get<MaintenanceRow>('SELECT * FROM maintenance WHERE id = ?', id);
  return row === undefined ? undefined : toMaintenance(row);
}

function toMaintenance(row: MaintenanceRow): Maintenance {
  const scope: LayerScope =
    row.layer === 'fleet' ? { layer: 'fleet' } : { layer: row.layer, key: row.scope_key ?? '' };
  return {
    id: row.id,
    scope,
    from: row.from_at,
    until: row.until_at,
    note: row.note,
    by: row.by_whom,
    endedAt: row.ended_at,
  };
}

function named(scope: LayerScope): string {
  return scope.layer === 'fleet' ? 'the whole fleet' : `${scope.layer} ${scope.key}`;
}

function whom(scope: LayerScope): { terminal: string | null; bureau: string | null } {
  return {
    terminal: scope.layer === 'terminal' ? scope.key : null,
    bureau: scope.layer === 'bureau' ? scope.key : scope.layer === 'site' ? scope.key.slice(0, 3) : null,
  };
}

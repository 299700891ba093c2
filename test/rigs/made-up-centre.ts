import type { Alert, Maintenance } from '#contracts/api/alerts.ts';
import type { BundleRow, HitRow, SiteRow, TerminalRow, TimelineEvent } from '#contracts/api/fleet.ts';
import type { CommandRow, Layer } from '#contracts/api/orders.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type {
  AlertSource,
  BundleSource,
  Change,
  ChangeListener,
  ConsoleSource,
  FleetSource,
  OrderSource,
  WaveOf,
} from '#central/console/index.ts';
import { centreState, madeUpTime, madeUpUuid, waveOf } from './made-up-rows.ts';

/** The rooms of a centre in memory, behind the real server of the console: a test says what there is. */
export class MadeUpCentre implements ConsoleSource {
  readonly sites = new Map<string, SiteRow>();
  readonly terminals = new Map<string, TerminalRow>();
  readonly alertRows = new Map<number, Alert>();
  readonly maintenanceRows = new Map<number, Maintenance>();
  readonly hitRows: HitRow[] = [];
  readonly eventRows: TimelineEvent[] = [];
  readonly commandRows: CommandRow[] = [];
  readonly layerRows: Layer[] = [];
  readonly waveRows = new Map<string, WaveOf>();
  readonly bundleRows: BundleRow[] = [];
  /** What was changed, in order: the name of the port's function, and by whom. */
  readonly done: string[] = [];
  readonly #listeners = new Set<ChangeListener>();

  /** Tells whoever listens. */
  tell(change: Change): void {
    for (const listener of this.#listeners) listener.change(change);
  }

  /** Changes were missed. */
  gap(): void {
    for (const listener of this.#listeners) listener.gap();
  }

  /** A terminal with its site, now or changed. */
  show(row: TerminalRow, site: SiteRow): void {
    this.sites.set(site.site, site);
    this.terminals.set(row.terminal, row);
    this.tell({ event: 'site', data: site });
    this.tell({ event: 'terminal', data: row });
  }

  raise(hit: HitRow): void {
    const before = this.hitRows.findIndex(({ id }) => id === hit.id);
    if (before >= 0) this.hitRows.splice(before, 1);
    this.hitRows.push(hit);
    this.tell({ event: 'hit', data: hit });
  }

  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  metrics(): Promise<string> {
    return Promise.resolve(`checkpost_terminals ${this.terminals.size}\n`);
  }

  readonly fleet: FleetSource = {
    sites: () => [...this.sites.values()],
    terminals: () => [...this.terminals.values()],
    bureauOf: (terminal) => this.terminals.get(terminal)?.bureau,
    detail: async (terminal) => {
      const row = this.terminals.get(terminal);
      const site = this.sites.get(row?.site ?? '');
      if (row === undefined || site === undefined) return absent;
      return ok({
        row,
        site,
        session: 12,
        boot: 'boot',
        enrolledAt: madeUpTime,
        health: {},
        healthAt: null,
        reported: null,
        keepAliveSeconds: 30,
      });
    },
    series: async (_, { metric }) => ok({ metric, stepSeconds: 60, points: [[1_700_000_000, 0, 1, 2]] }),
    events: async (query) => ok(paged(this.eventRows, query)),
    hits: async (query) => ok(paged(this.hitRows, query)),
    centre: () => centreState(),
  };

  readonly alerts: AlertSource = {
    list: async (query) => ok(paged([...this.alertRows.values()], query)),
    standing: async () => ok([...this.alertRows.values()].filter(({ state }) => state !== 'closed')),
    byId: async (id) => found(this.alertRows.get(id)),
    acknowledge: async (id, { note }, by) =>
      this.#alert('acknowledge', by, id, { acknowledged: { at: madeUpTime, by, note } }),
    silence: async (id, _, by) => this.#alert('silence', by, id, { silencedUntil: madeUpTime }),
    maintenance: async () => ok([...this.maintenanceRows.values()]),
    maintenanceById: async (id) => found(this.maintenanceRows.get(id)),
    plan: async (planned, by) => {
      const one = { ...planned, id: this.maintenanceRows.size + 1, by, endedAt: null };
      this.maintenanceRows.set(one.id, one);
      return this.#did('plan', by, one);
    },
    end: async (id, by) => {
      const one = this.maintenanceRows.get(id);
      return one === undefined ? absent : this.#did('end', by, { ...one, endedAt: madeUpTime });
    },
  };

  readonly orders: OrderSource = {
    layers: async () => ok(this.layerRows),
    preview: async () => ok({ terminals: 0, changes: [] }),
    putLayer: async ({ scope, base, values, note }, by) =>
      this.#did('putLayer', by, { scope, values, note, version: base + 1, at: madeUpTime, by }),
    putLimits: async (_, by) => this.#did('putLimits', by, undefined),
    putUplink: async (_, by) => this.#did('putUplink', by, undefined),
    configuration: async (terminal) => ok({ terminal, wanted: null, limits: null, reported: null }),
    command: async (terminal, { command }, by) =>
      this.#did('command', by, {
        id: madeUpUuid(1000),
        terminal,
        command,
        by,
        at: madeUpTime,
        expiresAt: madeUpTime,
        state: 'sent',
        changedAt: madeUpTime,
        code: null,
        detail: '',
        wave: null,
      }),
    commands: async ({ limit }) => ok(this.commandRows.slice(0, limit)),
    waves: async ({ bureau }) =>
      ok(
        [...this.waveRows.values()]
          .filter((one) => bureau === undefined || one.bureau === bureau)
          .map(({ wave }) => wave),
      ),
    wave: async (id) => found(this.waveRows.get(id)),
    startWave: async ({ title, action }, by) =>
      this.#did('startWave', by, waveOf(1001, { title, action, by })),
    stopWave: async (id, by) => {
      const one = this.waveRows.get(id);
      return one === undefined ? absent : this.#did('stopWave', by, { ...one.wave, state: 'stopped' });
    },
  };

  readonly bundles: BundleSource = {
    list: async (terminal) =>
      this.bundleRows.filter((row) => terminal === undefined || row.terminal === terminal),
    read: async (id) => {
      const row = this.bundleRows.find((one) => one.id === id);
      return row === undefined ? absent : ok({ row, bytes: Buffer.from('bundle') });
    },
  };

  #alert(what: string, by: string, id: number, change: Partial<Alert>): Result<Alert> {
    const alert = this.alertRows.get(id);
    if (alert === undefined) return absent;
    const after = { ...alert, ...change };
    this.alertRows.set(id, after);
    this.tell({ event: 'alert', data: after });
    return this.#did(what, by, after);
  }

  #did<T>(what: string, by: string, value: T): Result<T> {
    this.done.push(`${what} by ${by}`);
    return ok(value);
  }
}

const absent = fail('NOT_FOUND', 'It is not there.');

function found<T>(one: T | undefined): Result<T> {
  return one === undefined ? absent : ok(one);
}

function paged<T extends { id: number; terminal: string | null; site: string | null }>(
  rows: readonly T[],
  query: { terminal?: string; site?: string; bureau?: string; before?: number; limit: number },
): T[] {
  return rows
    .filter(
      ({ id, terminal, site }) =>
        id < (query.before ?? Infinity) &&
        (query.terminal === undefined || terminal === query.terminal) &&
        (query.site === undefined || site === query.site) &&
        (query.bureau === undefined || site?.startsWith(query.bureau)),
    )
    .sort((a, b) => b.id - a.id)
    .slice(0, query.limit);
}

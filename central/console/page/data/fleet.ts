import type { Alert, Maintenance } from '#contracts/api/alerts.ts';
import type { CentreState, HitRow, SiteRow, TerminalRow, TimelineEvent } from '#contracts/api/fleet.ts';
import type { CommandRow, Wave } from '#contracts/api/orders.ts';
import type { FleetView, LiveEvent } from '#contracts/api/routes.ts';

/** What `GET /api/v1/fleet` answers. */
export type FleetSnapshot = FleetView;

/** Rows that come live, by the name of their event; each replaces the one before. */
export type LiveRows = { readonly [E in LiveEvent as E['event']]: E['data'] };
export type LiveName = keyof LiveRows;
export const liveNames: readonly LiveName[] = [
  'site',
  'terminal',
  'alert',
  'maintenance',
  'hit',
  'command',
  'wave',
  'event',
  'centre',
];

/** The newest of what only grows; older ones are asked for when somebody looks at them. */
const newest = 200;

/**
 * All that the page knows of the fleet. It changes in place: with 5,000 terminals a copy for every change would be most
 * of the work. Whoever shows it is told that something changed when `later` says so, once for all that came meanwhile.
 */
export class FleetData {
  readonly sites = new Map<string, SiteRow>();
  readonly terminals = new Map<string, TerminalRow>();
  readonly alerts = new Map<number, Alert>();
  readonly maintenance = new Map<number, Maintenance>();
  readonly hits = new Map<number, HitRow>();
  readonly commands = new Map<string, CommandRow>();
  readonly waves = new Map<string, Wave>();
  readonly events = new Map<number, TimelineEvent>();
  centre: CentreState | undefined;
  /** Rises with every change. */
  version = 0;
  /** Rises when the whole was fetched anew, after which nothing that was asked for before is to be believed. */
  epoch = 0;
  readonly #listeners = new Set<() => void>();
  readonly #later: (action: () => void) => void;
  #told = true;

  /** `later` runs an action soon, but not more often than the page should be drawn. */
  constructor(later: (action: () => void) => void) {
    this.#later = later;
  }

  /** Takes everything away, before a snapshot or when somebody else may sign in. */
  forget(): void {
    const { sites, terminals, alerts, maintenance, hits, commands, waves, events } = this;
    for (const map of [sites, terminals, alerts, maintenance, hits, commands, waves, events]) map.clear();
    this.centre = undefined;
    this.#changed();
  }

  replace(snapshot: FleetSnapshot): void {
    this.forget();
    this.epoch++;
    for (const site of snapshot.sites) this.sites.set(site.site, site);
    for (const row of snapshot.terminals) this.terminals.set(row.terminal, row);
    for (const row of snapshot.alerts) this.alerts.set(row.id, row);
    for (const row of snapshot.maintenance) this.maintenance.set(row.id, row);
    this.centre = snapshot.centre;
    this.#changed();
  }

  take<N extends LiveName>(name: N, row: LiveRows[N]): void {
    const rows: { [K in LiveName]: (row: LiveRows[K]) => void } = {
      site: (site) => this.sites.set(site.site, site),
      terminal: (terminal) => this.terminals.set(terminal.terminal, terminal),
      alert: (alert) => {
        if (alert.state === 'closed') this.alerts.delete(alert.id);
        else this.alerts.set(alert.id, alert);
      },
      maintenance: (one) => this.maintenance.set(one.id, one),
      hit: (hit) => keepNewest(this.hits, hit.id, hit),
      command: (command) => keepNewest(this.commands, command.id, command),
      wave: (wave) => keepNewest(this.waves, wave.id, wave),
      event: (event) => keepNewest(this.events, event.id, event),
      centre: (centre) => {
        this.centre = centre;
      },
    };
    rows[name](row);
    this.#changed();
  }

  /** Rows that were asked for. */
  add<N extends LiveName>(name: N, list: readonly LiveRows[N][]): void {
    for (const row of list) this.take(name, row);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  siteOf(terminal: string): SiteRow | undefined {
    const row = this.terminals.get(terminal);
    return row === undefined ? undefined : this.sites.get(row.site);
  }

  terminalsOf(site: string): TerminalRow[] {
    return [...this.terminals.values()].filter((row) => row.site === site);
  }

  #changed(): void {
    this.version++;
    if (!this.#told) return;
    this.#told = false;
    this.#later(() => {
      this.#told = true;
      for (const listener of this.#listeners) listener();
    });
  }
}

/** Ids rise (UUIDv7 as text too), so that the least is the oldest. */
function keepNewest<K extends number | string, T>(map: Map<K, T>, id: K, row: T): void {
  map.set(id, row);
  if (map.size <= newest * 2) return;
  for (const old of [...map.keys()].sort((a, b) => (a < b ? -1 : 1)).slice(0, map.size - newest))
    map.delete(old);
}

import type { HitRow, SiteRow, TerminalDetail, TerminalRow, TerminalState } from '#contracts/api/fleet.ts';
import type { Reported } from '#contracts/configuration.ts';
import { type Fault, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Announcement, Db, RegistryWatch } from '../../store/index.ts';
import { Timeline, type OwnedEvent } from '../history/timeline.ts';
import { presenceOf } from '../ingest/terminals.ts';
import { Hits } from './hits.ts';
import {
  askAgain,
  type Asked,
  knownColumns,
  type KnownRow,
  type Remembered,
  remember,
  unknownSite,
} from './rows.ts';
import { type TerminalTroubles, troublesOf } from './troubles.ts';

/** What changed, each a whole view that replaces the one before. */
export interface FleetListener {
  terminals?(rows: readonly TerminalRow[]): void;
  /** No longer registered. */
  gone?(terminals: readonly string[]): void;
  sites?(rows: readonly SiteRow[]): void;
  hits?(rows: readonly HitRow[]): void;
  events?(events: readonly OwnedEvent[]): void;
}

export interface FleetParts extends Asked {
  readonly db: Db;
  readonly registry: Pick<RegistryWatch, 'find' | 'all' | 'sites' | 'onChange'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What changes within this time is read and told at once. */
const gather = ms(100);
const chunk = 100;

/**
 * The fleet as operators see it: every registered terminal in memory, filled at the start and kept equal to what any
 * controller commits.
 */
export class FleetView {
  readonly hits: Hits;
  readonly #parts: FleetParts;
  readonly #timeline: Timeline;
  readonly #listeners = new Set<FleetListener>();
  readonly #stops: (() => void)[];
  #known = new Map<string, Remembered>();
  #sorted: TerminalRow[] | undefined;
  #changed = { terminals: new Set<string>(), hits: new Set<number>(), events: new Set<number>(), all: false };
  #askAgain = false;
  /** Why the last try to read failed: what is in memory may be old. */
  #fault: Fault | undefined;
  #cancel: (() => void) | undefined;
  #refreshing: Promise<void> = Promise.resolve();

  private constructor(parts: FleetParts) {
    this.#parts = parts;
    this.hits = new Hits(parts.db);
    this.#timeline = new Timeline(parts.db);
    this.#stops = [
      parts.db.listen((one) => this.#announced(one)),
      parts.registry.onChange(() => {
        this.#changed.all = true;
        this.#soon();
        const rows = this.sites();
        for (const listener of this.#listeners) listener.sites?.(rows);
      }),
    ];
  }

  /** Reads what is known of every terminal. Faults: those of the database. */
  static async open(parts: FleetParts): Promise<Result<FleetView>> {
    const view = new FleetView(parts);
    const filled = await view.#fill();
    if (filled.ok) return ok(view);
    await view.close();
    return filled;
  }

  sites(): SiteRow[] {
    return [...this.#parts.registry.sites().values()];
  }

  /** Every registered terminal, by id. */
  terminals(): readonly TerminalRow[] {
    this.#sorted ??= [...this.#known.values()]
      .map(({ row }) => row)
      .sort((a, b) => (a.terminal < b.terminal ? -1 : 1));
    return this.#sorted;
  }

  terminal(id: string): TerminalRow | undefined {
    return this.#known.get(id)?.row;
  }

  /** What is remembered of every terminal, for the leader. */
  all(): Iterable<Remembered> {
    return this.#known.values();
  }

  /** Number of the session that a terminal has now; undefined while it has none. */
  session(id: string): number | undefined {
    return this.#known.get(id)?.session;
  }

  /** What is wrong with every terminal, or with these, as is committed now; for the alerts. */
  async troubles(ids: Iterable<string> = this.#known.keys()): Promise<Result<TerminalTroubles[]>> {
    await this.refresh();
    if (this.#fault !== undefined) return { ok: false, fault: this.#fault };
    const known = [...ids].flatMap((id) => this.#known.get(id) ?? []);
    return ok(known.map(troublesOf));
  }

  /** How many terminals are in which state. */
  counts(): Record<TerminalState, number> {
    const counts = { online: 0, suspect: 0, offline: 0, never: 0 };
    for (const { row } of this.#known.values()) counts[row.state]++;
    return counts;
  }

  /** Everything that is known of a terminal; undefined where it is not registered. Faults: those of the database. */
  async detail(id: string): Promise<Result<TerminalDetail | undefined>> {
    const registered = this.#parts.registry.find(id);
    if (registered === undefined) return ok(undefined);
    return this.#parts.db.read(async (tx) => {
      const known = await tx.get<KnownRow>(`SELECT ${knownColumns} WHERE t.terminal = ?`, id);
      const reported = await tx.get<{ body: string }>('SELECT body FROM reported WHERE terminal = ?', id);
      const presence = known === undefined ? undefined : presenceOf(known);
      return {
        row: remember(registered, known, this.#parts).row,
        site: this.#parts.registry.sites().get(registered.site) ?? unknownSite(registered),
        session: presence?.session ?? 0,
        boot: presence?.boot ?? '',
        enrolledAt: registered.enrolledAt,
        health: presence?.health ?? {},
        healthAt: presence?.healthAt ?? null,
        // Our own words, parsed by their schema before they were stored.
        reported: reported === undefined ? null : (JSON.parse(reported.body) as Reported),
        keepAliveSeconds: presence?.keepAlive ?? null,
      };
    });
  }

  /** Calls back after every change; the answer ends it. */
  subscribe(listener: FleetListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What other rooms say of terminals (wanted configuration, maintenance) has changed. */
  askAgain(): void {
    this.#askAgain = true;
    this.#soon();
  }

  /** Reads and tells at once what changed so far. */
  async refresh(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#refreshing = this.#refreshing.then(() => this.#refresh());
    await this.#refreshing;
  }

  /** Ends it when what is being read has been read. */
  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#cancel?.();
    this.#listeners.clear();
    await this.#refreshing;
  }

  #announced({ kind, key }: Announcement): void {
    if (kind === 'terminal') this.#changed.terminals.add(key);
    else if (kind === 'hit') this.#changed.hits.add(Number(key));
    else if (kind === 'event') this.#changed.events.add(Number(key));
    else if (kind === 'all') this.#changed.all = true;
    else if (kind === 'layer' || kind === 'maintenance') this.#askAgain = true;
    else return;
    this.#soon();
  }

  #soon(): void {
    this.#cancel ??= this.#parts.clock.after(gather, () => void this.refresh());
  }

  async #refresh(): Promise<void> {
    const { terminals, hits, events, all } = this.#changed;
    this.#changed = { terminals: new Set(), hits: new Set(), events: new Set(), all: false };
    const filled = all ? await this.#fill() : await this.#reread([...terminals]);
    // What could not be read is read at the next change.
    this.#fault = filled.ok ? undefined : filled.fault;
    if (!filled.ok) {
      this.#changed.all = true;
      return this.#parts.log.error('The fleet could not be read', faultFields(filled.fault));
    }
    if (this.#askAgain) this.#ask();
    if (hits.size > 0) {
      const rows = await this.hits.byIds([...hits]);
      if (rows.ok) for (const listener of this.#listeners) listener.hits?.(rows.value);
    }
    if (events.size > 0) {
      const rows = await this.#timeline.byIds([...events].slice(-1000));
      if (rows.ok) for (const listener of this.#listeners) listener.events?.(rows.value);
    }
  }

  async #fill(): Promise<Result<void>> {
    const { db, registry } = this.#parts;
    const read = await db.read((tx) => tx.all<KnownRow>(`SELECT ${knownColumns}`));
    if (!read.ok) return read;
    const rows = new Map(read.value.map((row) => [row.terminal, row]));
    const before = this.#known;
    this.#known = new Map(
      registry.all().map((one) => [one.terminal, remember(one, rows.get(one.terminal), this.#parts)]),
    );
    const gone = [...before.keys()].filter((id) => !this.#known.has(id));
    if (gone.length > 0) for (const listener of this.#listeners) listener.gone?.(gone);
    this.#tell([...this.#known.values()]);
    return ok(undefined);
  }

  async #reread(ids: readonly string[]): Promise<Result<void>> {
    const { db, registry } = this.#parts;
    const changed: Remembered[] = [];
    for (let i = 0; i < ids.length; i += chunk) {
      const some = ids.slice(i, i + chunk);
      const read = await db.read((tx) =>
        tx.all<KnownRow>(
          `SELECT ${knownColumns} WHERE t.terminal IN (${some.map(() => '?').join(', ')})`,
          ...some,
        ),
      );
      if (!read.ok) return read;
      for (const row of read.value) {
        const registered = registry.find(row.terminal);
        if (registered === undefined) continue;
        const remembered = remember(registered, row, this.#parts);
        this.#known.set(row.terminal, remembered);
        changed.push(remembered);
      }
    }
    this.#tell(changed);
    return ok(undefined);
  }

  #ask(): void {
    this.#askAgain = false;
    const changed: Remembered[] = [];
    for (const [id, before] of this.#known) {
      const after = askAgain(before, this.#parts);
      if (after === before) continue;
      this.#known.set(id, after);
      changed.push(after);
    }
    this.#tell(changed);
  }

  #tell(changed: readonly Remembered[]): void {
    if (changed.length === 0) return;
    this.#sorted = undefined;
    const rows = changed.map(({ row }) => row);
    for (const listener of this.#listeners) listener.terminals?.(rows);
  }
}

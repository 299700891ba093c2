import { isDeepStrictEqual } from 'node:util';
import type { Condition } from '#contracts/health.ts';
import { ok, type Result } from '#contracts/result.ts';
import type { AlertSettings } from '#contracts/settings/alerting.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Db, Tx } from '../store/index.ts';
import { applyChanges, type RecordHappening } from './apply.ts';
import { type Change, compare } from './compare.ts';
import { text } from './due.ts';
import type { MaintenanceBook } from './maintenance.ts';
import { failingChannels, forgetNotices } from './notices.ts';
import { covers, type TerminalTroubles, type TroubleSource } from './places.ts';
import { type AlertRecord, standingAlerts } from './record.ts';
import type { Routing } from './routing.ts';
import { findTroubles } from './troubles.ts';

export interface AlertEngineParts {
  readonly db: Db;
  readonly source: TroubleSource;
  /** What is wrong with the centre itself, as this process sees it now. */
  readonly centreTroubles: () => readonly Condition[];
  readonly maintenance: MaintenanceBook;
  readonly settings: AlertSettings;
  readonly routing: Routing;
  readonly clock: Clock;
  readonly log: Log;
  /** For the time line. */
  readonly record?: RecordHappening;
  /** Called after something was written that is to be told. */
  readonly onTold?: () => void;
}

/** What changes within so long is looked at together; longer where a pass takes long, so that it never takes a core. */
const batchMillis = { least: 200, most: 1000, share: 4 };
/** Time alone makes alerts too: tolerances, delays, steps, the ends of silences and maintenance. */
const tick = ms(5000);
/** All terminals are asked for again, in case an announcement was missed. */
const everythingEvery = 300_000;
const forgetEvery = 3_600_000;
const day = 86_400_000;
const keepNoticesDays = 30;

/**
 * Makes alerts of troubles: run by the leader alone. What it knows it can find again in the store, so that it may stop at
 * any point and begin elsewhere.
 */
export class AlertEngine {
  readonly #parts: AlertEngineParts;
  readonly #fleet = new Map<string, TerminalTroubles>();
  #dirty = new Set<string>();
  #everythingAt = 0;
  #forgetAt = 0;
  /** To be looked at even where no terminal has changed. */
  #look = true;
  /** Ids of the maintenance that runs; undefined until it was looked at. */
  #maintenance: string | undefined;
  #pass: Promise<unknown> = Promise.resolve();
  #unlisten: () => void = () => {};
  #cancelTick: () => void = () => {};
  #cancelSoon: (() => void) | undefined;
  #running = false;
  #lastFault: string | undefined;
  #lastPassMillis = 0;

  constructor(parts: AlertEngineParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = true;
    this.#everythingAt = 0;
    this.#unlisten = this.#parts.db.listen(({ kind, key }) => {
      if (kind === 'terminal') this.#dirty.add(key);
      else if (kind === 'all') this.#everythingAt = 0;
      else if (kind === 'maintenance') this.#look = true;
      else return;
      this.#wake();
    });
    this.#tick();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#unlisten();
    this.#cancelTick();
    this.#cancelSoon?.();
    this.#cancelSoon = undefined;
    await this.#pass;
  }

  /**
   * Looks once at what was announced and at what is due, or at all terminals. One pass after the other. Faults: those of the
   * database and of the source.
   */
  reconcile(everything = false): Promise<Result<void>> {
    if (everything) this.#everythingAt = 0;
    this.#look = true;
    return this.#next();
  }

  #next(): Promise<Result<void>> {
    const mine = this.#pass.then(() => this.#reconcile());
    this.#pass = mine.catch(() => {});
    return mine;
  }

  #tick(): void {
    if (!this.#running) return;
    this.#look = true;
    void this.#logged();
    this.#cancelTick = this.#parts.clock.after(tick, () => this.#tick());
  }

  #wake(): void {
    const { least, most, share } = batchMillis;
    const batch = Math.min(most, Math.max(least, this.#lastPassMillis * share));
    this.#cancelSoon ??= this.#parts.clock.after(ms(batch), () => {
      this.#cancelSoon = undefined;
      void this.#logged();
    });
  }

  async #logged(): Promise<void> {
    const { log } = this.#parts;
    const done = await this.#next();
    const fault = done.ok ? undefined : done.fault;
    if (fault !== undefined && fault.detail !== this.#lastFault)
      log.error('Alerts could not be compared; it is tried again', faultFields(fault));
    if (fault === undefined && this.#lastFault !== undefined) log.info('Alerts are compared again');
    this.#lastFault = fault?.detail;
  }

  async #reconcile(): Promise<Result<void>> {
    const gathered = await this.#gather();
    if (!gathered.ok) return gathered;
    // Most reports change nothing that an alert is about.
    if (!gathered.value && !this.#look) return ok(undefined);
    this.#look = false;
    const compared = await this.#compare();
    if (compared.ok) return this.#forget();
    this.#look = true;
    return compared;
  }

  async #compare(): Promise<Result<void>> {
    const { db, clock } = this.#parts;
    const began = clock.monotonic();
    const seen = await db.read((tx) => this.#plan(tx));
    if (!seen.ok) return seen;
    const active = this.#parts.maintenance
      .active()
      .map(({ id }) => id)
      .join();
    const before = this.#maintenance ?? active;
    const turned = before === active ? [] : [...new Set([...before.split(','), ...active.split(',')])];
    if (seen.value.changes.length > 0 || turned.length > 0) {
      const written = await db.transaction(async (tx) => {
        // Whoever still believes to lead, and whoever acknowledges, waits here; then it is compared anew.
        await tx.lock('alerts');
        const { changes, rows } = await this.#plan(tx);
        await applyChanges(tx, changes, rows, text(clock.wall()), this.#parts.record);
        for (const id of turned) if (id !== '') tx.announce('maintenance', id);
        return changes.some(({ tellings }) => tellings.length > 0);
      });
      if (!written.ok) return written;
      if (written.value) this.#parts.onTold?.();
    }
    this.#maintenance = active;
    this.#lastPassMillis = clock.monotonic() - began;
    return ok(undefined);
  }

  async #plan(tx: Tx): Promise<{ changes: Change[]; rows: AlertRecord[] }> {
    const { settings, routing, maintenance, clock } = this.#parts;
    const now = clock.wall();
    const active = maintenance.active();
    const rows = await standingAlerts(tx, text(now));
    const failing = await failingChannels(
      tx,
      routing.channels.map(({ name }) => name),
    );
    const found = findTroubles({
      fleet: this.#fleet.values(),
      centre: [...this.#parts.centreTroubles(), ...failing],
      standing: new Map(rows.filter(({ state }) => state !== 'closed').map((row) => [row.trouble, row])),
      inMaintenance: (place) => active.some(({ scope }) => covers(scope, place)),
      now,
      settings,
    });
    return { changes: compare(found, rows, now, { settings, routing }), rows };
  }

  /** Asks for what has changed; true where anything has that an alert may be about. */
  async #gather(): Promise<Result<boolean>> {
    const { source, clock } = this.#parts;
    const now = clock.monotonic();
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const everything = this.#everythingAt === 0 || now >= this.#everythingAt;
    if (!everything && dirty.size === 0) return ok(false);
    if (everything) this.#everythingAt = now + everythingEvery;
    const read = everything ? await source.all() : await source.of([...dirty]);
    if (!read.ok) {
      if (everything) this.#everythingAt = 0;
      for (const terminal of dirty) this.#dirty.add(terminal);
      return read;
    }
    const before = new Map<string, TerminalTroubles>();
    for (const terminal of everything ? [...this.#fleet.keys()] : dirty) {
      const one = this.#fleet.get(terminal);
      if (one !== undefined) before.set(terminal, one);
      this.#fleet.delete(terminal);
    }
    for (const one of read.value) this.#fleet.set(one.terminal, one);
    return ok(
      before.size !== read.value.length ||
        read.value.some((one) => !isDeepStrictEqual(one, before.get(one.terminal))),
    );
  }

  async #forget(): Promise<Result<void>> {
    const { db, clock, settings } = this.#parts;
    if (clock.monotonic() < this.#forgetAt) return ok(undefined);
    const now = clock.wall();
    const done = await db.transaction(async (tx) => {
      const before = text(now - settings.keepDays * day);
      await tx.run(
        "DELETE FROM acts WHERE alert IN (SELECT id FROM alerts WHERE state = 'closed' AND over_at < ?)",
        before,
      );
      await tx.run("DELETE FROM alerts WHERE state = 'closed' AND over_at < ?", before);
      await tx.run('DELETE FROM maintenance WHERE until_at < ?', before);
      await forgetNotices(tx, text(now - keepNoticesDays * day));
    });
    if (!done.ok) return done;
    this.#forgetAt = clock.monotonic() + forgetEvery;
    return ok(undefined);
  }
}

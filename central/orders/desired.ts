import type { TerminalConfiguration } from '#contracts/api/orders.ts';
import { Desired, LimitValues, Reported } from '#contracts/configuration.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { instant } from '#runtime/clock.ts';
import { faultFields } from '#runtime/log.ts';
import { parseJson, parseValue } from '#runtime/parse.ts';
import type { Announcement, WriteTx } from '../store/index.ts';
import { compose, type Composed, payloadOf, signedDesired } from './compose.ts';
import type { From, OrdersParts } from './ports.ts';
import { scopesFor } from './scope.ts';
import { within } from './sql.ts';
import { merged } from './values.ts';

type Parts = Pick<OrdersParts, 'db' | 'registry' | 'signer' | 'clock' | 'log'>;

/** What each terminal shall run, and what it said of it. */
export class DesiredBook {
  readonly #parts: Parts;
  readonly #wanted = new Map<string, number>();
  readonly #stop: () => void;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#stop = parts.db.listen((announcement) => this.#heard(announcement));
  }

  /** Faults: those of the store. */
  static async open(parts: Parts): Promise<Result<DesiredBook>> {
    const book = new DesiredBook(parts);
    const loaded = await book.#load();
    if (loaded.ok) return ok(book);
    book.close();
    return loaded;
  }

  /** Version that the terminal shall run, from memory; 0 where nothing was ever set for it. */
  wanted(terminal: string): number {
    return this.#wanted.get(terminal) ?? 0;
  }

  close(): void {
    this.#stop();
  }

  /**
   * What the terminal shall run, with the message as it is published; null where nothing was ever set for it. Faults:
   * TERMINAL_UNKNOWN, those of the store.
   */
  async desiredFor(
    terminal: string,
  ): Promise<Result<{ readonly desired: Desired; readonly message: string } | null>> {
    const composed = await this.#composed(terminal);
    if (!composed.ok) return composed;
    if (composed.value === undefined) return ok(null);
    const desired = parseJson(Desired, payloadOf(composed.value), 'STORE_CORRUPT');
    if (!desired.ok) return desired;
    return ok({ desired: desired.value, message: signedDesired(composed.value, this.#parts.signer) });
  }

  /** Everything that is known of a terminal’s configuration. Faults: as `desiredFor`. */
  async configuration(terminal: string): Promise<Result<TerminalConfiguration>> {
    const wanted = await this.desiredFor(terminal);
    if (!wanted.ok) return wanted;
    const found = this.#parts.registry.find(terminal);
    const names = found === undefined ? [] : scopesFor(found);
    const read = await this.#parts.db.read(async (tx) => {
      const scopes = within(names);
      return {
        report: await tx.get<{ body: string }>(
          'SELECT body FROM configuration_reports WHERE terminal = ?',
          terminal,
        ),
        limits: await tx.all<{ scope: string; body: string }>(
          `SELECT scope, body FROM signed_limits WHERE scope IN (${scopes.marks})`,
          ...scopes.values,
        ),
      };
    });
    if (!read.ok) return read;
    const { report, limits } = read.value;
    const reported = report === undefined ? ok(null) : parseJson(Reported, report.body, 'STORE_CORRUPT');
    if (!reported.ok) return reported;
    let combined: unknown = null;
    for (const name of names) {
      const one = limits.find((row) => row.scope === name);
      if (one !== undefined) combined = merged(combined ?? {}, JSON.parse(one.body));
    }
    const values = combined === null ? ok(null) : parseValue(LimitValues, combined, 'STORE_CORRUPT');
    if (!values.ok) return values;
    return ok({
      terminal,
      wanted: wanted.value?.desired ?? null,
      limits: values.value,
      reported: reported.value,
    });
  }

  /**
   * Keeps what a terminal says that it runs. Where it knows a higher version than ours, a new one is made above it: a
   * centre that came out of a backup would else never be heard again.
   */
  async reported(tx: WriteTx, from: From, reported: Reported): Promise<void> {
    const highest = Math.max(reported.running, reported.refused?.version ?? 0);
    // A number that leaves no room above it is none that we gave.
    const believed = highest < Number.MAX_SAFE_INTEGER - 1_000_000 ? highest : 0;
    await tx.run(
      `INSERT INTO configuration_reports (terminal, highest, body, at) VALUES (?, ?, ?, ?)
       ON CONFLICT (terminal) DO UPDATE SET highest = excluded.highest, body = excluded.body, at = excluded.at`,
      from.terminal,
      believed,
      JSON.stringify(reported),
      from.now,
    );
    const ours = await tx.get<{ version: number }>(
      'SELECT version FROM desired WHERE terminal = ?',
      from.terminal,
    );
    if (believed > (ours?.version ?? 0)) tx.announce('layer', `terminal:${from.terminal}`);
  }

  async #composed(terminal: string): Promise<Result<Composed | undefined>> {
    const { db, registry, clock } = this.#parts;
    const found = registry.find(terminal);
    if (found === undefined) return fail('TERMINAL_UNKNOWN', `No terminal ${terminal} is registered.`);
    const done = await db.transaction((tx) => compose(tx, [found], instant(clock.wall())));
    return done.ok ? ok(done.value[0]) : done;
  }

  async #load(): Promise<Result<void>> {
    const read = await this.#parts.db.read((tx) =>
      tx.all<{ terminal: string; version: number }>('SELECT terminal, version FROM desired'),
    );
    if (!read.ok) return read;
    for (const { terminal, version } of read.value) this.#raise(terminal, version);
    return ok(undefined);
  }

  #heard({ kind, key }: Announcement): void {
    if (kind === 'desired') {
      const [terminal = '', version = ''] = key.split('=');
      this.#raise(terminal, Number(version));
    } else if (kind === 'all') {
      void this.#load().then((loaded) => {
        if (!loaded.ok)
          this.#parts.log.error('The wanted versions could not be read', faultFields(loaded.fault));
      });
    }
  }

  /** Versions only rise, and what was read may be older than what was heard. */
  #raise(terminal: string, version: number): void {
    if (version > this.wanted(terminal)) this.#wanted.set(terminal, version);
  }
}

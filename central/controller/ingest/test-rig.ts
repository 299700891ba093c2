import type { HitRow, TerminalDetail, TerminalRow, TimelineEvent } from '#contracts/api/fleet.ts';
import type { HealthMessage, Status } from '#contracts/health.ts';
import type { OutboxAck, OutboxBatch, OutboxEntry, OwedItem } from '#contracts/outbox.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import type { Result } from '#contracts/result.ts';
import { type Channel, topic } from '#contracts/topics.ts';
import { toError } from '#runtime/errors.ts';
import { createLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import type { Db, Schema } from '../../store/index.ts';
import { FleetView } from '../fleet/view.ts';
import { Timeline } from '../history/timeline.ts';
import { look } from '../leader.ts';
import { controllerSchema } from '../schema.ts';
import type { Consumer } from './consumer.ts';
import type { Counts } from './counts.ts';
import { Ingest, type Taken } from './ingest.ts';

export const stream = '01890a5d-ac96-774b-bcce-b302099a8057';
export const otherStream = '01890a5d-ac96-774b-bcce-b302099a8058';
export const lookup = '01890a5d-ac96-774b-bcce-b302099a8059';

/** Of the document of `hit`. */
export const number = 'L898902C3';

export const registered = (terminal: string, certificate = 'a'.repeat(64)): RegisteredTerminal => ({
  terminal,
  bureau: 'UTO',
  site: 'UTO-0001',
  siteName: 'Specimen crossing',
  certificate,
  enrolledAt: '2026-01-01T00:00:00.000Z',
});

export const head = (at: number): OwedItem => ({ kind: 'audit-head', entry: at, hash: 'a'.repeat(64) });
export const hit = (of = lookup): OwedItem => ({
  kind: 'hit',
  lookup: of,
  verdict: 'hit',
  document: { issuingState: 'UTO', documentNumber: number, documentType: 'passport' },
  basis: 'edition',
  source: { collection: 'sltd', version: 1, date: '2026-01-15T00:00:00.000Z', count: 1 },
  age: { seconds: 60, bound: 'exact' },
  matches: [
    {
      kind: 'variant',
      number: 'L898902CB',
      record: { documentType: 'passport', kindOfLoss: 'stolen', reportedOn: '2025-12-01', reportedBy: 'UTO' },
    },
  ],
  officer: 'unassigned',
  reader: 'counter-1',
  training: false,
  late: false,
  recorded: true,
});
export const entry = (seq: number, item: OwedItem = head(seq)): OutboxEntry => ({
  seq,
  at: '2026-01-15T08:00:00.000Z',
  clock: 'verified',
  item,
});

export const valueOf = <T>(result: Result<T>): T => {
  if (!result.ok) throw toError(result.fault);
  return result.value;
};

export const bytesOf = (message: unknown): Buffer => Buffer.from(JSON.stringify(message));

/** An empty database of the test (test/rigs/databases.ts). */
interface Database {
  readonly db: Db;
  reopen(): Promise<Db>;
  close(): Promise<void>;
}

/**
 * The ingest with the view and the leader of one controller, on an empty database, and the terminals T-1 and T-2, for
 * which a test speaks; T-1 where nobody is named.
 */
export class IngestRig<C extends Counts> {
  readonly clock = new TestClock();
  readonly registry = new Map([registered('T-1'), registered('T-2')].map((one) => [one.terminal, one]));
  readonly told: { terminals: TerminalRow[]; hits: HitRow[] } = { terminals: [], hits: [] };
  readonly logged: string[] = [];
  readonly consumers: Consumer[] = [];
  /** Since when there is a session with the broker. */
  reachedAt: number | undefined = this.clock.monotonic();
  tally: C;
  /** Those of the process that runs now: others after `reopen` and `allow`. */
  ingest!: Ingest;
  fleet!: FleetView;
  readonly #at: Database;
  readonly #counts: () => C;
  readonly #log = createLog('trace', 'test', { write: (line) => this.logged.push(line) });
  readonly #registry = {
    find: (id: string) => this.registry.get(id),
    all: () => [...this.registry.values()],
    sites: () => new Map<string, never>(),
    onChange: () => () => {},
  };

  private constructor(at: Database, counts: () => C) {
    this.#at = at;
    this.#counts = counts;
    this.tally = counts();
  }

  /** On a database of this kind, with new counts at every start. */
  static async open<C extends Counts>(
    kind: { open(schemas: readonly Schema[]): Promise<Database> },
    counts: () => C,
  ): Promise<IngestRig<C>> {
    const rig = new IngestRig(await kind.open([controllerSchema]), counts);
    await rig.#start();
    return rig;
  }

  get db(): Db {
    return this.#at.db;
  }

  async close(): Promise<void> {
    await this.fleet.close();
    await this.#at.close();
  }

  /** The process ends and starts again. */
  async reopen(): Promise<void> {
    await this.fleet.close();
    await this.#at.reopen();
    await this.#start();
  }

  /** From now on a terminal may say so much a second. */
  allow(messagesPerSecond: number): void {
    const { db, clock, tally, consumers } = this;
    this.ingest = new Ingest({
      db,
      registry: this.#registry,
      clock,
      log: this.#log,
      counts: tally,
      consumers,
      messagesPerSecond,
    });
  }

  /** One look of the leader. */
  async judge(): Promise<void> {
    await this.fleet.refresh();
    await look({
      db: this.db,
      registry: this.#registry,
      fleet: this.fleet,
      ingest: this.ingest,
      timeline: new Timeline(this.db),
      timelineDays: 400,
      clock: this.clock,
      reachedAt: () => this.reachedAt,
      log: this.#log,
    });
  }

  say(channel: Channel, message: unknown, terminal = 'T-1'): Promise<Taken> {
    return this.ingest.take(topic(terminal, channel), bytesOf(message));
  }

  birth(session: number, over: Partial<Status> = {}): Promise<Taken> {
    const message: Status = {
      v: 1,
      session,
      state: 'online',
      reason: 'start',
      boot: 'boot-a',
      version: '0.1.0',
      ...over,
    };
    return this.say('status', message);
  }

  death(session: number, over: Partial<Status> = {}): Promise<Taken> {
    return this.birth(session, { state: 'offline', reason: 'lost', ...over });
  }

  health(session: number, seq: number, report: HealthMessage['report'], full = false): Promise<Taken> {
    const message: HealthMessage = { v: 1, session, seq, at: '2026-01-15T08:00:00.000Z', full, report };
    return this.say('health', message);
  }

  /** Delivers and gives the number that was acknowledged. */
  async deliver(entries: OutboxEntry[], over: Partial<OutboxBatch> = {}, terminal = 'T-1'): Promise<number> {
    const batch: OutboxBatch = { v: 1, stream, oldest: entries[0]?.seq ?? 1, entries, ...over };
    const { reply } = await this.say('outbox', batch, terminal);
    if (reply?.topic !== topic(terminal, 'outbox/ack'))
      throw new Error(`acknowledged to ${reply?.topic ?? 'nobody'}`);
    const ack = JSON.parse(reply.payload) as OutboxAck;
    if (ack.stream !== batch.stream) throw new Error(`the acknowledgement is for the stream ${ack.stream}`);
    return ack.through;
  }

  async all<T>(sql: string, ...values: string[]): Promise<T[]> {
    return valueOf(await this.db.read((tx) => tx.all<T>(sql, ...values)));
  }

  async detail(terminal = 'T-1'): Promise<TerminalDetail | undefined> {
    return valueOf(await this.fleet.detail(terminal));
  }

  async row(terminal = 'T-1'): Promise<TerminalRow | undefined> {
    return (await this.detail(terminal))?.row;
  }

  /** All that is known of T-1. */
  async state(): Promise<unknown> {
    const known = await this.detail();
    return { ...known?.row, ...known };
  }

  async reports(): Promise<unknown> {
    return (await this.detail())?.health;
  }

  async hits(): Promise<HitRow[]> {
    return valueOf(await this.fleet.hits.page({ limit: 10 }));
  }

  async events(): Promise<TimelineEvent[]> {
    return valueOf(await new Timeline(this.db).page({ limit: 50 }));
  }

  /** Numbers of the items that have arrived, in their order. */
  async arrived(): Promise<number[]> {
    return (await this.all<{ seq: number }>('SELECT seq FROM items ORDER BY id')).map((item) => item.seq);
  }

  async codes(): Promise<string[]> {
    return ((await this.row())?.conditions ?? []).map(({ code }) => code);
  }

  async #start(): Promise<void> {
    const { db, clock, told } = this;
    this.tally = this.#counts();
    this.allow(10_000);
    const asked = { wanted: () => 0, inMaintenance: () => false };
    this.fleet = valueOf(
      await FleetView.open({ db, registry: this.#registry, clock, log: this.#log, ...asked }),
    );
    this.fleet.subscribe({
      terminals: (rows) => told.terminals.push(...rows),
      hits: (rows) => told.hits.push(...rows),
    });
  }
}

import { Tally } from '#test/rigs/tally.ts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HitRow, TerminalDetail, TerminalRow, TimelineEvent } from '#contracts/api/fleet.ts';
import type { CommandResult } from '#contracts/command.ts';
import type { Reported } from '#contracts/configuration.ts';
import type { HealthMessage, Status } from '#contracts/health.ts';
import type { OutboxAck, OutboxBatch, OutboxEntry, OwedItem } from '#contracts/outbox.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import type { Result } from '#contracts/result.ts';
import { type Channel, topic } from '#contracts/topics.ts';
import { toError } from '#runtime/errors.ts';
import { createLog } from '#runtime/log.ts';
import { pack } from '#runtime/packed.ts';
import { parseValue } from '#runtime/parse.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { databases, type TestDatabase } from '#test/rigs/databases.ts';
import { eventually } from '#test/rigs/eventually.ts';
import type { Db } from '../../store/index.ts';
import { FleetView } from '../fleet/view.ts';
import { Timeline } from '../history/timeline.ts';
import { type LeaderParts, look, tolerance } from '../leader.ts';
import { controllerSchema } from '../schema.ts';
import type { Consumer } from './consumer.ts';
import { Ingest, mostBytes, type Taken } from './ingest.ts';

const stream = '01890a5d-ac96-774b-bcce-b302099a8057';
const otherStream = '01890a5d-ac96-774b-bcce-b302099a8058';
const lookup = '01890a5d-ac96-774b-bcce-b302099a8059';
const number = 'L898902C3';

const registered = (terminal: string, certificate = 'a'.repeat(64)): RegisteredTerminal => ({
  terminal,
  bureau: 'UTO',
  site: 'UTO-0001',
  siteName: 'Specimen crossing',
  certificate,
  enrolledAt: '2026-01-01T00:00:00.000Z',
});

const head = (entry: number): OwedItem => ({ kind: 'audit-head', entry, hash: 'a'.repeat(64) });
const hit = (of = lookup): OwedItem => ({
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
const entry = (seq: number, item: OwedItem = head(seq)): OutboxEntry => ({
  seq,
  at: '2026-01-15T08:00:00.000Z',
  clock: 'verified',
  item,
});

let at: TestDatabase;
let db: Db;
let clock: TestClock;
let tally: Tally;
let registry: Map<string, RegisteredTerminal>;
let ingest: Ingest;
let fleet: FleetView;
let told: { terminals: TerminalRow[]; hits: HitRow[] };
let logged: string[];
let consumers: Consumer[];
let reachedAt: number | undefined;

const valueOf = <T>(result: Result<T>): T => {
  if (!result.ok) throw toError(result.fault);
  return result.value;
};
const registryOf = () => ({
  find: (id: string) => registry.get(id),
  all: () => [...registry.values()],
  sites: () => new Map(),
  onChange: () => () => {},
});
const makeIngest = (messagesPerSecond = 10_000): Ingest =>
  new Ingest({
    db,
    registry: registryOf(),
    clock,
    log: createLog('trace', 'test', { write: (line) => logged.push(line) }),
    counts: tally,
    consumers,
    messagesPerSecond,
  });

async function open(): Promise<void> {
  ({ db } = at);
  tally = new Tally();
  ingest = makeIngest();
  const log = createLog('trace', 'test', { write: (line) => logged.push(line) });
  const asked = { wanted: () => 0, inMaintenance: () => false };
  fleet = valueOf(await FleetView.open({ db, registry: registryOf(), clock, log, ...asked }));
  fleet.subscribe({
    terminals: (rows) => told.terminals.push(...rows),
    hits: (rows) => told.hits.push(...rows),
  });
}

/** One look of the leader. */
async function judge(): Promise<void> {
  await fleet.refresh();
  const timeline = new Timeline(db);
  const parts: LeaderParts = {
    db,
    registry: registryOf(),
    fleet,
    ingest,
    timeline,
    timelineDays: 400,
    clock,
    reachedAt: () => reachedAt,
    log: createLog('trace', 'test', { write: (line) => logged.push(line) }),
  };
  await look(parts);
}

const bytesOf = (message: unknown): Buffer => Buffer.from(JSON.stringify(message));
const say = (channel: Channel, message: unknown, terminal = 'T-1'): Promise<Taken> =>
  ingest.take(topic(terminal, channel), bytesOf(message));

function birth(session: number, over: Partial<Status> = {}): Promise<Taken> {
  const message: Status = {
    v: 1,
    session,
    state: 'online',
    reason: 'start',
    boot: 'boot-a',
    version: '0.1.0',
    ...over,
  };
  return say('status', message);
}
const death = (session: number, over: Partial<Status> = {}): Promise<Taken> =>
  birth(session, { state: 'offline', reason: 'lost', ...over });

function health(session: number, seq: number, report: HealthMessage['report'], full = false): Promise<Taken> {
  const message: HealthMessage = { v: 1, session, seq, at: '2026-01-15T08:00:00.000Z', full, report };
  return say('health', message);
}

/** Delivers and gives the number that was acknowledged. */
async function deliver(
  entries: OutboxEntry[],
  over: Partial<OutboxBatch> = {},
  terminal = 'T-1',
): Promise<number> {
  const batch: OutboxBatch = { v: 1, stream, oldest: entries[0]?.seq ?? 1, entries, ...over };
  const { reply } = await say('outbox', batch, terminal);
  expect(reply?.topic).toBe(topic(terminal, 'outbox/ack'));
  const ack = JSON.parse(reply?.payload ?? '') as OutboxAck;
  expect(ack.stream).toBe(batch.stream);
  return ack.through;
}

const all = async <T>(sql: string, ...values: string[]): Promise<T[]> =>
  valueOf(await db.read((tx) => tx.all<T>(sql, ...values)));
const detail = async (terminal = 'T-1'): Promise<TerminalDetail | undefined> =>
  valueOf(await fleet.detail(terminal));
const row = async (terminal = 'T-1'): Promise<TerminalRow | undefined> => (await detail(terminal))?.row;
const state = async (): Promise<unknown> => {
  const known = await detail();
  return { ...known?.row, ...known };
};
const reports = async (): Promise<unknown> => (await detail())?.health;
const hits = async (): Promise<HitRow[]> => valueOf(await fleet.hits.page({ limit: 10 }));
const events = async (): Promise<TimelineEvent[]> => valueOf(await new Timeline(db).page({ limit: 50 }));
const arrived = async (): Promise<number[]> =>
  (await all<{ seq: number }>('SELECT seq FROM items ORDER BY id')).map((item) => item.seq);
const codes = async (): Promise<string[]> => ((await row())?.conditions ?? []).map(({ code }) => code);
describe.each(databases('what terminals say, on PostgreSQL'))('on $name', (kind) => {
  beforeEach(async () => {
    at = await kind.open([controllerSchema]);
    clock = new TestClock();
    registry = new Map([registered('T-1'), registered('T-2')].map((one) => [one.terminal, one]));
    told = { terminals: [], hits: [] };
    logged = [];
    consumers = [];
    reachedAt = clock.monotonic();
    await open();
  });

  afterEach(async () => {
    await fleet.close();
    await at.close();
  });

  describe('what terminals owe', () => {
    test('a batch is stored and acknowledged up to its last number', async () => {
      expect(await deliver([entry(1), entry(2)])).toBe(2);
      expect(await arrived()).toEqual([1, 2]);
    });

    test('a batch that comes 1800 times (MQTT.js#301) is stored once and acknowledged each time', async () => {
      const again = await Promise.all(Array.from({ length: 1800 }, () => deliver([entry(1), entry(2)])));
      expect(again).toEqual(Array.from({ length: 1800 }, () => 2));
      expect(await arrived()).toEqual([1, 2]);
      expect(tally.items.doubled).toBe(3598);
    });

    test('a batch that overlaps the one before adds only what is new', async () => {
      await deliver([entry(1), entry(2)]);
      expect(await deliver([entry(2), entry(3)])).toBe(3);
      expect(await arrived()).toEqual([1, 2, 3]);
    });

    test('a batch ahead of a hole that the terminal still keeps is left until the hole is filled', async () => {
      await deliver([entry(1)]);
      expect(await deliver([entry(4), entry(5)], { oldest: 2 })).toBe(1);
      expect(await deliver([entry(2), entry(3), entry(4), entry(5)])).toBe(5);
      expect(await arrived()).toEqual([1, 2, 3, 4, 5]);
    });

    test('a hole inside a batch ends what is acknowledged of it', async () => {
      expect(await deliver([entry(1), entry(3)])).toBe(1);
      expect(await arrived()).toEqual([1]);
    });

    test('what the terminal no longer keeps is recorded as lost and shown, not waited for', async () => {
      await deliver([entry(1)]);
      expect(await deliver([entry(5)])).toBe(5);
      expect(await all('SELECT from_seq, to_seq FROM lost_items')).toEqual([{ from_seq: 2, to_seq: 4 }]);
      expect(await codes()).toEqual(['items-lost']);
      expect(tally.items.lost).toBe(3);
      await clock.advance(31 * 86_400_000);
      await judge();
      expect(await codes()).toEqual([]);
    });

    test('what a batch itself brings is never recorded as lost, whatever it says is its oldest', async () => {
      expect(await deliver([entry(1), entry(2)], { oldest: 2 })).toBe(2);
      expect(await all('SELECT * FROM lost_items')).toEqual([]);
    });

    test('a new stream of the same terminal counts from 1 beside the old one', async () => {
      await deliver([entry(1), entry(2)]);
      expect(await deliver([entry(1)], { stream: otherStream })).toBe(1);
      expect(await arrived()).toEqual([1, 2, 1]);
    });

    test('the same numbers of two terminals are two items', async () => {
      await deliver([entry(1)]);
      expect(await deliver([entry(1)], {}, 'T-2')).toBe(1);
      expect(await all('SELECT terminal FROM items ORDER BY id')).toEqual([
        { terminal: 'T-1' },
        { terminal: 'T-2' },
      ]);
    });

    test('however batches are repeated, cut and reordered, every item is stored once and in order', async () => {
      const batches = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 6 })), {
        maxLength: 30,
      });
      await fc.assert(
        fc.asyncProperty(batches, fc.uuid({ version: 7 }), async (plan, id) => {
          let acknowledged = 0;
          for (const [from, length] of plan) {
            // A terminal forgets what was acknowledged, and never sends what it does not have.
            const entries = Array.from({ length }, (_, i) => entry(from + i));
            const through = await deliver(entries, { stream: id, oldest: Math.min(from, acknowledged + 1) });
            expect(through).toBeGreaterThanOrEqual(acknowledged);
            acknowledged = through;
          }
          const seqs = await all<{ seq: number }>('SELECT seq FROM items WHERE stream = ? ORDER BY id', id);
          expect(seqs.map(({ seq }) => seq)).toEqual(Array.from({ length: acknowledged }, (_, i) => i + 1));
        }),
        { numRuns: 50 },
      );
    });

    test('after a crash before the acknowledgement, the repeated batch is acknowledged and stored once', async () => {
      await deliver([entry(1)]);
      await fleet.close();
      await at.reopen();
      await open();
      expect(await deliver([entry(1)])).toBe(1);
      expect(await arrived()).toEqual([1]);
    });

    test('another content under a number that has arrived is kept beside and shown as a cloned identity', async () => {
      await deliver([entry(1)]);
      expect(await deliver([entry(1, head(99))])).toBe(1);
      await deliver([entry(1, head(99))]);
      const kept = await all<{ body: string }>('SELECT body FROM conflicts');
      expect(kept.map(({ body }) => JSON.parse(body) as unknown)).toEqual([entry(1, head(99))]);
      expect(await codes()).toEqual(['identity-cloned']);
      expect(tally.refusedFor('conflict')).toBe(1);
    });

    test('numbers that a terminal gave up for want of space are not lost, whatever of them had arrived', async () => {
      await deliver([entry(1), entry(2)]);
      expect(await deliver([entry(6, { kind: 'thinned', count: 5 }), entry(7)], { oldest: 6 })).toBe(7);
      expect(await deliver([entry(6, { kind: 'thinned', count: 5 }), entry(7)], { oldest: 6 })).toBe(7);
      expect(await arrived()).toEqual([1, 2, 7]);
      expect(await all('SELECT * FROM lost_items')).toEqual([]);
      expect(await all('SELECT * FROM conflicts')).toEqual([]);
      expect(await codes()).toEqual([]);
      // A run that begins behind a hole waits for what fills it.
      expect(await deliver([entry(12, { kind: 'thinned', count: 3 })], { oldest: 8 })).toBe(7);
    });

    test('an item that its terminal can no longer read is no conflict with what has arrived', async () => {
      await deliver([entry(1)]);
      await deliver([entry(1, { kind: 'item-damaged', reason: 'seal' })]);
      expect(await all('SELECT * FROM conflicts')).toEqual([]);
      expect(await codes()).toEqual([]);
    });

    test('when the database fails, nothing is acknowledged, and the terminal stays as it was', async () => {
      await birth(1);
      await db.transaction((tx) => tx.run('ALTER TABLE items RENAME TO away'));
      const taken = await say('outbox', { v: 1, stream, oldest: 1, entries: [entry(1)] });
      expect(taken.reply).toBeUndefined();
      expect(taken.fault?.code).toBe('STORE_FAILED');
      expect(await row()).toMatchObject({ state: 'online' });
      expect(db.errors()).toBe(1);
      await db.transaction((tx) => tx.run('ALTER TABLE away RENAME TO items'));
      expect(await deliver([entry(1)])).toBe(1);
    });

    test('what the database will never take is refused, and does not come again for ever in the way of all others', async () => {
      consumers.push({
        item: async (tx) => {
          await tx.run('INSERT INTO streams (terminal, stream, through) VALUES (NULL, NULL, NULL)');
        },
      });
      const taken = await say('outbox', { v: 1, stream, oldest: 1, entries: [entry(1)] });
      expect(taken).toEqual({});
      expect(ingest.refused()).toEqual({ failed: 1 });
      expect(await arrived()).toEqual([]);
    });

    test('a number of a report that is no number of ours is refused, and does not end the session with the broker', async () => {
      await birth(1);
      const message = { v: 1, session: 1, at: '2026-01-15T08:00:00.000Z', full: true, report: {} };
      expect(await say('health', { ...message, seq: 1e300 })).toEqual({});
      expect(ingest.refused()).toEqual({ invalid: 1 });
    });

    test('what arrives together is one transaction; a message that breaks it does not take the others with it', async () => {
      consumers.push({
        item: async (tx, from) => {
          if (from.terminal === 'T-2') await tx.run('INSERT INTO nowhere VALUES (1)');
        },
      });
      const [good, bad, late] = await Promise.all([
        say('outbox', { v: 1, stream, oldest: 1, entries: [entry(1)] }),
        say('outbox', { v: 1, stream, oldest: 1, entries: [entry(1)] }, 'T-2'),
        say('outbox', { v: 1, stream, oldest: 1, entries: [entry(2)] }),
      ]);
      expect([good.reply?.payload, late.reply?.payload].map((text) => text?.slice(-12))).toEqual([
        '"through":1}',
        '"through":2}',
      ]);
      expect(bad).toMatchObject({ fault: { code: 'STORE_FAILED' } });
      expect(await arrived()).toEqual([1, 2]);
    });
  });

  describe('hits', () => {
    test('a hit has its number masked; the database keeps the number for the bureau', async () => {
      await deliver([entry(1, hit())]);
      const [one] = await hits();
      expect(parseValue(HitRow, one, 'INTERNAL')).toMatchObject({ ok: true });
      expect(one).toMatchObject({
        terminal: 'T-1',
        bureau: 'UTO',
        site: 'UTO-0001',
        hit: { document: { documentNumber: '••••••2C3' } },
      });
      expect(JSON.stringify([await hits(), await events()])).not.toMatch(/L898902C/);
      expect((await all<{ body: string }>('SELECT body FROM items'))[0]?.body).toContain(number);
    });

    test('acknowledgement and confirmation come to the hit of their lookup, each told as a whole view', async () => {
      const tell = async (n: number): Promise<void> => {
        await eventually(async () => {
          await fleet.refresh();
          return told.hits.length >= n;
        });
      };
      await deliver([entry(1, hit())]);
      await tell(1);
      await deliver([entry(2, { kind: 'confirmation', lookup, result: 'disagrees' })]);
      await tell(2);
      await deliver([
        entry(3, { kind: 'hit-acknowledged', lookup, outcome: 'document-held', officer: 'unassigned' }),
      ]);
      await tell(3);
      expect(
        told.hits.map(({ id, confirmation, acknowledged }) => [id, confirmation, acknowledged?.outcome]),
      ).toEqual([
        [1, null, undefined],
        [1, 'disagrees', undefined],
        [1, 'disagrees', 'document-held'],
      ]);
      expect(await hits()).toEqual([told.hits.at(-1)]);
    });

    test('an acknowledgement of one terminal does not touch the hit of another', async () => {
      await deliver([entry(1, hit())]);
      await deliver(
        [entry(1, { kind: 'hit-acknowledged', lookup, outcome: 'false-alarm', officer: 'unassigned' })],
        {},
        'T-2',
      );
      expect(await hits()).toMatchObject([{ terminal: 'T-1', acknowledged: null }]);
    });

    test('only hits that are not of training count as unacknowledged', async () => {
      await deliver([
        entry(1, hit()),
        entry(2, { ...hit(otherStream), training: true } as OwedItem),
        entry(3, { kind: 'store-replaced', file: 'x' }),
      ]);
      expect(await hits()).toHaveLength(2);
      expect(valueOf(await fleet.hits.page({ open: true, limit: 10 }))).toHaveLength(1);
      expect(await fleet.hits.unacknowledged()).toEqual({ ok: true, value: 1 });
    });

    test('a page goes on before the last of the page before, and a bureau sees its own', async () => {
      await deliver([entry(1, hit()), entry(2, hit(otherStream))]);
      const [newest] = valueOf(await fleet.hits.page({ limit: 1 }));
      expect(newest?.id).toBe(2);
      expect(valueOf(await fleet.hits.page({ limit: 9, before: 2 })).map(({ id }) => id)).toEqual([1]);
      expect(valueOf(await fleet.hits.page({ limit: 9, bureau: 'XXX' }))).toEqual([]);
    });

    test('no line of the log and no event holds a document number', async () => {
      await deliver([entry(1, hit())]);
      await deliver([entry(1, { ...hit(), late: true } as OwedItem)]);
      await say('outbox', { v: 1, stream, oldest: 1, entries: [{ ...entry(2, hit()), surplus: number }] });
      expect(logged.length).toBeGreaterThan(0);
      expect(logged.join('\n')).not.toMatch(/L898902C/);
      expect(JSON.stringify(await events())).not.toMatch(/L898902C/);
    });
  });

  describe('the state of a terminal', () => {
    /** Waits until the view has heard of it. */
    const seen = (wanted: string): Promise<unknown> =>
      eventually(async () => {
        await fleet.refresh();
        return fleet.terminal('T-1')?.state === wanted;
      });

    test('a registered terminal that was never heard of is never; a birth makes it online, a death offline', async () => {
      expect(await state()).toMatchObject({ state: 'never', lastSeen: null, session: 0, health: {} });
      await birth(1);
      expect(await state()).toMatchObject({
        state: 'online',
        session: 1,
        version: '0.1.0',
        lastSeen: '2026-01-15T08:00:00.000Z',
      });
      await clock.advance(5000);
      await death(1);
      // The will is the broker's word: it is not when the terminal was last seen.
      expect(await state()).toMatchObject({
        state: 'offline',
        since: '2026-01-15T08:00:05.000Z',
        lastSeen: '2026-01-15T08:00:00.000Z',
      });
      expect(parseValue(TerminalDetail, await detail(), 'INTERNAL')).toMatchObject({ ok: true });
      await eventually(async () => {
        await fleet.refresh();
        return told.terminals.at(-1)?.state === 'offline';
      });
      for (const one of told.terminals)
        expect(parseValue(TerminalRow, one, 'INTERNAL')).toMatchObject({ ok: true });
      expect(fleet.counts()).toEqual({ online: 0, suspect: 0, offline: 1, never: 1 });
    });

    test('the will of an old connection that arrives after the birth of a new one is ignored', async () => {
      await birth(1);
      await birth(2);
      await death(1);
      expect(await state()).toMatchObject({ state: 'online', session: 2 });
      expect(tally.refusedFor('older-session')).toBe(1);
    });

    test('a birth of an older session is ignored', async () => {
      await birth(5);
      await birth(4, { version: '0.0.9' });
      expect(await state()).toMatchObject({ session: 5, version: '0.1.0' });
    });

    test('a death of a newer session counts: its birth was missed', async () => {
      await birth(1);
      await death(3);
      expect(await state()).toMatchObject({ state: 'offline', session: 3 });
    });

    test('a birth that comes again after the death of its session does not raise it', async () => {
      await birth(1);
      await death(1);
      await birth(1);
      expect(await state()).toMatchObject({ state: 'offline' });
    });

    test('the same session from another boot is a cloned identity: counted, logged, shown until it is enrolled again', async () => {
      await birth(7);
      await birth(7, { boot: 'boot-b' });
      await death(7, { boot: 'boot-b' });
      expect(await state()).toMatchObject({ state: 'online', session: 7 });
      expect(await codes()).toEqual(['identity-cloned']);
      expect(tally.refusedFor('cloned-identity')).toBe(2);
      expect(logged.join('\n')).toContain('Two machines use the identity');
      registry.set('T-1', registered('T-1', 'b'.repeat(64)));
      await birth(8);
      expect(await codes()).toEqual([]);
    });

    test('of two machines with one session the one that stays is shown, whichever was known first', async () => {
      await birth(7);
      await birth(7, { boot: 'boot-b' });
      await death(7);
      expect(await state()).toMatchObject({ state: 'online', session: 7 });
      await health(7, 1, { audit: { entries: 3 } });
      expect(await reports()).toEqual({ audit: { entries: 3 } });
      await death(7);
      expect(await state()).toMatchObject({ state: 'online' });
      await death(7, { boot: 'boot-b' });
      expect(await state()).toMatchObject({ state: 'offline', session: 7 });
      expect(await codes()).toEqual(['identity-cloned']);
    });

    test('of two machines with one session the second is believed where the first has left before', async () => {
      await birth(7);
      await death(7);
      await birth(7, { boot: 'boot-b' });
      expect(await state()).toMatchObject({ state: 'online', session: 7 });
      expect(await codes()).toEqual(['identity-cloned']);
      await death(7, { boot: 'boot-b' });
      expect(await state()).toMatchObject({ state: 'offline', session: 7 });
    });

    test('an old copy of a terminal, whose sessions have lower numbers, is found at its second birth', async () => {
      await birth(100);
      await birth(20, { boot: 'boot-b' });
      expect(await codes()).toEqual([]);
      await birth(20, { boot: 'boot-b' });
      await birth(101);
      expect(await codes()).toEqual([]);
      await birth(21, { boot: 'boot-b' });
      expect(await codes()).toEqual(['identity-cloned']);
      expect(await state()).toMatchObject({ state: 'online', session: 101 });
    });

    test('a terminal that was enrolled again counts its sessions from 1', async () => {
      await birth(500);
      registry.set('T-1', registered('T-1', 'b'.repeat(64)));
      await birth(1, { boot: 'boot-b' });
      expect(await state()).toMatchObject({ state: 'online', session: 1 });
      await death(500);
      expect(await state()).toMatchObject({ state: 'online', session: 1 });
    });

    test('a terminal that says that its store was replaced is believed its low session', async () => {
      await birth(500);
      await birth(1, { boot: 'boot-b' });
      expect(await state()).toMatchObject({ session: 500 });
      await deliver([entry(1, { kind: 'store-replaced', file: 'checkpost.db.damaged' })], {
        stream: otherStream,
      });
      expect(await state()).toMatchObject({ state: 'online', session: 1 });
    });

    test('a terminal whose store was wiped is believed its low session when its new stream begins', async () => {
      await birth(500);
      await deliver([entry(1)]);
      // A first stream alone says nothing of a store before it.
      await birth(499, { boot: 'boot-0' });
      expect(await state()).toMatchObject({ session: 500 });
      await birth(1, { boot: 'boot-b' });
      await deliver([entry(1)], { stream: otherStream });
      expect(await state()).toMatchObject({ state: 'online', session: 1 });
    });

    test('health is merged in rising order of the current session, and a full report replaces it', async () => {
      await birth(1);
      await health(1, 1, { disk: { totalBytes: 10, freeBytes: 5 }, audit: { entries: 1 } }, true);
      await health(1, 3, { audit: { entries: 3 } });
      await health(1, 2, { audit: { entries: 2 } });
      expect(await reports()).toEqual({ disk: { totalBytes: 10, freeBytes: 5 }, audit: { entries: 3 } });
      await health(1, 4, { audit: { entries: 4 } }, true);
      expect(await reports()).toEqual({ audit: { entries: 4 } });
    });

    test('health of another session is ignored, and a new session counts its health from 1', async () => {
      await birth(1);
      await health(1, 9, { audit: { entries: 9 } });
      await birth(2);
      await health(1, 10, { audit: { entries: 10 } });
      await health(2, 1, { audit: { entries: 11 } });
      expect(await reports()).toEqual({ audit: { entries: 11 } });
      expect(tally.refusedFor('other-session')).toBe(1);
    });

    test('health after the death of its session does not make the terminal online', async () => {
      await birth(1);
      await death(1);
      await health(1, 1, { audit: { entries: 1 } });
      expect(await state()).toMatchObject({ state: 'offline', health: {} });
    });

    test('who says nothing after the broker lost its memory is offline, and comes back with its next word', async () => {
      await birth(1);
      await seen('online');
      ingest.reached();
      reachedAt = clock.monotonic();
      await judge();
      expect(await state()).toMatchObject({ state: 'online' });
      await clock.advance(45_000);
      await judge();
      expect(await state()).toMatchObject({ state: 'suspect', session: 1 });
      await seen('suspect');
      await clock.advance(tolerance - 45_000);
      await judge();
      expect(await state()).toMatchObject({ state: 'offline', session: 1 });
      await health(1, 1, { audit: { entries: 1 } });
      expect(await state()).toMatchObject({ state: 'online' });
      await seen('online');
      await clock.advance(tolerance);
      await judge();
      expect(await state()).toMatchObject({ state: 'online' });
      expect((await events()).map(({ text }) => text)).toEqual([
        'Online',
        'Offline: silent, and the broker does not know of it',
        'Silent for longer than it should be',
        'Online',
      ]);
    });

    test('a birth that the broker repeats changes nothing and tells nobody', async () => {
      await birth(1);
      await seen('online');
      const announced: string[] = [];
      db.listen(({ key }) => announced.push(key));
      await birth(1);
      await db.transaction(async (tx) => tx.announce('terminal', 'end'));
      await eventually(() => announced.includes('end'));
      expect(announced).toEqual(['end']);
    });

    test('in the metered profile a verdict about silence takes 15 minutes', async () => {
      await birth(1, { keepAlive: 600 });
      expect(await detail()).toMatchObject({ keepAliveSeconds: 600 });
      await seen('online');
      ingest.reached();
      reachedAt = clock.monotonic();
      await clock.advance(899_000);
      await judge();
      expect(await state()).toMatchObject({ state: 'online' });
      await clock.advance(1000);
      await judge();
      expect(await state()).toMatchObject({ state: 'offline' });
    });

    test('while there is no session with the broker, nobody is judged: that is our own condition', async () => {
      await birth(1);
      await seen('online');
      ingest.reached();
      reachedAt = undefined;
      await clock.advance(86_400_000);
      await judge();
      expect(await state()).toMatchObject({ state: 'online' });
    });

    test('one that was heard of and then misses its full reports is suspect, and online with its next word', async () => {
      await birth(1);
      await seen('online');
      await clock.advance(1.5 * 3_600_000);
      await judge();
      expect(await state()).toMatchObject({ state: 'suspect' });
      await health(1, 1, {});
      expect(await state()).toMatchObject({ state: 'online' });
    });

    test('in the metered profile full reports are six hours apart: between them nobody is suspect', async () => {
      await birth(1, { keepAlive: 600 });
      await seen('online');
      await clock.advance(6.5 * 3_600_000);
      await judge();
      expect(await state()).toMatchObject({ state: 'online' });
      await clock.advance(2.5 * 3_600_000);
      await judge();
      expect(await state()).toMatchObject({ state: 'suspect' });
    });

    test('health of a session whose birth is still on its way is its birth; the birth is no second machine', async () => {
      await birth(1);
      await health(2, 1, { audit: { entries: 5 } }, true);
      expect(await state()).toMatchObject({ state: 'online', session: 2, health: { audit: { entries: 5 } } });
      await death(1);
      await birth(2, { boot: 'boot-b', version: '0.2.0' });
      expect(await state()).toMatchObject({
        state: 'online',
        session: 2,
        boot: 'boot-b',
        version: '0.2.0',
        health: { audit: { entries: 5 } },
      });
      expect(await codes()).toEqual([]);
      await birth(2, { boot: 'boot-c' });
      expect(await codes()).toEqual(['identity-cloned']);
    });

    test('in whatever order the messages of a session arrive, each section is as its newest message says', async () => {
      const plan = Array.from({ length: 6 }, (_, i) => i + 1);
      const sections = [
        { audit: { entries: 1 }, disk: { totalBytes: 9, freeBytes: 1 } },
        { audit: { entries: 2 } },
        { disk: { totalBytes: 9, freeBytes: 3 } },
        { audit: { entries: 4 }, load: { one: 4, cpus: 1 } },
        { disk: { totalBytes: 9, freeBytes: 5 } },
        { load: { one: 6, cpus: 1 } },
      ];
      let session = 1;
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(plan, { minLength: 6 }), async (order) => {
          session += 1;
          for (const seq of order) await health(session, seq, sections[seq - 1] ?? {}, seq === 4);
          // The full report of number 4 has no disk: what came before it is gone.
          expect(await reports()).toEqual({
            audit: { entries: 4 },
            disk: { totalBytes: 9, freeBytes: 5 },
            load: { one: 6, cpus: 1 },
          });
        }),
        { numRuns: 20 },
      );
    });

    test('what happened is on the time line: state, boot, conditions that came and went, without their repetition', async () => {
      const since = '2026-01-15T07:00:00.000Z';
      await birth(1);
      await health(1, 1, { conditions: [{ code: 'reader-absent', since, subject: 'counter-1' }] });
      await health(1, 2, { conditions: [{ code: 'reader-absent', since, subject: 'counter-1' }] });
      await health(1, 3, { conditions: [] });
      await birth(2, { boot: 'boot-b' });
      await death(2, { boot: 'boot-b' });
      await deliver([
        entry(1, hit()),
        {
          ...entry(2),
          at: '2026-01-14T08:00:00.000Z',
          item: { kind: 'edition-in-use', edition: 7, date: since, count: 3 },
        },
      ]);
      const told = await events();
      expect(told.map(({ text, severity }) => [text, severity])).toEqual([
        ['Edition 7 is in use', 'info'],
        ['Hit', 'error'],
        ['Offline: the connection was lost', 'error'],
        ['The machine was started again', 'info'],
        ['Over: Reader not plugged in (counter-1)', 'info'],
        ['Reader not plugged in (counter-1)', 'error'],
        ['Online', 'info'],
      ]);
      for (const one of told) expect(parseValue(TimelineEvent, one, 'INTERNAL')).toMatchObject({ ok: true });
      expect(told[0]).toMatchObject({
        terminal: 'T-1',
        site: 'UTO-0001',
        deviceAt: '2026-01-14T08:00:00.000Z',
      });
      expect(told[1]).toMatchObject({ deviceAt: null });
      const timeline = new Timeline(db);
      const older = valueOf(await timeline.page({ terminal: 'T-1', before: told[4]?.id ?? 0, limit: 1 }));
      expect(older).toEqual([told[5]]);
      expect(valueOf(await timeline.page({ bureau: 'XXX', limit: 10 }))).toEqual([]);
      expect(valueOf(await timeline.purge('2027-01-01T00:00:00.000Z'))).toBe(7);
    });

    test('the conditions of a row are the causes alone, gravest first', async () => {
      const since = '2026-01-15T07:00:00.000Z';
      await birth(1);
      await health(1, 1, {
        conditions: ['clock-unverified', 'edition-absent'].map((code) => ({ code, since })),
        outbox: { depth: 3, oldestAt: null },
      });
      expect(await row()).toMatchObject({
        conditions: [{ code: 'edition-absent' }, { code: 'clock-unverified' }],
        owed: 3,
      });
    });
  });

  describe('what does not belong here', () => {
    test('a terminal that is not registered is refused, counted and logged once a minute', async () => {
      const batch = { v: 1, stream, oldest: 1, entries: [entry(1)] };
      for (let i = 0; i < 50; i++) expect(await say('outbox', batch, 'T-9')).toEqual({});
      expect(await arrived()).toEqual([]);
      expect(tally.refusedFor('unregistered', 'outbox')).toBe(50);
      expect(logged).toHaveLength(1);
      await clock.advance(60_000);
      await say('outbox', batch, 'T-9');
      expect(logged).toHaveLength(2);
      expect(logged[1]).toContain('"unsaid":49');
    });

    test('whatever bytes arrive under whatever topic, nothing is thrown, acknowledged or stored', async () => {
      const names = fc.constantFrom(
        topic('T-1', 'status'),
        topic('T-1', 'health'),
        topic('T-1', 'outbox'),
        topic('T-1', 'command/result'),
        'checkpost/1/T-1/other',
        '$SYS/x',
        '',
      );
      const payloads = fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
        fc.constant(Buffer.from(JSON.stringify({ v: 2, stream, oldest: 1, entries: [entry(1)] }))),
        fc.constant(Buffer.from(JSON.stringify({ v: 1, stream, oldest: 1, entries: [] }))),
        fc.constant(Buffer.from(JSON.stringify({ v: 1, stream, oldest: 1, entries: [entry(0)] }))),
        fc.constant(Buffer.from(JSON.stringify({ v: 1, session: -1, state: 'online' }))),
      );
      await fc.assert(
        fc.asyncProperty(names, payloads, async (name, payload) => {
          expect(await ingest.take(name, payload)).toEqual({});
        }),
      );
      expect(await arrived()).toEqual([]);
      expect(await state()).toMatchObject({ state: 'never' });
      expect(tally.refusedFor('invalid')).toBeGreaterThan(0);
    });

    test('what is packed is unpacked; what is too large, or unpacks to too much, is refused', async () => {
      await birth(1);
      const long = {
        conditions: Array.from({ length: 30 }, (_, n) => ({
          code: `made-up-${n}`,
          since: '2026-01-15T08:00:00.000Z',
        })),
      };
      const message = { v: 1, session: 1, seq: 1, at: '2026-01-15T08:00:00.000Z', full: true, report: long };
      const packed = pack(JSON.stringify(message));
      expect(packed[0]).toBe(0x1f);
      await ingest.take(topic('T-1', 'health'), packed);
      expect(await reports()).toEqual(long);
      const bomb = pack(JSON.stringify({ ...message, seq: 2, at: ' '.repeat(2_000_000) }));
      expect(await ingest.take(topic('T-1', 'health'), bomb)).toEqual({});
      expect(await ingest.take(topic('T-1', 'health'), Buffer.alloc(mostBytes + 1, 0x20))).toEqual({});
      expect(ingest.refused()).toEqual({ invalid: 1, oversized: 1 });
    });

    test('a NUL, which PostgreSQL does not keep, is refused and does not come again for ever', async () => {
      expect(await birth(1, { boot: 'a\u0000b' })).toEqual({});
      expect(ingest.refused()).toEqual({ invalid: 1 });
    });

    test('a message under a foreign prefix is refused and counted', async () => {
      expect(await ingest.take('checkpost/2/T-1/status', bytesOf({}))).toEqual({});
      expect(await ingest.take('other/1/T-1/status', bytesOf({}))).toEqual({});
      expect(ingest.refused()).toEqual({ 'unknown-topic': 2 });
    });

    test('an empty message, which deletes a retained one, says nothing', async () => {
      await birth(1);
      expect(await ingest.take(topic('T-1', 'status'), new Uint8Array())).toEqual({});
      expect(await state()).toMatchObject({ state: 'online' });
      expect(tally.refusals.size).toBe(0);
    });
  });

  describe('what other rooms take part in', () => {
    const reported = (session: number, running: number): Reported => ({
      v: 1,
      session,
      running,
      state: 'current',
      since: '2026-01-15T08:00:00.000Z',
      refused: null,
      settings: [],
    });
    const result: CommandResult = { v: 1, id: lookup, state: 'done', detail: '' };

    test('items once each, results and reports are given to them inside the transaction', async () => {
      const taken: string[] = [];
      consumers.push({
        item: async (_, from, { seq }) => void taken.push(`item ${from.terminal} ${seq} ${from.now}`),
        result: async (_, from, { state: how }) => void taken.push(`result ${from.terminal} ${how}`),
        reported: async (_, from, { running }) => void taken.push(`reported ${from.terminal} ${running}`),
      });
      await deliver([entry(1)]);
      await deliver([entry(1)]);
      await say('command/result', result);
      await say('reported', reported(1, 4));
      expect(taken).toEqual(['item T-1 1 2026-01-15T08:00:00.000Z', 'result T-1 done', 'reported T-1 4']);
      expect(await detail()).toMatchObject({ reported: { running: 4 } });
    });

    test('the configuration that a terminal reports is kept; one of an older session is not', async () => {
      await birth(2);
      await say('reported', reported(2, 5));
      await say('reported', reported(1, 4));
      expect(await detail()).toMatchObject({
        row: { configuration: { running: 5, wanted: 0, state: 'current' } },
        reported: { running: 5 },
      });
      expect(tally.refusedFor('older-session', 'reported')).toBe(1);
    });

    test('where one of them has a defect, the message is refused and counted, and nothing of it is kept', async () => {
      consumers.push({
        item: () => {
          throw new TypeError('a defect');
        },
      });
      expect(await say('outbox', { v: 1, stream, oldest: 1, entries: [entry(1)] })).toEqual({});
      expect(await arrived()).toEqual([]);
      expect(ingest.refused()).toEqual({ failed: 1 });
    });
  });

  describe('a flood', () => {
    test('what is beyond the share of a terminal is refused, counted and shown; the others do not notice', async () => {
      ingest = makeIngest(1);
      await birth(1);
      for (let seq = 1; seq < 100; seq++) await health(1, seq, { audit: { entries: seq } });
      // Of thirty one was the birth, and one its event.
      expect(await reports()).toEqual({ audit: { entries: 28 } });
      expect(await codes()).toEqual(['flooding']);
      expect(ingest.refused()).toEqual({ flooding: 71 });
      await say(
        'status',
        { v: 1, session: 1, state: 'online', reason: 'start', boot: 'b', version: '1' },
        'T-2',
      );
      expect(await row('T-2')).toMatchObject({ state: 'online', conditions: [] });
      await clock.advance(2000);
      await health(1, 200, { audit: { entries: 200 } });
      expect(await reports()).toEqual({ audit: { entries: 200 } });
      await clock.advance(300_000);
      await eventually(async () => {
        await judge();
        return (await codes()).length === 0;
      });
    });

    test('few messages that bring ever new conditions are a flood as well', async () => {
      ingest = makeIngest(1);
      await birth(1);
      const since = '2026-01-01T00:00:00.000Z';
      for (let seq = 1; seq <= 10; seq++) {
        const conditions = Array.from({ length: 10 }, (_, i) => ({
          code: 'reader-missing',
          subject: `r-${seq}-${i}`,
          since,
        }));
        await health(1, seq, { conditions });
      }
      expect(await codes()).toContain('flooding');
      expect(ingest.refused()['flooding']).toBeGreaterThan(5);
    });

    test('a terminal that was without a link for a month is not held back: its batches are news', async () => {
      ingest = makeIngest(1);
      for (let seq = 1; seq <= 200; seq++) expect(await deliver([entry(seq)])).toBe(seq);
      expect(ingest.refused()).toEqual({});
    });
  });
});

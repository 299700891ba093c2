import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AlertRow, TerminalRow } from '#contracts/console.ts';
import type { HealthMessage, Status } from '#contracts/health.ts';
import type { OutboxAck, OutboxBatch, OutboxEntry, OwedItem } from '#contracts/outbox.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import { type Channel, topic } from '#contracts/topics.ts';
import { wall } from '#contracts/units.ts';
import { createLog } from '#runtime/log.ts';
import { parseValue } from '#runtime/parse.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { Ingest, type Taken } from './ingest.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type ControllerStore, openControllerStore } from './store.ts';

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

let folder: string;
let store: ControllerStore;
let clock: TestClock;
let metrics: Metrics;
let registry: Map<string, RegisteredTerminal>;
let ingest: Ingest;
let told: { terminals: TerminalRow[]; alerts: AlertRow[] };
let logged: string[];

function open(): void {
  const opened = openControllerStore(folder, clock.wall());
  if (!opened.ok) throw new Error(opened.fault.detail);
  store = opened.value.store;
  metrics = createMetrics();
  ingest = new Ingest({
    store,
    registry: { find: (id) => registry.get(id), all: () => [...registry.values()] },
    clock,
    log: createLog('trace', 'test', { write: (line) => logged.push(line) }),
    counts: metrics.counts,
    listener: { terminal: (row) => told.terminals.push(row), alert: (row) => told.alerts.push(row) },
  });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'controller-'));
  clock = new TestClock();
  registry = new Map([registered('T-1'), registered('T-2')].map((one) => [one.terminal, one]));
  told = { terminals: [], alerts: [] };
  logged = [];
  open();
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const say = (channel: Channel, message: unknown, terminal = 'T-1'): Taken =>
  ingest.take(topic(terminal, channel), Buffer.from(JSON.stringify(message)));

function birth(session: number, over: Partial<Status> = {}): Taken {
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
const death = (session: number, over: Partial<Status> = {}): Taken =>
  birth(session, { state: 'offline', reason: 'lost', ...over });

function health(session: number, seq: number, report: HealthMessage['report'], full = false): Taken {
  const message: HealthMessage = { v: 1, session, seq, at: '2026-01-15T08:00:00.000Z', full, report };
  return say('health', message);
}

/** Delivers and gives the number that was acknowledged. */
function deliver(entries: OutboxEntry[], over: Partial<OutboxBatch> = {}, terminal = 'T-1'): number {
  const batch: OutboxBatch = { v: 1, stream, oldest: entries[0]?.seq ?? 1, entries, ...over };
  const { reply } = say('outbox', batch, terminal);
  expect(reply?.topic).toBe(topic(terminal, 'outbox/ack'));
  const ack = JSON.parse(reply?.payload ?? '') as OutboxAck;
  expect(ack.stream).toBe(batch.stream);
  return ack.through;
}

const row = (terminal = 'T-1'): TerminalRow | undefined =>
  ingest.rows().find((one) => one.terminal === terminal);
const arrived = (): number[] =>
  store.all<{ seq: number }>('SELECT seq FROM items ORDER BY id').map((item) => item.seq);
const codes = (): string[] => (row()?.health.conditions ?? []).map(({ code }) => code);
async function counted(line: RegExp): Promise<number> {
  const text = await metrics.text({
    terminals: () => ingest.rows(),
    unacknowledged: () => ingest.alerts.unacknowledged(),
    storeErrors: () => store.errors(),
    connected: () => true,
    lookups: () => ({ lookups: 7, refused: 1, collectionVersion: 3, records: 20 }),
    clock,
  });
  const found = text.split('\n').find((one) => line.test(one));
  return Number(found?.split(' ').at(-1) ?? 0);
}

describe('what terminals owe', () => {
  test('a batch is stored and acknowledged up to its last number', () => {
    expect(deliver([entry(1), entry(2)])).toBe(2);
    expect(arrived()).toEqual([1, 2]);
  });

  test('a batch that comes 1800 times (MQTT.js#301) is stored once and acknowledged each time', async () => {
    for (let i = 0; i < 1800; i++) expect(deliver([entry(1), entry(2)])).toBe(2);
    expect(arrived()).toEqual([1, 2]);
    expect(await counted(/^checkpost_outbox_items_doubled_total/)).toBe(3598);
  });

  test('a batch that overlaps the one before adds only what is new', () => {
    deliver([entry(1), entry(2)]);
    expect(deliver([entry(2), entry(3)])).toBe(3);
    expect(arrived()).toEqual([1, 2, 3]);
  });

  test('a batch ahead of a hole that the terminal still keeps is left until the hole is filled', () => {
    deliver([entry(1)]);
    expect(deliver([entry(4), entry(5)], { oldest: 2 })).toBe(1);
    expect(deliver([entry(2), entry(3), entry(4), entry(5)])).toBe(5);
    expect(arrived()).toEqual([1, 2, 3, 4, 5]);
  });

  test('a hole inside a batch ends what is acknowledged of it', () => {
    expect(deliver([entry(1), entry(3)])).toBe(1);
    expect(arrived()).toEqual([1]);
  });

  test('what the terminal no longer keeps is recorded as lost and shown, not waited for', async () => {
    deliver([entry(1)]);
    expect(deliver([entry(5)])).toBe(5);
    expect(store.all('SELECT from_seq, to_seq FROM lost_items')).toEqual([{ from_seq: 2, to_seq: 4 }]);
    expect(codes()).toEqual(['items-lost']);
    expect(await counted(/^checkpost_outbox_items_lost_total/)).toBe(3);
    await clock.advance(31 * 86_400_000);
    expect(codes()).toEqual([]);
  });

  test('what a batch itself brings is never recorded as lost, whatever it says is its oldest', () => {
    expect(deliver([entry(1), entry(2)], { oldest: 2 })).toBe(2);
    expect(store.all('SELECT * FROM lost_items')).toEqual([]);
  });

  test('a new stream of the same terminal counts from 1 beside the old one', () => {
    deliver([entry(1), entry(2)]);
    expect(deliver([entry(1)], { stream: otherStream })).toBe(1);
    expect(arrived()).toEqual([1, 2, 1]);
  });

  test('the same numbers of two terminals are two items', () => {
    deliver([entry(1)]);
    expect(deliver([entry(1)], {}, 'T-2')).toBe(1);
    expect(store.all('SELECT terminal FROM items ORDER BY id')).toEqual([
      { terminal: 'T-1' },
      { terminal: 'T-2' },
    ]);
  });

  test('however batches are repeated, cut and reordered, every item is stored once and in order', () => {
    const batches = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 6 })), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(batches, fc.uuid({ version: 7 }), (plan, id) => {
        let acknowledged = 0;
        for (const [from, length] of plan) {
          // A terminal forgets what was acknowledged, and never sends what it does not have.
          const entries = Array.from({ length }, (_, i) => entry(from + i));
          const through = deliver(entries, { stream: id, oldest: Math.min(from, acknowledged + 1) });
          expect(through).toBeGreaterThanOrEqual(acknowledged);
          acknowledged = through;
        }
        const seqs = store
          .all<{ seq: number }>('SELECT seq FROM items WHERE stream = ? ORDER BY id', id)
          .map(({ seq }) => seq);
        expect(seqs).toEqual(Array.from({ length: acknowledged }, (_, i) => i + 1));
      }),
      { numRuns: 50 },
    );
  });

  test('after a crash before the acknowledgement, the repeated batch is acknowledged and stored once', () => {
    deliver([entry(1)]);
    store.close();
    open();
    expect(deliver([entry(1)])).toBe(1);
    expect(arrived()).toEqual([1]);
  });

  test('another content under a number that has arrived is kept beside and shown as a cloned identity', async () => {
    deliver([entry(1)]);
    expect(deliver([entry(1, head(99))])).toBe(1);
    deliver([entry(1, head(99))]);
    expect(
      store
        .all<{ body: string }>('SELECT body FROM conflicts')
        .map(({ body }) => JSON.parse(body) as unknown),
    ).toEqual([entry(1, head(99))]);
    expect(codes()).toEqual(['identity-cloned']);
    expect(await counted(/reason="conflict"/)).toBe(1);
  });

  test('an item that its terminal can no longer read is no conflict with what has arrived', () => {
    deliver([entry(1)]);
    deliver([entry(1, { kind: 'item-damaged', reason: 'seal' })]);
    expect(store.all('SELECT * FROM conflicts')).toEqual([]);
    expect(codes()).toEqual([]);
  });

  test('when the database fails, nothing is acknowledged, and the terminal stays as it was', async () => {
    birth(1);
    const intruder = new Database(join(folder, 'controller.db'));
    intruder.exec(`CREATE TRIGGER refuse BEFORE INSERT ON items BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    const taken = say('outbox', { v: 1, stream, oldest: 1, entries: [entry(1)] });
    expect(taken.reply).toBeUndefined();
    expect(taken.fault?.code).toBe('STORE_FAILED');
    expect(row()).toMatchObject({ state: 'online', health: {} });
    expect(await counted(/^checkpost_store_errors_total/)).toBe(1);
    intruder.exec('DROP TRIGGER refuse');
    intruder.close();
    expect(deliver([entry(1)])).toBe(1);
  });
});

describe('alerts', () => {
  test('a hit is an alert with its number masked; the database keeps the number for the bureau', () => {
    deliver([entry(1, hit())]);
    const [alert] = told.alerts;
    expect(parseValue(AlertRow, alert, 'INTERNAL')).toMatchObject({ ok: true });
    expect(alert?.item).toMatchObject({ document: { documentNumber: '••••••2C3' } });
    expect(JSON.stringify(alert)).not.toMatch(/L898902C/);
    expect(store.get<{ body: string }>('SELECT body FROM items')?.body).toContain(number);
  });

  test('acknowledgement and confirmation come to the alert of their lookup, each told as a whole view', () => {
    deliver([entry(1, hit())]);
    deliver([entry(2, { kind: 'confirmation', lookup, result: 'disagrees' })]);
    deliver([
      entry(3, { kind: 'hit-acknowledged', lookup, outcome: 'document-held', officer: 'unassigned' }),
    ]);
    expect(
      told.alerts.map(({ id, centralConfirmation, acknowledged }) => [
        id,
        centralConfirmation,
        acknowledged?.outcome,
      ]),
    ).toEqual([
      [1, null, undefined],
      [1, 'disagrees', undefined],
      [1, 'disagrees', 'document-held'],
    ]);
    expect(ingest.alerts.latest(10)).toEqual([told.alerts.at(-1)]);
  });

  test('an acknowledgement of one terminal does not touch the hit of another', () => {
    deliver([entry(1, hit())]);
    deliver(
      [entry(1, { kind: 'hit-acknowledged', lookup, outcome: 'false-alarm', officer: 'unassigned' })],
      {},
      'T-2',
    );
    expect(ingest.alerts.latest(10)).toMatchObject([{ terminal: 'T-1', acknowledged: null }]);
  });

  test('only hits that are not of training count as unacknowledged', async () => {
    deliver([
      entry(1, hit()),
      entry(2, { ...hit(otherStream), training: true } as OwedItem),
      entry(3, { kind: 'store-replaced', file: 'x' }),
    ]);
    expect(ingest.alerts.latest(10)).toHaveLength(3);
    expect(await counted(/^checkpost_alerts_unacknowledged/)).toBe(1);
  });

  test('no line of the log holds a document number', () => {
    deliver([entry(1, hit())]);
    deliver([entry(1, { ...hit(), late: true } as OwedItem)]);
    say('outbox', { v: 1, stream, oldest: 1, entries: [{ ...entry(2, hit()), surplus: number }] });
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join('\n')).not.toMatch(/L898902C/);
  });
});

describe('the state of a terminal', () => {
  test('a registered terminal that was never heard of is never; a birth makes it online, a death offline', async () => {
    expect(row()).toMatchObject({ state: 'never', lastSeen: null, session: 0, health: {} });
    birth(1);
    expect(row()).toMatchObject({
      state: 'online',
      session: 1,
      version: '0.1.0',
      lastSeen: '2026-01-15T08:00:00.000Z',
    });
    await clock.advance(5000);
    death(1);
    // The will is the broker's word: it is not when the terminal was last seen.
    expect(row()).toMatchObject({
      state: 'offline',
      since: '2026-01-15T08:00:05.000Z',
      lastSeen: '2026-01-15T08:00:00.000Z',
    });
    expect(told.terminals.map(({ state }) => state)).toEqual(['online', 'offline']);
    for (const one of told.terminals)
      expect(parseValue(TerminalRow, one, 'INTERNAL')).toMatchObject({ ok: true });
  });

  test('the will of an old connection that arrives after the birth of a new one is ignored', async () => {
    birth(1);
    birth(2);
    death(1);
    expect(row()).toMatchObject({ state: 'online', session: 2 });
    expect(await counted(/reason="older-session"/)).toBe(1);
  });

  test('a birth of an older session is ignored', () => {
    birth(5);
    birth(4, { version: '0.0.9' });
    expect(row()).toMatchObject({ session: 5, version: '0.1.0' });
  });

  test('a death of a newer session counts: its birth was missed', () => {
    birth(1);
    death(3);
    expect(row()).toMatchObject({ state: 'offline', session: 3 });
  });

  test('a birth that comes again after the death of its session does not raise it', () => {
    birth(1);
    death(1);
    birth(1);
    expect(row()).toMatchObject({ state: 'offline' });
  });

  test('the same session from another boot is a cloned identity: counted, logged, shown until it is enrolled again', async () => {
    birth(7);
    birth(7, { boot: 'boot-b' });
    death(7, { boot: 'boot-b' });
    expect(row()).toMatchObject({ state: 'online', session: 7 });
    expect(codes()).toEqual(['identity-cloned']);
    expect(await counted(/reason="cloned-identity"/)).toBe(2);
    expect(logged.join('\n')).toContain('Two machines use the identity');
    registry.set('T-1', registered('T-1', 'b'.repeat(64)));
    birth(8);
    expect(codes()).toEqual([]);
  });

  test('a terminal that was enrolled again counts its sessions from 1', () => {
    birth(500);
    registry.set('T-1', registered('T-1', 'b'.repeat(64)));
    birth(1, { boot: 'boot-b' });
    expect(row()).toMatchObject({ state: 'online', session: 1 });
    death(500);
    expect(row()).toMatchObject({ state: 'online', session: 1 });
  });

  test('a terminal that says that its store was replaced is believed its low session', () => {
    birth(500);
    birth(1, { boot: 'boot-b' });
    expect(row()).toMatchObject({ session: 500 });
    deliver([entry(1, { kind: 'store-replaced', file: 'checkpost.db.damaged' })], { stream: otherStream });
    expect(row()).toMatchObject({ state: 'online', session: 1 });
  });

  test('health is merged in rising order of the current session, and a full report replaces it', () => {
    birth(1);
    health(1, 1, { disk: { totalBytes: 10, freeBytes: 5 }, audit: { entries: 1 } }, true);
    health(1, 3, { audit: { entries: 3 } });
    health(1, 2, { audit: { entries: 2 } });
    expect(row()?.health).toEqual({ disk: { totalBytes: 10, freeBytes: 5 }, audit: { entries: 3 } });
    health(1, 4, { audit: { entries: 4 } }, true);
    expect(row()?.health).toEqual({ audit: { entries: 4 } });
  });

  test('health of another session is ignored, and a new session counts its health from 1', async () => {
    birth(1);
    health(1, 9, { audit: { entries: 9 } });
    birth(2);
    health(1, 10, { audit: { entries: 10 } });
    health(2, 1, { audit: { entries: 11 } });
    expect(row()?.health).toEqual({ audit: { entries: 11 } });
    expect(await counted(/reason="other-session"/)).toBe(1);
  });

  test('health after the death of its session does not make the terminal online', () => {
    birth(1);
    death(1);
    health(1, 1, { audit: { entries: 1 } });
    expect(row()).toMatchObject({ state: 'offline', health: {} });
  });

  test('who says nothing after the broker lost its memory is offline, and comes back with its next word', () => {
    birth(1);
    ingest.reached();
    ingest.sweep();
    expect(row()).toMatchObject({ state: 'offline', session: 1 });
    health(1, 1, { audit: { entries: 1 } });
    expect(row()).toMatchObject({ state: 'online' });
    ingest.sweep();
    expect(row()).toMatchObject({ state: 'online' });
  });

  test('a birth that the broker repeats changes nothing and tells nobody', () => {
    birth(1);
    birth(1);
    expect(told.terminals).toHaveLength(1);
  });
});

describe('what does not belong here', () => {
  test('a terminal that is not registered is refused, counted and logged once a minute', async () => {
    const batch = { v: 1, stream, oldest: 1, entries: [entry(1)] };
    for (let i = 0; i < 50; i++) expect(say('outbox', batch, 'T-9')).toEqual({});
    expect(arrived()).toEqual([]);
    expect(await counted(/channel="outbox",reason="unregistered"/)).toBe(50);
    expect(logged).toHaveLength(1);
    await clock.advance(60_000);
    say('outbox', batch, 'T-9');
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
    fc.assert(
      fc.property(names, payloads, (name, payload) => {
        expect(ingest.take(name, payload)).toEqual({});
      }),
    );
    expect(arrived()).toEqual([]);
    expect(row()).toMatchObject({ state: 'never' });
    expect(await counted(/reason="invalid"/)).toBeGreaterThan(0);
  });

  test('an empty message, which deletes a retained one, says nothing', async () => {
    birth(1);
    expect(ingest.take(topic('T-1', 'status'), new Uint8Array())).toEqual({});
    expect(row()).toMatchObject({ state: 'online' });
    expect(await counted(/^checkpost_messages_refused_total/)).toBe(0);
  });
});

describe('metrics', () => {
  test('terminals by state, the age of the last word, items and lookups are there', async () => {
    birth(1);
    deliver([entry(1)]);
    await clock.advance(90_000);
    expect(await counted(/^checkpost_terminals\{state="online"\}/)).toBe(1);
    expect(await counted(/^checkpost_terminals\{state="never"\}/)).toBe(1);
    expect(await counted(/^checkpost_terminal_last_seen_age_seconds\{terminal="T-1"\}/)).toBe(90);
    expect(await counted(/^checkpost_outbox_items_received_total/)).toBe(1);
    expect(await counted(/^checkpost_lookups_answered_total/)).toBe(7);
    expect(await counted(/^checkpost_lookups_answered_total/)).toBe(7);
  });
});

describe('the database', () => {
  test('a second controller on the same folder is refused', () => {
    expect(openControllerStore(folder, clock.wall())).toMatchObject({
      ok: false,
      fault: { code: 'STORE_LOCKED' },
    });
  });

  test('a damaged one is set aside whole, and a new one is begun', () => {
    store.close();
    for (const suffix of ['-wal', '-shm']) rmSync(join(folder, `controller.db${suffix}`), { force: true });
    writeFileSync(
      join(folder, 'controller.db'),
      'this is not a database, whatever its name says. '.repeat(100),
    );
    const opened = openControllerStore(folder, wall(Date.parse('2026-01-15T08:00:00.000Z')));
    if (!opened.ok) throw new Error(opened.fault.detail);
    store = opened.value.store;
    expect(opened.value.setAside).toBe('controller.db.damaged-2026-01-15T08-00-00-000Z');
    expect(readdirSync(folder)).toContain(opened.value.setAside);
  });

  test('one of a newer release is left alone', () => {
    store.close();
    const newer = new Database(join(folder, 'controller.db'));
    newer.pragma('user_version = 99');
    newer.close();
    expect(openControllerStore(folder, clock.wall())).toMatchObject({
      ok: false,
      fault: { code: 'STORE_NEWER' },
    });
    const back = new Database(join(folder, 'controller.db'));
    back.pragma('user_version = 1');
    back.close();
    open();
  });
});

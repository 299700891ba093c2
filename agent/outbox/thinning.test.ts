import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { firstOf, maxBatch, type OutboxEntry, type OwedItem } from '#contracts/outbox.ts';
import { bytes } from '#contracts/units.ts';
import { openStore, type Store } from '../store/index.ts';
import { createOutbox, type Outbox } from './index.ts';

let folder: string;
let store: Store;
let outbox: Outbox;
const sealingKey = createSecretKey(randomBytes(32));
const begin = Date.parse('2026-01-15T08:00:00.000Z');

function open(megabytes: number): void {
  const opened = openStore(join(folder, 'checkpost.db'));
  if (!opened.ok) throw new Error(opened.fault.detail);
  store = opened.value;
  outbox = createOutbox({ store, sealingKey, budget: bytes(megabytes * 1_000_000) });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outbox-'));
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (minute: number): string => new Date(begin + minute * 60_000).toISOString();
const metric = (minute: number): OwedItem => ({
  kind: 'metric',
  at: at(minute),
  spanSeconds: 900,
  samples: { 'uplink-delay': 612, 'uplink-loss': 0.02, memory: 83_886_080, reads: minute % 17, hits: 0 },
});
const hit: OwedItem = {
  kind: 'hit',
  lookup: '01890a5d-ac96-774b-bcce-b302099a8057',
  verdict: 'hit',
  document: { issuingState: 'UTO', documentNumber: 'L898902C3', documentType: 'passport' },
  basis: 'edition',
  source: { collection: 'sltd', version: 1, date: '2026-01-15T00:00:00.000Z', count: 1 },
  age: { seconds: 60, bound: 'exact' },
  matches: [
    {
      kind: 'exact',
      record: {
        documentType: 'passport',
        kindOfLoss: 'stolen',
        reportedOn: '2025-12-01',
        reportedBy: 'UTO',
      },
    },
  ],
  officer: 'unassigned',
  reader: 'counter-1',
  training: false,
  late: false,
  recorded: true,
};
const head = (entry: number): OwedItem => ({ kind: 'audit-head', entry, hash: 'ab'.repeat(32) });
const event: OwedItem = { kind: 'edition-refused', code: 'EDITION_UNSIGNED' };

function owe(minute: number, ...items: OwedItem[]): void {
  oweAll(items.map((item) => [minute, item]));
}

/** In one transaction, so that a month does not take a month. */
function oweAll(items: readonly (readonly [minute: number, item: OwedItem])[]): void {
  const done = store.transaction(() => {
    for (const [minute, item] of items) outbox.owe(item, { at: at(minute), clock: 'verified' });
  });
  if (!done.ok) throw new Error(done.fault.detail);
}

/** Thinning goes on by itself, a stride a turn of the loop. */
async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** What a controller does: everything in order, each acknowledged. */
function drain(): OutboxEntry[] {
  const got: OutboxEntry[] = [];
  for (;;) {
    const batch = outbox.batch(maxBatch);
    if (!batch.ok) throw new Error(batch.fault.detail);
    if (batch.value === undefined) return got;
    got.push(...batch.value.entries);
    outbox.acknowledge(batch.value.entries.at(-1)?.seq ?? 0);
  }
}

/** The numbers that each entry stands for, which must follow one another. */
function expectNoHole(entries: readonly OutboxEntry[], last: number): void {
  let through = 0;
  for (const entry of entries) {
    expect(firstOf(entry)).toBe(through + 1);
    through = entry.seq;
  }
  expect(through).toBe(last);
}

const kinds = (entries: readonly OutboxEntry[], kind: string): OutboxEntry[] =>
  entries.filter(({ item }) => item.kind === kind);
const used = (): number =>
  store.get<{ bytes: number }>('SELECT sum(length(sealed) + 96) AS bytes FROM outbox')?.bytes ?? 0;

/** Thirty days of a busy post: a metric each quarter of an hour, 1500 reads a day, some hits and editions. */
async function thirtyDays(): Promise<{ count: number; hits: number; heads: number }> {
  let [count, hits, heads] = [0, 0, 0];
  for (let day = 0; day < 30; day++) {
    const items: [number, OwedItem][] = [];
    for (let minute = day * 1440 + 15; minute <= (day + 1) * 1440; minute += 15) {
      items.push([minute, metric(minute)]);
      if (minute % 90 === 0) items.push([minute, head(++heads)]);
      if (minute % 480 === 0) items.push([minute, hit]);
      if (minute % 480 === 0) hits++;
      if (minute % 720 === 0) items.push([minute, event]);
    }
    oweAll(items);
    count += items.length;
    await settled();
  }
  return { count, hits, heads };
}

test('Thirty days without a link fit in the usual budget whole, and come in order, each once', async () => {
  open(64);
  const { count, hits, heads } = await thirtyDays();
  expect(used()).toBeLessThan(1_000_000);
  const got = drain();
  expectNoHole(got, count);
  expect(kinds(got, 'metric')).toHaveLength(30 * 96);
  expect(kinds(got, 'hit')).toHaveLength(hits);
  expect(kinds(got, 'audit-head')).toHaveLength(heads);
  expect(kinds(got, 'thinned')).toEqual([]);
});

test('In a budget that is too small, the history of thirty days gets coarser all over, and what is kept is all there', async () => {
  open(0.5);
  const { count, hits, heads } = await thirtyDays();
  expect(used()).toBeLessThan(500_000);
  expect(outbox.depth()).toBe(count);
  const got = drain();
  expectNoHole(got, count);
  expect(kinds(got, 'hit')).toHaveLength(hits);
  expect(kinds(got, 'audit-head')).toHaveLength(heads);
  expect(kinds(got, 'edition-refused')).toHaveLength(60);
  const metrics = kinds(got, 'metric');
  expect(metrics.length).toBeGreaterThan(500);
  expect(metrics.length).toBeLessThan(30 * 96);
  // No day is without history, the last one least of all.
  const days = new Set(metrics.map((entry) => entry.at.slice(0, 10)));
  expect(days.size).toBeGreaterThanOrEqual(30);
  expect(metrics.at(-1)?.at).toBe(at(30 * 1440));
});

test('What was given up side by side is one row and one entry, which says for how many it stands', async () => {
  open(64);
  oweAll(Array.from({ length: 400 }, (_, minute) => [minute, metric(minute)]));
  owe(400, head(1));
  store.close();
  open(0.03);
  owe(401, head(2));
  await settled();
  const got = drain();
  expectNoHole(got, 402);
  const runs = kinds(got, 'thinned');
  expect(runs.length).toBeLessThan(120);
  const given = runs.reduce((sum, { item }) => sum + (item.kind === 'thinned' ? item.count : 0), 0);
  expect(given + kinds(got, 'metric').length).toBe(400);
});

test('Events go, the oldest first, only where no metric is left to go; hits and heads never, whatever they take', async () => {
  open(0.03);
  owe(0, ...Array.from({ length: 400 }, () => event));
  await settled();
  owe(1, ...Array.from({ length: 20 }, () => hit));
  await settled();
  const first = drain();
  expectNoHole(first, 420);
  expect(kinds(first, 'hit')).toHaveLength(20);
  expect(first[0]?.item.kind).toBe('thinned');
  expect(kinds(first, 'edition-refused').length).toBeLessThan(400);
  owe(2, ...Array.from({ length: 500 }, () => hit));
  await settled();
  expect(used()).toBeGreaterThan(30_000);
  expect(kinds(drain(), 'hit')).toHaveLength(500);
});

test('A batch that is on its way while it is thinned is acknowledged as it was sent, and the rest still follows', async () => {
  open(64);
  oweAll(Array.from({ length: 200 }, (_, minute) => [minute, metric(minute)]));
  const sent = outbox.batch(10);
  const through = sent.ok ? (sent.value?.entries.at(-1)?.seq ?? 0) : 0;
  expect(through).toBe(10);
  store.close();
  open(0.02);
  owe(200, metric(200));
  await settled();
  outbox.acknowledge(through);
  const rest = outbox.batch(maxBatch);
  const [next] = rest.ok ? (rest.value?.entries ?? []) : [];
  expect(next === undefined ? undefined : firstOf(next)).toBeLessThanOrEqual(through + 1);
  expect(rest.ok && rest.value !== undefined && rest.value.oldest).toBeLessThanOrEqual(through + 1);
  expect(drain().at(-1)?.seq).toBe(201);
});

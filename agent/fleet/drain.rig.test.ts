import { afterEach, beforeEach, expect, test } from 'vitest';
import { firstOf, type OwedItem } from '#contracts/outbox.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { type FleetRig, startFleetRig } from '#test/rigs/fleet-session.ts';

// A long time without a link, and how what was owed then arrives.

let rig: FleetRig;
beforeEach(async () => {
  rig = await startFleetRig();
});
afterEach(() => rig.close());

const begin = Date.parse('2026-01-15T08:00:00.000Z');
const at = (minute: number): string => new Date(begin + minute * 60_000).toISOString();

/** What a busy post owes for so many days: a sample each quarter of an hour, heads of the record, hits. */
function oweDays(days: number): number {
  let count = 0;
  const done = rig.store.transaction(() => {
    for (let minute = 15; minute <= days * 1440; minute += 15) {
      const items: OwedItem[] = [
        {
          kind: 'metric',
          at: at(minute),
          spanSeconds: 900,
          samples: {
            'uplink-delay': 600 + (minute % 91),
            memory: 91_226_112 + minute * 37,
            temperature: 40 + (minute % 13),
            reads: minute % 17,
            hits: 0,
          },
        },
      ];
      if (minute % 90 === 0)
        items.push({ kind: 'audit-head', entry: minute, hash: minute.toString(16).padStart(64, 'b') });
      if (minute % 480 === 0) items.push(hit);
      for (const item of items) rig.outbox.owe(item, { at: at(minute), clock: 'verified' });
      count += items.length;
    }
  });
  expect(done.ok).toBe(true);
  return count;
}

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

/** Everything arrived, in order, each number once. */
function expectAll(count: number): void {
  const { stored, lost } = rig.controller;
  expect(lost).toBe(0);
  expect(stored.map(firstOf)).toEqual(stored.map((_, i) => i + 1));
  expect(stored).toHaveLength(count);
  expect(rig.outbox.depth()).toBe(0);
}

test('Thirty days without a link arrive in order, each once, although the line is cut again and again meanwhile (MQTT.js#2015, #301)', async () => {
  const count = oweDays(30);
  await rig.start();
  // Each pause is longer than the one before: to the terminal it looks as if the broker closed.
  for (let cuts = 0; cuts < 7; cuts++) {
    const before = rig.controller.stored.length;
    await eventually(() => rig.controller.stored.length > before + 40 || rig.outbox.depth() === 0);
    rig.line.cut();
  }
  await eventually(() => rig.outbox.depth() === 0, { timeoutMs: 40_000 });
  expectAll(count);
  expect(new Set(rig.controller.statuses.map(({ session }) => session)).size).toBe(8);
  // What was on its way when the line was cut came again, and never the whole of it.
  expect(rig.controller.doubled).toBeLessThan(8 * 32);
});

test('When acknowledgements get lost in the middle of it, nothing is lost and nothing is there twice', async () => {
  const count = oweDays(6);
  await rig.start({}, { resendMillis: 300 });
  await eventually(() => rig.controller.stored.length > 60);
  rig.controller.silent = true;
  await eventually(() => rig.controller.doubled > 0);
  rig.controller.silent = false;
  await eventually(() => rig.outbox.depth() === 0, { timeoutMs: 30_000 });
  expectAll(count);
});

test('On a line of 64 kbit/s a backlog of a month leaves the line in bounded pieces: health gets through meanwhile, and a hit waits for its turn only', async () => {
  const count = oweDays(30);
  rig.line.throttle(8000);
  const fleet = await rig.start();
  await eventually(() => rig.controller.stored.length > 0, { timeoutMs: 20_000 });
  const delays: number[] = [];
  for (let change = 0; change < 3; change++) {
    rig.health = { ...rig.health, readers: [{ id: `counter-${change}`, state: 'absent' }] };
    const began = performance.now();
    fleet.changed();
    const named = `counter-${change}`;
    await eventually(() => rig.controller.reports.some(({ report }) => report.readers?.[0]?.id === named));
    delays.push(performance.now() - began);
    expect(rig.outbox.depth()).toBeGreaterThan(0);
  }
  expect(Math.max(...delays)).toBeLessThan(2500);
  rig.line.throttle(Number.POSITIVE_INFINITY);
  await eventually(() => rig.outbox.depth() === 0, { timeoutMs: 40_000 });
  expectAll(count);
  // One batch at a time, and none of them longer than what the contract says.
  expect(Math.max(...rig.controller.batches.map(({ entries }) => entries.length))).toBe(32);
});

test('A batch that takes longer to leave than the controller may take to answer is not sent twice', async () => {
  const random = (): string =>
    Array.from({ length: 64 }, () => ((Math.random() * 16) | 0).toString(16)).join('');
  const fleet = await rig.start({}, { resendMillis: 200 });
  await eventually(() => rig.controller.reports.length === 1);
  // More than 2 KB packed: two seconds of line.
  rig.line.throttle(1000);
  rig.store.transaction(() => {
    for (let entry = 1; entry <= 32; entry++) {
      rig.outbox.owe({ kind: 'audit-head', entry, hash: random() }, { at: at(0), clock: 'verified' });
    }
  });
  await eventually(() => rig.outbox.depth() === 0, { timeoutMs: 30_000 });
  // Behind whatever else may have been sent.
  await fleet.reportNow();
  await eventually(() => rig.controller.reports.length === 2);
  expect(rig.controller.batches).toHaveLength(1);
});

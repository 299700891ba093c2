import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HealthMessage, HealthReport } from '#contracts/health.ts';
import type { Result } from '#contracts/result.ts';
import { toError } from '#runtime/errors.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { databases, type TestDatabase } from '#test/rigs/databases.ts';
import { topic } from '#contracts/topics.ts';
import { Ingest } from '../ingest/ingest.ts';
import { Tally } from '#test/rigs/tally.ts';
import { controllerSchema } from '../schema.ts';
import { History } from './history.ts';
import { purgeSamples, rollUp } from './rollup.ts';

const start = '2026-01-15T08:00:00.000Z';
const from = Date.parse(start) / 1000;
const stream = '01890a5d-ac96-774b-bcce-b302099a8057';
const terminal = 'T-1';
const registered = {
  terminal,
  bureau: 'UTO',
  site: 'UTO-0001',
  siteName: 'Specimen crossing',
  certificate: 'a'.repeat(64),
  enrolledAt: start,
};
const valueOf = <T>(result: Result<T>): T => {
  if (!result.ok) throw toError(result.fault);
  return result.value;
};

describe.each(databases('history on PostgreSQL'))('on $name', (kind) => {
  let at: TestDatabase;
  let clock: TestClock;
  let ingest: Ingest;
  let history: History;
  let seq: number;
  beforeEach(async () => {
    at = await kind.open([controllerSchema]);
    clock = new TestClock(start);
    seq = 0;
    ingest = new Ingest({
      db: at.db,
      registry: { find: () => registered },
      clock,
      log: silentLog,
      counts: new Tally(),
      consumers: [],
      messagesPerSecond: 1000,
    });
    history = new History({ db: at.db, clock });
    await say('status', {
      v: 1,
      session: 1,
      state: 'online',
      reason: 'start',
      boot: 'a',
      version: '1',
    });
  });
  afterEach(() => at.close());

  const say = async (channel: 'status' | 'health' | 'outbox', message: object): Promise<void> => {
    const taken = await ingest.take(topic(terminal, channel), Buffer.from(JSON.stringify(message)));
    expect(taken.fault).toBeUndefined();
  };
  const health = (report: Partial<HealthReport>): Promise<void> => {
    const message: HealthMessage = { v: 1, session: 1, seq: ++seq, at: start, full: false, report };
    return say('health', message);
  };
  const load = (one: number): Partial<HealthReport> => ({ load: { one, cpus: 2 } });
  const counts = (frames: number): HealthReport['counts'] => ({
    frames,
    hit: 0,
    possible: 0,
    noRecord: frames,
    unresolved: 0,
    unreadable: 0,
  });
  const series = async (...query: Parameters<History['series']>) => valueOf(await history.series(...query));
  const tidy = async (): Promise<void> => {
    const now = Math.floor(clock.wall() / 1000);
    while (valueOf(await rollUp(at.db, now, 50)) > 0);
    while (valueOf(await purgeSamples(at.db, now)) > 0);
  };

  test('values of a minute are its least, mean and most; a minute without a word is left out', async () => {
    await health(load(1));
    await health(load(4));
    await clock.advance(120_000);
    await health(load(2));
    expect(await series(terminal, 'load', from, from + 300, 100)).toEqual({
      metric: 'load',
      stepSeconds: 60,
      points: [
        [from, 1, 2.5, 4],
        [from + 120, 2, 2, 2],
      ],
    });
    expect((await series(terminal, 'memory', from, from + 300, 100)).points).toEqual([]);
    expect((await series('T-2', 'load', from, from + 300, 100)).points).toEqual([]);
  });

  test('counters are differences to the report before; one that goes back began again', async () => {
    await health({ counts: counts(5) });
    await health({ counts: counts(7) });
    await clock.advance(60_000);
    await health({ counts: counts(3) });
    await clock.advance(60_000);
    await health({ counts: counts(4), uptime: { systemSeconds: 900, agentSeconds: 60 } });
    await clock.advance(60_000);
    await health({ counts: counts(9), uptime: { systemSeconds: 960, agentSeconds: 10 } });
    const { points } = await series(terminal, 'reads', from, from + 600, 100);
    expect(points.map(([, , total]) => total)).toEqual([2, 3, 1, 9]);
    // In larger steps the totals add up.
    expect((await series(terminal, 'reads', from, from + 600, 1)).points).toEqual([[from, 15, 15, 15]]);
  });

  test('finished blocks are rolled up, what is too old is taken away, and the whole stays the same', async () => {
    for (let minute = 0; minute < 60; minute++) {
      await health({ ...load(minute % 15), counts: counts(minute) });
      await clock.advance(60_000);
    }
    const whole = await series(terminal, 'load', from, from + 3600, 4);
    expect(whole).toEqual({
      metric: 'load',
      stepSeconds: 900,
      points: [0, 1, 2, 3].map((n) => [from + n * 900, 0, 7, 14]),
    });
    await tidy();
    expect(await series(terminal, 'load', from, from + 3600, 4)).toEqual(whole);
    await clock.advance(3 * 86_400_000);
    await tidy();
    expect(await series(terminal, 'load', from, from + 3600, 100)).toEqual(whole);
    const { points } = await series(terminal, 'reads', from, from + 3600, 4);
    expect(points.reduce((sum, [, , total]) => sum + total, 0)).toBe(59);
    await clock.advance(61 * 86_400_000);
    await tidy();
    const six = await series(terminal, 'load', from, from + 3600, 100);
    expect(six).toMatchObject({ stepSeconds: 21_600, points: [[from - (from % 21_600), 0, 7, 14]] });
    await clock.advance(800 * 86_400_000);
    await tidy();
    expect(valueOf(await at.db.read((tx) => tx.get('SELECT count(*) AS n FROM samples')))).toEqual({ n: 0 });
  });

  test('what was measured during an outage fills the gap, long after it was rolled up', async () => {
    await health(load(1));
    await clock.advance(10 * 86_400_000);
    await tidy();
    const metric = (number: number, minutes: number, one: number): object => ({
      seq: number,
      at: start,
      clock: 'verified',
      item: {
        kind: 'metric',
        at: new Date(Date.parse(start) + minutes * 60_000).toISOString(),
        spanSeconds: 900,
        samples: { load: one, reads: 4 },
      },
    });
    const entries = [metric(1, 30, 5), metric(2, 45, 7)];
    await say('outbox', { v: 1, stream, oldest: 1, entries });
    await say('outbox', { v: 1, stream, oldest: 1, entries });
    await tidy();
    expect((await series(terminal, 'load', from, from + 3600, 4)).points).toEqual([
      [from, 1, 1, 1],
      [from + 1800, 5, 5, 5],
      [from + 2700, 7, 7, 7],
    ]);
    expect((await series(terminal, 'reads', from, from + 3600, 4)).points.map(([, , n]) => n)).toEqual([
      4, 4,
    ]);
    // Neither is it kept a second time as an item, nor taken for another one when it comes again.
    const rows = await at.db.read((tx) =>
      tx.get('SELECT (SELECT count(*) FROM items) + (SELECT count(*) FROM conflicts) AS n'),
    );
    expect(valueOf(rows)).toEqual({ n: 0 });
  });

  test('how long it was online is exact, whenever it said something', async () => {
    await clock.advance(90_000);
    await say('status', { v: 1, session: 1, state: 'offline', reason: 'lost', boot: 'a', version: '1' });
    await clock.advance(120_000);
    await say('status', { v: 1, session: 2, state: 'online', reason: 'start', boot: 'a', version: '1' });
    await clock.advance(60_000);
    expect((await series(terminal, 'online', from - 60, from + 600, 1000)).points).toEqual([
      [from, 1, 1, 1],
      [from + 60, 0.5, 0.5, 0.5],
      [from + 120, 0, 0, 0],
      [from + 180, 0.5, 0.5, 0.5],
      [from + 240, 1, 1, 1],
    ]);
  });
});

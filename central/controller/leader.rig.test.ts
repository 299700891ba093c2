import { expect, test } from 'vitest';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { sqliteKind } from '#test/rigs/databases.ts';
import { FleetView } from './fleet/view.ts';
import { addEvent, Timeline } from './history/timeline.ts';
import { Ingest } from './ingest/ingest.ts';
import { createLeaderTask } from './leader.ts';
import { Tally } from '#test/rigs/tally.ts';
import { controllerSchema } from './schema.ts';

test('the leader takes away what is past its time, keeps the state that a terminal is in, and stops when told', async () => {
  const at = await sqliteKind.open([controllerSchema]);
  const { db } = at;
  const clock = new TestClock();
  const registry = { find: () => undefined, all: () => [], sites: () => new Map(), onChange: () => () => {} };
  const parts = { db, registry, clock, log: silentLog };
  const asked = { wanted: () => 0, inMaintenance: () => false };
  const opened = await FleetView.open({ ...parts, ...asked });
  if (!opened.ok) throw new Error(opened.fault.detail);
  const fleet = opened.value;
  const counts = new Tally();
  const ingest = new Ingest({ ...parts, counts, consumers: [], messagesPerSecond: 1 });
  const event = { terminal: null, site: null, bureau: null, kind: 'record', severity: 'info' } as const;
  await db.transaction(async (tx) => {
    await addEvent(tx, { ...event, at: '2024-12-01T00:00:00.000Z', text: 'long ago' });
    await addEvent(tx, { ...event, at: '2026-01-01T00:00:00.000Z', text: 'lately' });
    for (const [terminal, began] of [
      ['T-1', '2020-01-01T00:00:00.000Z'],
      ['T-1', '2021-01-01T00:00:00.000Z'],
      ['T-2', '2020-01-01T00:00:00.000Z'],
    ] as const)
      await tx.run(
        'INSERT INTO periods (terminal, began, state) VALUES (?, ?, ?)',
        terminal,
        began,
        'online',
      );
  });
  const ending = new AbortController();
  const running = createLeaderTask({
    ...parts,
    fleet,
    ingest,
    timeline: new Timeline(db),
    timelineDays: 400,
    reachedAt: () => undefined,
  }).run(ending.signal);
  await clock.advance(61_000);
  const events = await new Timeline(db).page({ limit: 10 });
  expect(events).toMatchObject({ ok: true, value: [{ text: 'lately' }] });
  expect(
    await db.read((tx) => tx.all('SELECT terminal, began FROM periods ORDER BY terminal')),
  ).toMatchObject({
    value: [
      { terminal: 'T-1', began: '2021-01-01T00:00:00.000Z' },
      { terminal: 'T-2', began: '2020-01-01T00:00:00.000Z' },
    ],
  });
  ending.abort();
  await running;
  expect(clock.waiting).toBeLessThanOrEqual(1);
  await fleet.close();
  await at.close();
});

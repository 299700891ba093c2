import { Default } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CentralSettings } from '#contracts/settings/central.ts';
import type { CentreState } from '#contracts/api/fleet.ts';
import { fail } from '#contracts/result.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { databases, type TestDatabase } from '#test/rigs/databases.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { centreState, commandRow, madeUpUuid, waveOf } from '#test/rigs/made-up-rows.ts';
import { accessSchema, createAudit, verifyAudit } from '../access/index.ts';
import { type AlertBook, alertsSchema, createRouting, openAlertBook } from '../alerts/index.ts';
import type { FleetListener } from '../controller/index.ts';
import { RoomChanges } from './room-changes.ts';
import type { Change } from './source.ts';

const { alerts: alertSettings, notifications } = CentralSettings.properties;

describe.each(databases())('$name', (kind) => {
  let database: TestDatabase;
  let clock: TestClock;
  let book: AlertBook;
  let changes: RoomChanges;
  let fleet: FleetListener;
  let centre: CentreState;
  let heard: (Change | 'gap')[];

  beforeEach(async () => {
    database = await kind.open([accessSchema, alertsSchema]);
    const { db } = database;
    clock = new TestClock();
    centre = centreState();
    heard = [];
    const routing = valueOf(createRouting(Default(notifications, {}) as never));
    const settings = Default(alertSettings, {}) as never;
    const audit = createAudit(clock);
    book = valueOf(await openAlertBook({ db, clock, log: silentLog, settings, routing, audit }));
    changes = new RoomChanges({
      db,
      clock,
      controller: {
        fleet: { subscribe: (listener: FleetListener) => ((fleet = listener), () => {}) } as never,
      },
      alerts: book,
      orders: {
        commands: {
          get: async (id) => (id === madeUpUuid(7) ? { ok: true, value: commandRow(7, 'UTO-0001') } : absent),
        },
      },
      wave: async (id) =>
        id === madeUpUuid(8) ? { ok: true, value: { wave: waveOf(8), bureau: 'UTO' } } : absent,
      centre: () => centre,
    });
    changes.subscribe({ change: (change) => heard.push(change), gap: () => heard.push('gap') });
  });
  afterEach(async () => {
    changes.close();
    book.close();
    await database.close();
  });

  const absent = fail('NOT_FOUND', 'It is not there.');
  /** Until PostgreSQL listens, nothing is heard: so it is said again. */
  const until = (says: () => Promise<unknown>, wanted: (one: Change | 'gap') => boolean) =>
    eventually(async () => {
      await says();
      await clock.advance(100);
      return heard.find(wanted);
    });
  const announce = (what: string, key: string) => () =>
    database.db.transaction(async (tx) => tx.announce(what, key));

  test('a maintenance that any process plans is told whole, and is in the audit of operators', async () => {
    const plan = {
      scope: { layer: 'bureau', key: 'UTO' },
      from: '2026-01-15T08:00:00.000Z',
      until: '2026-01-15T09:00:00.000Z',
      note: 'new mast',
    } as const;
    const told = await until(
      () => book.addMaintenance(plan, 'duty'),
      (one) => one !== 'gap' && one.event === 'maintenance',
    );
    expect(told).toMatchObject({ event: 'maintenance', data: { ...plan, by: 'duty', endedAt: null } });
    expect(valueOf(await verifyAudit(database.db))).toBeGreaterThan(0);
  });

  test('commands and waves are read again as they are committed; what is gone meanwhile is not told', async () => {
    await until(announce('command', madeUpUuid(7)), (one) => one !== 'gap' && one.event === 'command');
    const wave = await until(announce('wave', madeUpUuid(8)), (one) => one !== 'gap' && one.event === 'wave');
    expect(wave).toEqual({ event: 'wave', data: waveOf(8), bureau: 'UTO' });
    heard.length = 0;
    for (const [what, key] of [
      ['command', madeUpUuid(9)],
      ['alert', '99'],
      ['terminal', 'UTO-0001-1'],
    ] as const)
      await announce(what, key)();
    // It comes after them.
    await until(announce('wave', madeUpUuid(8)), (one) => one !== 'gap' && one.event === 'wave');
    const others = heard.filter((one) => one === 'gap' || !['wave', 'command'].includes(one.event));
    expect(others).toEqual([]);
  });

  test('rows that went away, and a flood, are a gap: whoever shows rows asks for all anew', async () => {
    fleet.gone?.(['UTO-0001-1']);
    expect(heard).toEqual(['gap']);
    await until(
      () =>
        database.db.transaction(async (tx) => {
          for (let n = 0; n < 600; n++) tx.announce('command', `flood ${n}`);
        }),
      () => heard.length > 1,
    );
    expect(heard[1]).toBe('gap');
  });

  test('the centre is told when it is another than before, and not else', async () => {
    await clock.advance(4100);
    expect(heard).toEqual([{ event: 'centre', data: centreState() }]);
    centre = centreState({ brokerConnected: false });
    await clock.advance(4000);
    expect(heard).toHaveLength(2);
    expect(heard[1]).toMatchObject({ event: 'centre', data: { brokerConnected: false } });
  });
});

function valueOf<T>(result: { ok: true; value: T } | { ok: false; fault: { detail: string } }): T {
  if (!result.ok) throw new Error(result.fault.detail);
  return result.value;
}

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SiteRow, TerminalDetail, type TerminalRow } from '#contracts/api/fleet.ts';
import type { RegisteredSite, RegisteredTerminal } from '#contracts/registry.ts';
import type { Result } from '#contracts/result.ts';
import { topic } from '#contracts/topics.ts';
import { toError } from '#runtime/errors.ts';
import { silentLog } from '#runtime/log.ts';
import { parseValue } from '#runtime/parse.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { databases, type TestDatabase } from '#test/rigs/databases.ts';
import { eventually } from '#test/rigs/eventually.ts';
import type { OwnedEvent } from '../history/timeline.ts';
import { Ingest } from '../ingest/ingest.ts';
import { Tally } from '#test/rigs/tally.ts';
import { controllerSchema } from '../schema.ts';
import { FleetView } from './view.ts';

const since = '2026-01-15T07:00:00.000Z';
const terminalOf = (n: number): RegisteredTerminal => ({
  terminal: `T-${String(n).padStart(4, '0')}`,
  bureau: 'UTO',
  site: `UTO-${String(n).padStart(4, '0')}`,
  siteName: 'Specimen crossing',
  certificate: 'a'.repeat(64),
  enrolledAt: since,
});
const valueOf = <T>(result: Result<T>): T => {
  if (!result.ok) throw toError(result.fault);
  return result.value;
};

describe.each(databases('the view of the fleet on PostgreSQL'))('on $name', (kind) => {
  let at: TestDatabase;
  let clock: TestClock;
  let registered: Map<string, RegisteredTerminal>;
  let sites: Map<string, RegisteredSite>;
  let changed: () => void;
  let wanted: number;
  let fleet: FleetView;
  let ingest: Ingest;
  let told: { rows: TerminalRow[][]; gone: string[]; sites: SiteRow[][]; events: OwnedEvent[] };

  const registry = {
    find: (id: string) => registered.get(id),
    all: () => [...registered.values()],
    sites: () => sites,
    onChange: (listener: () => void) => {
      changed = listener;
      return () => {};
    },
  };
  const open = async (): Promise<FleetView> => {
    const asked = { wanted: () => wanted, inMaintenance: (id: string) => id === 'T-0002' };
    return valueOf(await FleetView.open({ db: at.db, registry, clock, log: silentLog, ...asked }));
  };

  beforeEach(async () => {
    at = await kind.open([controllerSchema]);
    clock = new TestClock();
    registered = new Map([1, 2].map(terminalOf).map((one) => [one.terminal, one]));
    sites = new Map();
    wanted = 0;
    told = { rows: [], gone: [], sites: [], events: [] };
    fleet = await open();
    fleet.subscribe({
      terminals: (rows) => told.rows.push([...rows]),
      gone: (ids) => told.gone.push(...ids),
      sites: (rows) => told.sites.push([...rows]),
      events: (events) => told.events.push(...events),
    });
    ingest = new Ingest({
      db: at.db,
      registry,
      clock,
      log: silentLog,
      counts: new Tally(),
      consumers: [],
      messagesPerSecond: 1000,
    });
  });
  afterEach(async () => {
    await fleet.close();
    await at.close();
  });

  const birth = (id: string) =>
    ingest.take(
      topic(id, 'status'),
      Buffer.from(
        JSON.stringify({ v: 1, session: 3, state: 'online', reason: 'start', boot: 'a', version: '1' }),
      ),
    );

  test('what is committed together is told at once, a moment later', async () => {
    await Promise.all([birth('T-0001'), birth('T-0002')]);
    expect(told.rows).toEqual([]);
    await eventually(async () => {
      await clock.advance(100);
      return told.rows.length > 0;
    });
    expect(told.rows[0]?.map(({ terminal, state }) => [terminal, state])).toEqual([
      ['T-0001', 'online'],
      ['T-0002', 'online'],
    ]);
    await eventually(() => told.events.length === 2);
    expect(told.events[0]).toMatchObject({ bureau: 'UTO', event: { kind: 'state', text: 'Online' } });
    expect(fleet.counts()).toEqual({ online: 2, suspect: 0, offline: 0, never: 0 });
    expect([fleet.session('T-0001'), fleet.session('T-0009')]).toEqual([3, undefined]);
  });

  test('after a new start everything is as it was', async () => {
    await birth('T-0001');
    const again = await open();
    expect(again.terminals().map(({ terminal, state }) => [terminal, state])).toEqual([
      ['T-0001', 'online'],
      ['T-0002', 'never'],
    ]);
    await again.close();
  });

  test('what another room wants of terminals is in their rows as soon as it says so', async () => {
    expect(fleet.terminals().map(({ maintenance }) => maintenance)).toEqual([false, true]);
    wanted = 7;
    await at.db.transaction(async (tx) => tx.announce('layer', 'fleet'));
    await eventually(async () => {
      await clock.advance(100);
      return told.rows.length > 0;
    });
    expect(fleet.terminals().map(({ configuration }) => configuration.wanted)).toEqual([7, 7]);
    // Nothing is different: nobody is told.
    fleet.askAgain();
    await fleet.refresh();
    expect(told.rows).toHaveLength(1);
  });

  test('a registry that is read again adds, moves and takes away', async () => {
    registered = new Map([2, 3].map(terminalOf).map((one) => [one.terminal, one]));
    sites = new Map([
      [
        'UTO-0003',
        {
          site: 'UTO-0003',
          bureau: 'UTO',
          name: 'Pass',
          timeZone: 'Asia/Dushanbe',
          latitude: 39.5,
          longitude: 71.2,
        },
      ],
    ]);
    changed();
    await fleet.refresh();
    expect(fleet.terminals().map(({ terminal }) => terminal)).toEqual(['T-0002', 'T-0003']);
    expect(told.gone).toEqual(['T-0001']);
    expect(told.sites.at(-1)).toEqual([...sites.values()]);
    for (const site of fleet.sites())
      expect(parseValue(SiteRow, site, 'INTERNAL')).toMatchObject({ ok: true });
    const detail = valueOf(await fleet.detail('T-0003'));
    expect(parseValue(TerminalDetail, detail, 'INTERNAL')).toMatchObject({ ok: true });
    expect(detail).toMatchObject({ site: { name: 'Pass', latitude: 39.5 }, row: { state: 'never' } });
    expect(valueOf(await fleet.detail('T-0001'))).toBeUndefined();
  });

  test('the troubles of terminals are what is committed, whether or not it was told already', async () => {
    await birth('T-0001');
    await eventually(async () => {
      const [one] = valueOf(await fleet.troubles(['T-0001', 'T-0009']));
      return one?.state === 'online';
    });
    expect(valueOf(await fleet.troubles())).toMatchObject([
      {
        terminal: 'T-0001',
        site: 'UTO-0001',
        bureau: 'UTO',
        state: 'online',
        metered: false,
        conditions: [],
      },
      { terminal: 'T-0002', state: 'never', since: null },
    ]);
  });

  test('a database that fails is a fault of the answer, and everything is read when it works again', async () => {
    await at.db.transaction((tx) => tx.run('ALTER TABLE terminals RENAME TO away'));
    await at.db.transaction(async (tx) => tx.announce('terminal', 'T-0001'));
    await eventually(async () => !(await fleet.troubles()).ok);
    expect(fleet.terminals()).toHaveLength(2);
    await at.db.transaction((tx) => tx.run('ALTER TABLE away RENAME TO terminals'));
    await birth('T-0002');
    await eventually(async () => (await fleet.troubles()).ok);
    await eventually(() => fleet.terminal('T-0002')?.state === 'online');
  });

  test('five thousand terminals are listed, counted and asked again within milliseconds', async () => {
    registered = new Map(
      Array.from({ length: 5000 }, (_, n) => terminalOf(n)).map((one) => [one.terminal, one]),
    );
    changed();
    await fleet.refresh();
    const began = performance.now();
    expect(fleet.terminals()).toHaveLength(5000);
    fleet.counts();
    wanted = 1;
    fleet.askAgain();
    await fleet.refresh();
    // On this machine 5 ms: a loaded one takes its time.
    expect(performance.now() - began).toBeLessThan(500);
  });
});

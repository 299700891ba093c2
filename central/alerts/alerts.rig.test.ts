import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AlertRig, alertTables, valueOf } from '#test/rigs/alerting.ts';
import { databases, type TestDatabase } from '#test/rigs/databases.ts';

const channel = (name: string) => ({
  name,
  kind: 'webhook',
  url: 'https://duty.example/hook',
  secretFile: '/nowhere',
});
const settings = {
  notifications: {
    channels: [channel('duty'), channel('chief')],
    rules: [{ severity: 'warning', to: ['duty'] }],
    escalation: [{ afterMinutes: 30, to: ['chief'] }],
  },
};

describe.each(databases('alerts on PostgreSQL'))('Alerts on $name', (kind) => {
  let database: TestDatabase;
  let rig: AlertRig;
  beforeEach(async () => {
    database = await kind.open(alertTables);
    rig = await AlertRig.open(database, settings);
  });
  afterEach(() => rig.close());

  test('One trouble is one alert for as long as it stands, is told once after its delay, and closes by itself', async () => {
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent counter-1'] });
    await rig.pass();
    const [alert] = await rig.alerts();
    expect(alert).toMatchObject({
      code: 'reader-absent',
      severity: 'error',
      terminal: 'UTO-0001-1',
      site: 'UTO-0001',
      bureau: 'UTO',
      subject: 'counter-1',
      state: 'open',
      times: 1,
    });
    expect(await rig.notices()).toEqual([]);
    await rig.pass(61);
    await rig.pass(5);
    expect(await rig.notices()).toEqual(['opened reader-absent duty']);
    rig.terminal('UTO-0001-1');
    await rig.pass(5);
    expect(await rig.alerts()).toEqual([expect.objectContaining({ id: alert?.id, state: 'closed' })]);
    await rig.pass(601);
    await rig.pass(5);
    expect(await rig.notices()).toEqual(['opened reader-absent duty', 'closed reader-absent duty']);
  });

  test('A trouble that is gone before the delay is over is told to nobody', async () => {
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent counter-1'] });
    await rig.pass();
    rig.terminal('UTO-0001-1');
    await rig.pass(30);
    await rig.pass(1000);
    expect(await rig.notices()).toEqual([]);
  });

  test('What comes back within the time is the same alert, and nobody is told again; later it is another one', async () => {
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent counter-1'] });
    await rig.pass();
    await rig.pass(61);
    rig.terminal('UTO-0001-1');
    await rig.pass(10);
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent counter-1'] });
    await rig.pass(590);
    await rig.pass(120);
    expect(await rig.alerts()).toEqual([expect.objectContaining({ state: 'open', times: 2 })]);
    expect(await rig.notices()).toEqual(['opened reader-absent duty']);
    rig.terminal('UTO-0001-1');
    await rig.pass(10);
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent counter-1'] });
    await rig.pass(601);
    expect(await rig.alerts()).toHaveLength(2);
  });

  test('Flapping at scale: what comes and goes many times in an hour is told once, as that (openwisp-monitoring#667)', async () => {
    for (let times = 0; times < 20; times++) {
      rig.terminal('UTO-0001-1', { conditions: ['reader-absent counter-1'] });
      await rig.pass(20);
      rig.terminal('UTO-0001-1');
      await rig.pass(20);
    }
    expect(await rig.alerts()).toEqual([expect.objectContaining({ times: 20, flapping: true })]);
    expect(await rig.notices()).toEqual(['flapping reader-absent duty']);
    await rig.pass(1200);
    expect(await rig.notices()).toHaveLength(1);
    await rig.pass(2500);
    expect(await rig.notices()).toEqual(['flapping reader-absent duty', 'closed reader-absent duty']);
  });

  test('A silent terminal is an alert only after the tolerance, later in the metered profile; suspect wakes nobody', async () => {
    rig.terminal('UTO-0001-1', { state: 'offline' });
    rig.terminal('UTO-0002-1', { state: 'offline', metered: true });
    rig.terminal('UTO-0003-1', { state: 'suspect' });
    rig.terminal('UTO-0004-1', { state: 'never' });
    await rig.pass(299);
    expect(await rig.alerts()).toEqual([]);
    await rig.pass(1);
    expect((await rig.alerts()).map(({ terminal }) => terminal)).toEqual(['UTO-0001-1']);
    await rig.pass(600);
    expect((await rig.alerts()).map(({ terminal }) => terminal)).toEqual(['UTO-0001-1', 'UTO-0002-1']);
  });

  test('A terminal that is offline explains its own conditions: one is told, the others are suppressed', async () => {
    rig.terminal('UTO-0001-1', { conditions: ['central-unreachable', 'disk-low'] });
    await rig.pass();
    rig.terminal('UTO-0001-1', { state: 'offline', conditions: ['central-unreachable', 'disk-low'] });
    await rig.pass();
    await rig.pass(290);
    await rig.pass(20);
    await rig.pass(100);
    const alerts = await rig.alerts();
    const offline = alerts.find(({ code }) => code === 'terminal-offline');
    expect(alerts.filter(({ state }) => state === 'open')).toEqual([offline]);
    expect(alerts.filter(({ cause }) => cause === offline?.id)).toHaveLength(2);
    expect(await rig.notices()).toEqual(['opened terminal-offline duty']);
  });

  test('Several terminals of one site that are silent are one cause; when it is back, the next one stands for itself', async () => {
    rig.terminal('UTO-0001-1', { state: 'offline' });
    await rig.pass(1);
    rig.terminal('UTO-0001-2', { state: 'offline' });
    rig.terminal('UTO-0002-1', { state: 'offline' });
    await rig.pass(301);
    await rig.pass(70);
    const [first, ...others] = await rig.alerts();
    const second = others.find(({ terminal }) => terminal === 'UTO-0001-2');
    expect(first).toMatchObject({ terminal: 'UTO-0001-1', state: 'open', cause: null });
    expect(second).toMatchObject({ state: 'suppressed', cause: first?.id });
    expect(await rig.notices()).toHaveLength(2);
    rig.terminal('UTO-0001-1');
    await rig.pass(5);
    const open = (await rig.alerts('open')).map(({ terminal }) => terminal);
    expect(new Set(open)).toEqual(new Set(['UTO-0001-2', 'UTO-0002-1']));
  });

  test('Many sites that go offline together are one alert of the centre, until most of them are back', async () => {
    for (let site = 1; site <= 20; site++) rig.terminal(`UTO-00${String(site).padStart(2, '0')}-1`);
    await rig.pass();
    for (let site = 1; site <= 10; site++) {
      rig.terminal(`UTO-00${String(site).padStart(2, '0')}-1`, { state: 'offline' });
      await rig.pass(5);
    }
    expect(await rig.alerts()).toMatchObject([{ code: 'mass-outage', terminal: null, state: 'open' }]);
    await rig.pass(300);
    const alerts = await rig.alerts();
    expect(alerts).toHaveLength(11);
    expect(alerts.filter(({ cause }) => cause === alerts[0]?.id)).toHaveLength(10);
    expect(await rig.notices()).toEqual(['opened mass-outage duty']);
    for (let site = 1; site <= 8; site++) rig.terminal(`UTO-00${String(site).padStart(2, '0')}-1`);
    await rig.pass(5);
    expect((await rig.alerts('open')).map(({ terminal }) => terminal)).toEqual(['UTO-0009-1', 'UTO-0010-1']);
    // Those that are left get time to come back before anybody is told of each.
    await rig.pass(170);
    expect(await rig.notices()).toEqual(['opened mass-outage duty']);
    await rig.pass(20);
    expect(await rig.notices()).toHaveLength(3);
  });

  test('While the broker is out of reach, no terminal is told of', async () => {
    rig.terminal('UTO-0001-1', { state: 'offline' });
    await rig.pass(400);
    const since = new Date(rig.clock.wall()).toISOString();
    rig.centre = [{ code: 'broker-unreachable', since }];
    for (let site = 2; site <= 9; site++) rig.terminal(`UTO-000${site}-1`, { state: 'offline' });
    await rig.pass(400);
    const broker = (await rig.alerts()).find(({ code }) => code === 'broker-unreachable');
    const open = await rig.alerts('open');
    expect(open.map(({ code }) => code)).toEqual(['terminal-offline', 'broker-unreachable']);
    expect((await rig.alerts()).filter(({ cause }) => cause === broker?.id)).toHaveLength(9);
    await rig.pass(70);
    expect(await rig.notices()).toEqual(['opened terminal-offline duty', 'opened broker-unreachable duty']);
  });

  test('The centre raises its own alarm when its collection is stale', async () => {
    rig.centre = [{ code: 'collection-stale', since: '2026-01-15T07:00:00.000Z' }];
    await rig.pass();
    await rig.pass(61);
    expect(await rig.alerts()).toMatchObject([{ code: 'collection-stale', bureau: null, state: 'open' }]);
    expect(await rig.notices()).toEqual(['opened collection-stale duty']);
  });

  test('Planned maintenance mutes, ends by itself, and what still stands then opens (openwisp-monitoring#139)', async () => {
    const at = (minutes: number) => new Date(rig.clock.wall() + minutes * 60_000).toISOString();
    const planned = await rig.book.addMaintenance(
      { scope: { layer: 'site', key: 'UTO-0001' }, from: at(0), until: at(60), note: 'New router' },
      'anna',
    );
    expect(planned.ok).toBe(true);
    rig.terminal('UTO-0001-1', { state: 'offline' });
    rig.terminal('UTO-0002-1', { state: 'offline' });
    await rig.pass(310);
    await rig.pass(100);
    expect(await rig.alerts()).toMatchObject([
      { terminal: 'UTO-0001-1', state: 'suppressed', cause: null },
      { terminal: 'UTO-0002-1', state: 'open' },
    ]);
    expect(rig.book.inMaintenance({ terminal: 'UTO-0001-1', site: 'UTO-0001', bureau: 'UTO' })).toBe(true);
    expect(rig.book.inMaintenance({ terminal: 'UTO-0002-1', site: 'UTO-0002', bureau: 'UTO' })).toBe(false);
    expect(await rig.notices()).toEqual(['opened terminal-offline duty']);
    await rig.pass(3600);
    expect((await rig.alerts('open')).map(({ terminal }) => terminal)).toEqual(['UTO-0001-1', 'UTO-0002-1']);
    await rig.pass(61);
    expect(await rig.notices()).toContain('opened terminal-offline duty');
    expect(rig.audit).toMatchObject([{ by: 'anna', action: 'maintenance-added', bureau: 'UTO' }]);
  });

  test('Maintenance that ends early ends at once; nonsense is refused', async () => {
    const at = (minutes: number) => new Date(rig.clock.wall() + minutes * 60_000).toISOString();
    const scope = { layer: 'fleet' as const };
    const planned = valueOf(
      await rig.book.addMaintenance({ scope, from: at(0), until: at(60), note: '' }, 'anna'),
    );
    expect(valueOf(await rig.book.maintenance.list())).toHaveLength(1);
    expect((await rig.book.endMaintenance(planned.id, 'ben')).ok).toBe(true);
    expect(valueOf(await rig.book.maintenance.list())).toEqual([]);
    expect(valueOf(await rig.book.maintenance.list(true))).toHaveLength(1);
    expect(await rig.book.endMaintenance(planned.id, 'ben')).toMatchObject({
      fault: { code: 'REQUEST_INVALID' },
    });
    expect(await rig.book.endMaintenance(99, 'ben')).toMatchObject({ fault: { code: 'NOT_FOUND' } });
    for (const [from, until] of [
      [at(60), at(0)],
      [at(-60), at(-30)],
      [at(0), at(60 * 24 * 40)],
    ] as const) {
      const refused = await rig.book.addMaintenance({ scope, from, until, note: '' }, 'anna');
      expect(refused).toMatchObject({ fault: { code: 'REQUEST_INVALID' } });
    }
  });

  test('What nobody acknowledges escalates once a step; what somebody acknowledged does not', async () => {
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent a'] });
    rig.terminal('UTO-0002-1', { conditions: ['reader-absent b'] });
    await rig.pass();
    await rig.pass(61);
    const [first, second] = await rig.alerts();
    const acknowledged = await rig.book.acknowledge(first?.id ?? 0, 'Engineer is on the way', 'anna');
    expect(acknowledged).toMatchObject({
      value: { acknowledged: { by: 'anna', note: 'Engineer is on the way' } },
    });
    await rig.pass(1801);
    await rig.pass(7200);
    expect(await rig.notices()).toEqual([
      'opened reader-absent duty',
      'opened reader-absent duty',
      'escalated reader-absent chief',
    ]);
    expect((await rig.alerts()).map(({ escalation }) => escalation)).toEqual([0, 1]);
    expect(rig.audit).toEqual([
      {
        by: 'anna',
        action: 'alert-acknowledged',
        terminal: 'UTO-0001-1',
        bureau: 'UTO',
        text: `Alert ${first?.id} reader-absent acknowledged: Engineer is on the way`,
      },
    ]);
    expect(second?.id).toBeGreaterThan(first?.id ?? 0);
  });

  test('What was acknowledged stays so when it comes back or a maintenance passes over it', async () => {
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent a'] });
    await rig.pass();
    const id = (await rig.alerts())[0]?.id ?? 0;
    await rig.book.acknowledge(id, '', 'anna');
    rig.terminal('UTO-0001-1');
    await rig.pass(60);
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent a'] });
    await rig.pass(60);
    const at = (minutes: number) => new Date(rig.clock.wall() + minutes * 60_000).toISOString();
    const scope = { layer: 'terminal' as const, key: 'UTO-0001-1' };
    valueOf(await rig.book.addMaintenance({ scope, from: at(0), until: at(10), note: '' }, 'anna'));
    await rig.pass(60);
    expect(await rig.alerts('open')).toEqual([]);
    await rig.pass(600);
    await rig.pass(7200);
    expect(await rig.alerts('open')).toMatchObject([{ id, times: 2, acknowledged: { by: 'anna' } }]);
    expect(await rig.notices()).toEqual([]);
  });

  test('A silenced alert tells nobody until the silence ends; both are kept with who did it', async () => {
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent a'] });
    await rig.pass();
    const [alert] = await rig.alerts();
    const id = alert?.id ?? 0;
    expect((await rig.book.silence(id, 120, 'Known', 'anna')).ok).toBe(true);
    await rig.pass(7000);
    expect(await rig.notices()).toEqual([]);
    await rig.pass(201);
    expect(await rig.notices()).toEqual(['opened reader-absent duty']);
    await rig.book.acknowledge(id, '', 'ben');
    expect(valueOf(await rig.book.acts(id))).toMatchObject([
      { by: 'anna', action: 'silenced', note: 'Known', until: '2026-01-15T10:00:00.000Z' },
      { by: 'ben', action: 'acknowledged', until: null },
    ]);
    rig.terminal('UTO-0001-1');
    await rig.pass(5);
    expect(await rig.book.acknowledge(id, '', 'ben')).toMatchObject({ fault: { code: 'REQUEST_INVALID' } });
    expect(await rig.book.silence(99_999, 5, '', 'ben')).toMatchObject({ fault: { code: 'NOT_FOUND' } });
  });

  test('A leader that starts again in the middle changes nothing and tells nobody twice', async () => {
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent a'] });
    rig.terminal('UTO-0001-2', { state: 'offline', since: '2026-01-15T07:00:00.000Z' });
    await rig.pass();
    await rig.pass(30);
    await rig.restart();
    await rig.pass(31);
    await rig.restart();
    await rig.pass(5);
    const before = await rig.alerts();
    await rig.restart();
    await rig.pass(5);
    expect(await rig.alerts()).toEqual(before);
    expect(await rig.notices()).toEqual(['opened terminal-offline duty', 'opened reader-absent duty']);
    await rig.pass(1800);
    await rig.restart();
    await rig.pass(5);
    expect((await rig.notices()).filter((one) => one.startsWith('escalated'))).toHaveLength(2);
  });

  test('Two that both believe to lead make one alert and tell once', async () => {
    const other = rig.lead(rig.db);
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent a'] });
    await Promise.all([rig.pass(), rig.pass(0, other)]);
    await rig.clock.advance(61_000);
    await Promise.all([rig.pass(), rig.pass(0, other)]);
    expect(await rig.alerts()).toHaveLength(1);
    expect(await rig.notices()).toEqual(['opened reader-absent duty']);
  });

  test('Two processes that both believe to lead, each with a database of its own, make one alert and tell once', async () => {
    if (kind.name === 'SQLite') return;
    const db = await database.beside();
    const book = await rig.openBook(db);
    const other = rig.lead(db, book);
    for (let site = 1; site <= 9; site++)
      rig.terminal(`UTO-000${site}-1`, { conditions: ['reader-absent a'] });
    for (let turn = 0; turn < 5; turn++) {
      await rig.clock.advance(20_000);
      await Promise.all([rig.pass(), rig.pass(0, other)]);
    }
    await other.stop();
    book.close();
    expect(await rig.alerts()).toHaveLength(9);
    expect(await rig.notices()).toHaveLength(9);
  });

  test('Leaders in turn: each goes on where the one before stopped, acknowledgements made meanwhile included', async () => {
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent a'] });
    rig.terminal('UTO-0002-1', { conditions: ['reader-absent b'] });
    for (let turn = 0; turn < 8; turn++) {
      await rig.pass(600, rig.lead(rig.db));
      if (turn === 1) await rig.book.acknowledge((await rig.alerts())[0]?.id ?? 0, '', 'anna');
    }
    expect(await rig.notices()).toEqual([
      'opened reader-absent duty',
      'opened reader-absent duty',
      'escalated reader-absent chief',
    ]);
  });

  test('Every change is announced, and a page of the list follows the other', async () => {
    const announced: string[] = [];
    const stop = rig.db.listen(({ kind, key }) => announced.push(`${kind} ${key}`));
    for (let site = 1; site <= 5; site++)
      rig.terminal(`UTO-000${site}-1`, { conditions: ['reader-absent a'] });
    rig.terminal('ARC-0001-1', { conditions: ['reader-absent a'] });
    await rig.pass();
    await expect.poll(() => announced.filter((one) => one.startsWith('alert'))).toHaveLength(6);
    stop();
    const first = valueOf(await rig.book.list({ which: 'all', bureau: 'UTO', limit: 3 }));
    expect(first.alerts).toHaveLength(3);
    const second = valueOf(
      await rig.book.list({ which: 'all', bureau: 'UTO', limit: 3, before: first.next ?? 0 }),
    );
    expect(second.alerts).toHaveLength(2);
    expect(second.next).toBeNull();
    expect(await rig.book.byId(first.alerts[0]?.id ?? 0)).toMatchObject({ value: first.alerts[0] });
    expect(await rig.book.byId(99_999)).toMatchObject({ fault: { code: 'NOT_FOUND' } });
  });

  test('Alerts that were closed long ago, and what was told of them, are forgotten', async () => {
    rig.terminal('UTO-0001-1', { conditions: ['reader-absent a'] });
    await rig.pass();
    await rig.pass(61);
    rig.terminal('UTO-0001-1');
    await rig.pass(5);
    await rig.pass(601);
    await rig.pass(366 * 86_400);
    expect(await rig.alerts()).toEqual([]);
    expect(await rig.notices()).toEqual([]);
  });

  test('5,000 terminals are compared at the start', async () => {
    for (let n = 0; n < 5000; n++) {
      const terminal = `UTO-${String(Math.floor(n / 2)).padStart(4, '0')}-${n % 2}`;
      const state = n % 10 === 0 ? 'offline' : 'online';
      const conditions = n % 2 === 0 ? ['reader-absent a', 'disk-low'] : [];
      rig.terminal(terminal, { state, conditions, since: '2026-01-14T00:00:00.000Z' });
    }
    const began = performance.now();
    await rig.pass();
    const first = performance.now();
    await rig.pass(5);
    const again = performance.now();
    expect((await rig.alerts('standing')).length).toBe(1000);
    process.stderr.write(
      `alerts: 5,000 terminals with 5,500 troubles: ${Math.round(first - began)} ms, again ${Math.round(again - first)} ms\n`,
    );
  });
});

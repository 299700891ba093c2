import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NewWave } from '#contracts/api/orders.ts';
import { databases, postgresKind, type TestDatabase } from '#test/rigs/databases.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { running } from './fake-fleet.ts';
import { type OrdersRig, ordersRig, rigSchemas, valueOf } from './test-rig.ts';

const values = { fleet: { keepAliveSeconds: 60 } };

describe.each(databases())('waves on $name', ({ open }) => {
  let at: TestDatabase;
  let rig: OrdersRig;
  let terminals: string[];
  beforeEach(async () => {
    at = await open(rigSchemas);
    rig = await ordersRig(at.db);
    terminals = rig.fleet.add('UTO-0001', 7);
  });
  afterEach(() => at.close());

  const begin = (more: Partial<NewWave> = {}) => startWave(rig, terminals, more);
  const wave = async (id: string) => valueOf(await rig.orders.waves.get(id));
  /** Every terminal that was given a command that it has not answered answers it. */
  const answered = new Set<string>();
  const answerAll = async (state: 'done' | 'failed' = 'done', code?: string) => {
    for (const { id, terminal } of rig.fleet.orders()) {
      if (answered.has(id)) continue;
      answered.add(id);
      const result = { v: 1, id, state, detail: '', ...(code !== undefined && { code }) } as const;
      await rig.says(terminal, (tx, from) => rig.orders.consumer.result(tx, from, result));
    }
  };
  const commanded = () => rig.fleet.orders().map(({ terminal }) => terminal);
  const report = (terminal: string, version: number, more = {}) =>
    rig.says(terminal, (tx, from) => rig.orders.consumer.reported(tx, from, running(version, more)));

  test('one, then two, then four: each round begins after the pause when the one before has ended well', async () => {
    const { id } = await begin();
    await rig.turn();
    expect(commanded()).toEqual(terminals.slice(0, 1));
    await rig.turn(20);
    expect(commanded()).toHaveLength(1);
    await answerAll();
    await rig.turn();
    expect((await wave(id)).nextAt).not.toBeNull();
    await rig.turn(59);
    expect(commanded()).toHaveLength(1);
    await rig.turn();
    expect(commanded()).toEqual(terminals.slice(0, 3));
    await answerAll();
    await rig.turn();
    await rig.turn(60);
    expect(commanded()).toEqual(terminals);
    await answerAll();
    await rig.turn();
    expect(await wave(id)).toMatchObject({
      state: 'done',
      counts: { waiting: 0, underWay: 0, done: 7, failed: 0 },
      nextAt: null,
      failures: [],
    });
    const audit = await rig.notes('audit');
    expect(audit.filter((text) => text.includes('ordered by ada'))).toHaveLength(7);
    expect(audit.at(-1)).toBe('Wave “Try” has ended: 7 done.');
  });

  test('so many failures stop it: nobody else is touched, and those under way finish', async () => {
    const { id } = await begin({ first: 3, stopAfter: 2 });
    await rig.turn();
    const [one, two, three] = rig.fleet.orders();
    for (const order of [one, two]) {
      const result = {
        v: 1,
        id: order?.id ?? '',
        state: 'failed',
        code: 'COMMAND_TIMEOUT',
        detail: 'Too slow.',
      } as const;
      await rig.says(order?.terminal ?? '', (tx, from) => rig.orders.consumer.result(tx, from, result));
    }
    await rig.turn();
    expect(await wave(id)).toMatchObject({
      state: 'stopped-by-failures',
      counts: { waiting: 4, underWay: 1, done: 0, failed: 2 },
      failures: terminals.slice(0, 2).map((terminal) => ({ terminal, reason: 'COMMAND_TIMEOUT: Too slow.' })),
    });
    answered.add(one?.id ?? '').add(two?.id ?? '');
    await answerAll();
    await rig.turn(3600);
    expect(await wave(id)).toMatchObject({ counts: { waiting: 4, underWay: 0, done: 1, failed: 2 } });
    expect(commanded()).toEqual([one?.terminal, two?.terminal, three?.terminal]);
  });

  test('an operator stops it; a second time is a conflict', async () => {
    const { id } = await begin();
    await rig.turn();
    expect(valueOf(await rig.orders.waves.stop(id, 'ben')).state).toBe('stopped');
    await answerAll();
    await rig.turn(3600);
    expect(commanded()).toHaveLength(1);
    expect(await rig.orders.waves.stop(id, 'ben')).toMatchObject({ fault: { code: 'CONFLICT' } });
    expect(await rig.orders.waves.stop('01900000-0000-7000-8000-000000000000', 'ben')).toMatchObject({
      fault: { code: 'NOT_FOUND' },
    });
  });

  test('a terminal that does not end in time has failed', async () => {
    const { id } = await begin({ terminals: terminals.slice(0, 1), timeoutSeconds: 30 });
    await rig.turn();
    await rig.turn(30);
    await rig.turn();
    expect(await wave(id)).toMatchObject({
      state: 'stopped-by-failures',
      failures: [{ terminal: terminals[0], reason: 'It did not end in time.' }],
    });
  });

  test('who is offline is passed over, taken in when it is back, and has failed as offline at the end, which stops nothing', async () => {
    rig.fleet.sessions.delete('UTO-0001-1');
    rig.fleet.sessions.delete('UTO-0001-2');
    const { id } = await begin({ first: 5, timeoutSeconds: 600 });
    await rig.turn();
    expect(commanded()).toEqual(terminals.slice(2));
    await answerAll();
    await rig.turn();
    await rig.turn(60);
    rig.fleet.sessions.set('UTO-0001-2', 9);
    await rig.turn();
    expect(commanded().at(-1)).toBe('UTO-0001-2');
    await answerAll();
    await rig.turn();
    await rig.turn(60);
    expect(await wave(id)).toMatchObject({ state: 'running', counts: { waiting: 1, done: 6 } });
    await rig.turn(600);
    await rig.turn();
    expect(await wave(id)).toMatchObject({
      state: 'done',
      failures: [{ terminal: 'UTO-0001-1', reason: 'offline' }],
    });
  });

  test('a command that came in a session that had just ended is ordered again, three times at most', async () => {
    const { id } = await begin({ terminals: terminals.slice(0, 1), pauseSeconds: 0 });
    for (let i = 0; i < 6; i++) {
      await rig.turn();
      await answerAll('failed', 'COMMAND_REFUSED_SESSION');
    }
    expect(commanded()).toHaveLength(3);
    await rig.turn();
    expect(await wave(id)).toMatchObject({ state: 'stopped-by-failures', counts: { failed: 1 } });
  });

  test('a configuration wave adds its values to each terminal’s layer and is done when the terminal runs them', async () => {
    const scope = { layer: 'terminal', key: 'UTO-0001-1' } as const;
    valueOf(
      await rig.orders.layers.put({ scope, base: 0, values: { log: { level: 'warn' } }, note: '' }, 'ada'),
    );
    await rig.drain();
    const { id } = await begin({ action: { kind: 'configuration', values }, first: 2 });
    await rig.turn();
    expect(rig.fleet.desired('UTO-0001-1')).toMatchObject({
      version: 2,
      layers: [{ scope, values: { log: { level: 'warn' }, ...values } }],
    });
    expect(rig.fleet.desired('UTO-0001-3')).toBeUndefined();
    await report('UTO-0001-1', 1);
    await report('UTO-0001-2', 1, { state: 'probation' });
    expect((await wave(id)).counts.underWay).toBe(2);
    await report('UTO-0001-1', 2);
    const item = { kind: 'configuration', version: 1, state: 'current' } as const;
    await rig.says('UTO-0001-2', (tx, from) =>
      rig.orders.consumer.item(tx, from, { seq: 1, at: from.now, clock: 'verified', item }),
    );
    expect((await wave(id)).counts).toMatchObject({ underWay: 0, done: 2 });
    // A second wave with the same values has nothing to wait for.
    await report('UTO-0001-2', 1);
    const second = await begin({
      action: { kind: 'configuration', values },
      terminals: ['UTO-0001-1', 'UTO-0001-2'],
      first: 2,
    });
    await rig.turn();
    await rig.turn();
    expect(await wave(second.id)).toMatchObject({ state: 'done', counts: { done: 2 } });
  });

  test('a terminal that went back by itself has failed, and its layer is put back as it was, unless it was changed since', async () => {
    const { id } = await begin({ action: { kind: 'configuration', values }, first: 2, stopAfter: 1 });
    await rig.turn();
    const scope = { layer: 'terminal', key: 'UTO-0001-2' } as const;
    valueOf(
      await rig.orders.layers.put({ scope, base: 1, values: { log: { level: 'warn' } }, note: '' }, 'ada'),
    );
    const refused = { version: 1, code: 'CONFIGURATION_UNDONE', detail: 'The centre was not reached.' };
    for (const terminal of terminals.slice(0, 2)) await report(terminal, 0, { state: 'undone', refused });
    await rig.turn();
    await rig.turn();
    expect(await wave(id)).toMatchObject({
      state: 'stopped-by-failures',
      failures: terminals.slice(0, 2).map((terminal) => ({
        terminal,
        reason: 'CONFIGURATION_UNDONE: The centre was not reached.',
      })),
    });
    expect(rig.fleet.desired('UTO-0001-1')).toMatchObject({ version: 2, layers: [] });
    expect(rig.fleet.desired('UTO-0001-2')?.layers).toEqual([{ scope, values: { log: { level: 'warn' } } }]);
    expect(rig.fleet.desired('UTO-0001-3')).toBeUndefined();
  });

  test('it goes on where it stopped after a restart of the controller, and nobody is ordered twice', async () => {
    const { id } = await begin({ pauseSeconds: 0 });
    for (let i = 0; i < 12; i++) {
      await rig.turn();
      rig = await ordersRig(await at.reopen(), rig);
      await answerAll();
    }
    expect(commanded()).toEqual(terminals);
    expect((await wave(id)).state).toBe('done');
  });

  test('what was ordered but not sent when the process died is sent by the next', async () => {
    await begin({ first: 2 });
    rig.fleet.away = true;
    await rig.turn();
    expect(commanded()).toEqual([]);
    rig = await ordersRig(await at.reopen(), rig);
    rig.fleet.away = false;
    await rig.turn(6);
    expect(commanded().toSorted()).toEqual(terminals.slice(0, 2));
  });

  test('a wave over somebody unknown, or that sets nothing, is refused', async () => {
    const given = { ...newWave(terminals), terminals: ['UTO-0009-1'] };
    expect(await rig.orders.waves.start(given, 'ada')).toMatchObject({ fault: { code: 'TERMINAL_UNKNOWN' } });
    const nothing = {
      ...newWave(terminals),
      action: { kind: 'configuration', values: { fleet: {} } },
    } as const;
    expect(await rig.orders.waves.start(nothing, 'ada')).toMatchObject({
      fault: { code: 'REQUEST_INVALID' },
    });
    expect(valueOf(await rig.orders.waves.list())).toEqual([]);
  });
});

const postgres = postgresKind('waves of two controllers on PostgreSQL');
describe.skipIf(postgres === undefined)('waves of two controllers', () => {
  test('over changes of leader, also with two who both think that they lead, everybody is ordered once', async () => {
    if (postgres === undefined) throw new Error('PostgreSQL is missing');
    const at = await postgres.open(rigSchemas);
    const one = await ordersRig(at.db);
    const two = await ordersRig(await at.beside(), one);
    const terminals = one.fleet.add('UTO-0001', 31);
    const { id } = await startWave(one, terminals, { pauseSeconds: 0, first: 5 });
    const answered = new Set<string>();
    await eventually(async () => {
      await Promise.all([one.turn(), two.turn()]);
      for (const order of one.fleet.orders()) {
        if (answered.has(order.id)) continue;
        answered.add(order.id);
        const result = { v: 1, id: order.id, state: 'done', detail: '' } as const;
        await two.says(order.terminal, (tx, from) => two.orders.consumer.result(tx, from, result));
      }
      return valueOf(await one.orders.waves.get(id)).state === 'done';
    });
    const ordered = new Set(one.fleet.orders().map((order) => `${order.terminal} ${order.id}`));
    expect([...ordered].map((line) => line.split(' ')[0])).toEqual(terminals);
    await at.close();
  });
});

function newWave(terminals: string[], more: Partial<NewWave> = {}): NewWave {
  return {
    title: 'Try',
    terminals,
    action: { kind: 'command', command: { kind: 'report-now' } },
    first: 1,
    pauseSeconds: 60,
    stopAfter: 1,
    timeoutSeconds: 300,
    ...more,
  };
}

async function startWave(rig: OrdersRig, terminals: string[], more: Partial<NewWave>) {
  return valueOf(await rig.orders.waves.start(newWave(terminals, more), 'ada'));
}

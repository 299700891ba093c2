import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CommandResult } from '#contracts/command.ts';
import { databases, type TestDatabase } from '#test/rigs/databases.ts';
import { type OrdersRig, ordersRig, rigSchemas, valueOf } from './test-rig.ts';

const report = { command: { kind: 'report-now' } } as const;
const terminal = 'UTO-0001-1';

describe.each(databases())('commands on $name', ({ open }) => {
  let at: TestDatabase;
  let rig: OrdersRig;
  beforeEach(async () => {
    at = await open(rigSchemas);
    rig = await ordersRig(at.db);
    rig.fleet.add('UTO-0001', 2);
  });
  afterEach(() => at.close());
  const order = (given: Parameters<typeof rig.orders.commands.order>[1] = report) =>
    rig.orders.commands.order(terminal, given, 'ada');
  const answer = (
    id: string,
    state: CommandResult['state'],
    more: Partial<CommandResult> = {},
    from = terminal,
  ) =>
    rig.says(from, (tx, who) =>
      rig.orders.consumer.result(tx, who, { v: 1, id, state, detail: 'So it went.', ...more }),
    );
  const owed = (id: string, state: 'done' | 'failed') =>
    rig.says(terminal, (tx, who) =>
      rig.orders.consumer.item(tx, who, {
        seq: 1,
        at: who.now,
        clock: 'verified',
        item: { kind: 'command', command: id, state, detail: 'As it is owed.' },
      }),
    );
  const row = async (id: string) => valueOf(await rig.orders.commands.get(id));

  test('a command is signed for the session, expires at the broker, says where to answer, and is in the audit', async () => {
    rig.fleet.sessions.set(terminal, 41);
    const { id, state, expiresAt } = valueOf(await order({ ...report, expirySeconds: 30 }));
    expect([state, expiresAt]).toEqual(['sent', '2026-01-15T08:00:30.000Z']);
    expect(rig.fleet.orders()).toEqual([
      {
        v: 1,
        id,
        terminal,
        session: 41,
        at: '2026-01-15T08:00:00.000Z',
        by: 'ada',
        command: { kind: 'report-now' },
        options: {
          retain: false,
          expirySeconds: 30,
          responseTopic: 'checkpost/1/UTO-0001-1/command/result',
          correlation: Buffer.from(id.replaceAll('-', ''), 'hex'),
        },
      },
    ]);
    expect(await rig.notes('audit')).toEqual(['Command “Report now” ordered by ada.']);
    expect(await rig.notes('event')).toHaveLength(1);
  });

  test('it is accepted, then done; the first end wins, and its repetition through the outbox changes nothing', async () => {
    const { id } = valueOf(await order());
    await answer(id, 'accepted');
    expect((await row(id)).state).toBe('accepted');
    await answer(id, 'done');
    await answer(id, 'accepted');
    await owed(id, 'failed');
    expect(await row(id)).toMatchObject({ state: 'done', detail: 'So it went.', code: null });
  });

  test('a result that was lost on its way comes through the outbox', async () => {
    const { id } = valueOf(await order());
    await owed(id, 'failed');
    expect(await row(id)).toMatchObject({ state: 'failed', detail: 'As it is owed.' });
  });

  test('a terminal that was not asked does not answer for another one, nor for a command that never was', async () => {
    const { id } = valueOf(await order());
    await answer(id, 'done', {}, 'UTO-0001-2');
    await answer('01900000-0000-7000-8000-000000000000', 'done');
    expect((await row(id)).state).toBe('sent');
    expect(rig.orders.commands.refused()).toBe(2);
  });

  test('that the terminal has forgotten an earlier end is no end', async () => {
    const { id } = valueOf(await order());
    await answer(id, 'refused', { code: 'COMMAND_REPEATED' });
    expect((await row(id)).state).toBe('sent');
  });

  test('nobody answers: it is given up after its time; a late end is kept all the same', async () => {
    const { id } = valueOf(await order());
    await rig.turn(130);
    expect((await row(id)).state).toBe('sent');
    await rig.turn(6);
    expect(await row(id)).toMatchObject({ state: 'expired', code: 'COMMAND_EXPIRED' });
    expect((await rig.notes('event')).at(-1)).toContain('was given up');
    await answer(id, 'done');
    expect(await row(id)).toMatchObject({ state: 'done', code: null });
    await rig.turn(86_400);
    expect((await row(id)).state).toBe('done');
  });

  test('what was accepted is waited for as long as the terminal itself allows, over a restart of the controller', async () => {
    const { id } = valueOf(await order({ command: { kind: 'rebuild-edition' } }));
    await answer(id, 'accepted');
    rig = await ordersRig(await at.reopen(), rig);
    await rig.turn(21_600);
    expect((await row(id)).state).toBe('accepted');
    await rig.turn(61);
    expect(await row(id)).toMatchObject({ state: 'expired', detail: expect.stringContaining('accepted it') });
  });

  test('an offline terminal is told to the operator in words, and nothing is ordered', async () => {
    rig.fleet.sessions.delete(terminal);
    expect(await order()).toMatchObject({ fault: { code: 'TERMINAL_OFFLINE' } });
    expect(await rig.orders.commands.order('UTO-0009-1', report, 'ada')).toMatchObject({
      fault: { code: 'TERMINAL_UNKNOWN' },
    });
    expect(valueOf(await rig.orders.commands.list({ limit: 10 }))).toEqual([]);
  });

  test('the broker is away: it goes out when that is back, once, for the session of then', async () => {
    rig.fleet.away = true;
    const { id } = valueOf(await order());
    await rig.turn(20);
    expect(rig.fleet.orders()).toEqual([]);
    rig.fleet.connect();
    rig.fleet.sessions.set(terminal, 2);
    await rig.turn(20);
    await rig.turn(20);
    expect(rig.fleet.orders()).toMatchObject([{ id, session: 2, options: { expirySeconds: 80 } }]);
  });

  test('the broker is away for too long: it has expired and never goes out', async () => {
    rig.fleet.away = true;
    const { id } = valueOf(await order({ ...report, expirySeconds: 10 }));
    rig.fleet.away = false;
    await rig.turn(60);
    expect(rig.fleet.orders()).toEqual([]);
    expect(await row(id)).toMatchObject({
      state: 'expired',
      detail: 'It could not be sent: the broker was away.',
    });
  });

  test('commands are listed newest first, by terminal or bureau, a page at a time', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      await rig.clock.advance(10);
      ids.unshift(valueOf(await order()).id);
    }
    const list = async (which: object) =>
      valueOf(await rig.orders.commands.list({ limit: 2, ...which })).map(({ id }) => id);
    expect(await list({ terminal })).toEqual(ids.slice(0, 2));
    expect(await list({ bureau: 'UTO', before: ids[1] })).toEqual(ids.slice(2));
    expect(await list({ bureau: 'XOM' })).toEqual([]);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { databases, type TestDatabase } from '#test/rigs/databases.ts';
import { type OrdersRig, ordersRig, rigSchemas, valueOf } from './test-rig.ts';
import { TidyTask } from './tidy-task.ts';

const day = 86_400_000;
const fleet = { layer: 'fleet' } as const;

describe.each(databases())('what ended long ago on $name', ({ open }) => {
  let at: TestDatabase;
  let rig: OrdersRig;
  let terminals: string[];
  beforeEach(async () => {
    at = await open(rigSchemas);
    rig = await ordersRig(at.db);
    terminals = rig.fleet.add('UTO-0001', 2);
  });
  afterEach(() => at.close());
  const tidyAfter = async (days: number): Promise<void> => {
    await rig.clock.advance(days * day);
    await new TidyTask({ ...rig.parts, keepDays: 30 }).turn();
  };
  const order = async (): Promise<string> =>
    valueOf(await rig.orders.commands.order(terminals[0] ?? '', { command: { kind: 'report-now' } }, 'ada'))
      .id;
  const end = (id: string): Promise<void> =>
    rig.says(terminals[0] ?? '', (tx, from) =>
      rig.orders.consumer.result(tx, from, { v: 1, id, state: 'done', detail: '' }),
    );

  test('commands go, and what waits for its answer or is younger stays', async () => {
    await end(await order());
    const open = await order();
    await tidyAfter(20);
    const young = await order();
    await end(young);
    await tidyAfter(11);
    const left = valueOf(await rig.orders.commands.list({ limit: 9 })).map(({ id }) => id);
    expect(left.toSorted()).toEqual([open, young].toSorted());
  });

  test('former configurations go, and what a scope has now stays', async () => {
    for (const base of [0, 1, 2])
      valueOf(
        await rig.orders.layers.put(
          { scope: fleet, base, values: { fleet: { keepAliveSeconds: 60 + base } }, note: '' },
          'ada',
        ),
      );
    await tidyAfter(31);
    expect(valueOf(await rig.orders.layers.history(fleet)).map(({ version }) => version)).toEqual([3]);
    expect(valueOf(await rig.orders.layers.get(fleet)).version).toBe(3);
  });

  test('waves go with their terminals, and one that goes on stays', async () => {
    const start = async (title: string): Promise<string> =>
      valueOf(
        await rig.orders.waves.start(
          {
            title,
            action: { kind: 'command', command: { kind: 'report-now' } },
            terminals,
            first: 1,
            pauseSeconds: 60,
            stopAfter: 1,
            timeoutSeconds: 3600,
          },
          'ada',
        ),
      ).id;
    const stopped = await start('stopped');
    valueOf(await rig.orders.waves.stop(stopped, 'ada'));
    const goesOn = await start('goes on');
    await rig.turn();
    await tidyAfter(31);
    expect(valueOf(await rig.orders.waves.list()).map(({ id }) => id)).toEqual([goesOn]);
    const left = await at.db.read((tx) => tx.all('SELECT DISTINCT wave FROM wave_terminals'));
    expect(valueOf(left)).toEqual([{ wave: goesOn }]);
  });
});

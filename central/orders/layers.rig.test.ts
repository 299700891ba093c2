import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limitsType } from '#contracts/configuration.ts';
import { configurationType } from '#contracts/uplink.ts';
import { signEnvelope } from '#formats/envelope.ts';
import { databases, type TestDatabase } from '#test/rigs/databases.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { running } from './fake-fleet.ts';
import { afterRestore } from './index.ts';
import { type OrdersRig, ordersRig, rigSchemas, valueOf } from './test-rig.ts';

const fleetScope = { layer: 'fleet' } as const;
const site = { layer: 'site', key: 'UTO-0001' } as const;
const one = { layer: 'terminal', key: 'UTO-0001-1' } as const;
const keepAlive = (keepAliveSeconds: number) => ({ fleet: { keepAliveSeconds } });

describe.each(databases())('configuration on $name', ({ open }) => {
  let at: TestDatabase;
  let rig: OrdersRig;
  beforeEach(async () => {
    at = await open(rigSchemas);
    rig = await ordersRig(at.db);
    rig.fleet.add('UTO-0001', 2);
    rig.fleet.add('UTO-0002', 1);
    rig.fleet.add('XOM-0001', 1);
  });
  afterEach(() => at.close());
  const put = (scope: Parameters<typeof rig.orders.layers.get>[0], base: number, values: object) =>
    rig.orders.layers.put({ scope, base, values, note: '' }, 'ada');

  test('layers that apply go out from the fleet’s to the terminal’s, signed, and only where there are any', async () => {
    valueOf(await put(one, 0, keepAlive(60)));
    valueOf(await put({ layer: 'bureau', key: 'UTO' }, 0, { log: { level: 'debug' } }));
    await rig.drain();
    expect(rig.fleet.desired('UTO-0001-1')?.layers).toEqual([
      { scope: { layer: 'bureau', key: 'UTO' }, values: { log: { level: 'debug' } } },
      { scope: one, values: keepAlive(60) },
    ]);
    expect(rig.fleet.desired('UTO-0002-1')?.layers).toHaveLength(1);
    expect(rig.fleet.desired('XOM-0001-1')).toBeUndefined();
    await eventually(() => rig.orders.desired.wanted('UTO-0001-1') === 1);
    expect(rig.orders.desired.wanted('XOM-0001-1')).toBe(0);
    expect(await rig.notes('audit')).toHaveLength(2);
  });

  test('a version rises with another content and never else, and a removed layer is told as well', async () => {
    const versions: number[] = [];
    const steps: [number, object][] = [
      [0, keepAlive(60)],
      [1, keepAlive(60)],
      [1, keepAlive(90)],
      [2, { fleet: {} }],
    ];
    for (const [base, values] of steps) {
      valueOf(await put(fleetScope, base, values));
      rig.publisher.publishAgain();
      await rig.drain();
      versions.push(rig.fleet.desired('XOM-0001-1')?.version ?? 0);
    }
    expect(versions).toEqual([1, 1, 2, 3]);
    expect(rig.fleet.desired('XOM-0001-1')?.layers).toEqual([]);
    expect(valueOf(await rig.orders.layers.list()).map(({ values }) => values)).toEqual([{}]);
    const history = valueOf(await rig.orders.layers.history(fleetScope));
    expect(history.map(({ version, values, by }) => [version, values, by])).toEqual([
      [3, {}, 'ada'],
      [2, keepAlive(90), 'ada'],
      [1, keepAlive(60), 'ada'],
    ]);
  });

  test('of two who change the same version one is told that the other was faster, and nothing of hers is kept', async () => {
    const both = await Promise.all([put(site, 0, keepAlive(60)), put(site, 0, keepAlive(90))]);
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    expect(both.find(({ ok }) => !ok)).toMatchObject({ fault: { code: 'CONFLICT' } });
    expect(valueOf(await rig.orders.layers.get(site)).version).toBe(1);
    expect(await rig.notes('audit')).toHaveLength(1);
  });

  test('what no schema names, who is not registered and what is too long is refused', async () => {
    expect(await put(fleetScope, 0, { tls: { key: '/tmp/x' } })).toMatchObject({
      fault: { code: 'REQUEST_INVALID' },
    });
    const stranger = { layer: 'terminal', key: 'UTO-9999-1' } as const;
    expect(await put(stranger, 0, keepAlive(60))).toMatchObject({ fault: { code: 'TERMINAL_UNKNOWN' } });
    const nowhere = { layer: 'site', key: 'UTO-9999' } as const;
    expect(await put(nowhere, 0, keepAlive(60))).toMatchObject({ fault: { code: 'REQUEST_INVALID' } });
  });

  test('a preview tells from what to what for whom, leaves out whom a later layer covers, and writes nothing', async () => {
    valueOf(await put(fleetScope, 0, keepAlive(60)));
    valueOf(await put(one, 0, keepAlive(30)));
    const preview = await rig.orders.layers.preview({
      scope: { layer: 'bureau', key: 'UTO' },
      base: 0,
      values: { ...keepAlive(120), log: { level: 'warn' } },
      note: '',
    });
    expect(valueOf(preview)).toEqual({
      terminals: 3,
      changes: [
        {
          path: 'fleet.keepAliveSeconds',
          before: 60,
          after: 120,
          terminals: 2,
          examples: ['UTO-0001-2', 'UTO-0002-1'],
        },
        { path: 'log.level', before: null, after: 'warn', terminals: 3, examples: expect.any(Array) },
      ],
    });
    expect(valueOf(await rig.orders.layers.list())).toHaveLength(2);
    const late = await rig.orders.layers.preview({ scope: fleetScope, base: 0, values: {}, note: '' });
    expect(late).toMatchObject({ fault: { code: 'CONFLICT' } });
  });

  test('what the offline key signed is passed on as it is; another key, another role or an older version is refused', async () => {
    const limits = (version: number, key = rig.fleet.offline) =>
      signEnvelope(
        limitsType,
        Buffer.from(
          JSON.stringify({
            v: 1,
            version,
            scope: site,
            values: { policy: { editionMaxAgeSeconds: 90_000 } },
          }),
        ),
        key,
      );
    const upload = (envelope: unknown) => rig.orders.signed.upload(envelope, 'ada');
    const good = limits(3);
    expect(valueOf(await upload(good))).toEqual({ kind: 'limits', scope: 'site:UTO-0001', version: 3 });
    expect(await upload(good)).toMatchObject({ fault: { code: 'CONFIGURATION_REFUSED' } });
    expect(await upload(limits(4, rig.fleet.signer))).toMatchObject({ fault: { code: 'SIGNATURE_REFUSED' } });
    expect(await upload({ ...good, payload: limits(9).payload })).toMatchObject({
      fault: { code: 'SIGNATURE_REFUSED' },
    });
    const uplink = signEnvelope(
      configurationType,
      Buffer.from(JSON.stringify({ v: 1, terminal: 'UTO-0001-1', version: 1, network: { hubs: [] } })),
      rig.fleet.offline,
    );
    valueOf(await upload(uplink));
    await rig.drain();
    expect(rig.fleet.desired('UTO-0001-1')).toMatchObject({ limits: [good], uplink });
    expect(rig.fleet.desired('UTO-0001-2')).toMatchObject({ limits: [good], uplink: null });
    expect(rig.fleet.desired('UTO-0002-1')).toBeUndefined();
    const known = valueOf(await rig.orders.desired.configuration('UTO-0001-1'));
    expect(known.limits).toEqual({ policy: { editionMaxAgeSeconds: 90_000 } });
    expect(await rig.notes('audit')).toHaveLength(2);
  });

  test('after a restart of the broker, which kept nothing, everything is published again with the same versions', async () => {
    valueOf(await put(fleetScope, 0, keepAlive(60)));
    const signal = new AbortController();
    const run = rig.publisher.run(signal.signal);
    await until(rig, () => rig.fleet.retained.size === 4);
    rig.fleet.away = true;
    valueOf(await put(site, 0, keepAlive(90)));
    await rig.clock.advance(5000);
    rig.fleet.restart();
    await until(rig, () => rig.fleet.retained.size === 4);
    expect(rig.fleet.desired('XOM-0001-1')?.version).toBe(1);
    expect(rig.fleet.desired('UTO-0001-1')?.version).toBe(2);
    signal.abort();
    await run;
  });

  test('a terminal that was revoked gets nothing', async () => {
    valueOf(await put(fleetScope, 0, keepAlive(60)));
    rig.fleet.revoke('UTO-0001-2');
    await rig.drain();
    expect(rig.fleet.retained.size).toBe(3);
    expect(await rig.orders.desired.desiredFor('UTO-0001-2')).toMatchObject({
      fault: { code: 'TERMINAL_UNKNOWN' },
    });
  });

  test('a centre that came out of a backup goes above the version that a terminal knows', async () => {
    valueOf(await put(fleetScope, 0, keepAlive(60)));
    await rig.drain();
    await rig.says('XOM-0001-1', (tx, from) => rig.orders.consumer.reported(tx, from, running(7)));
    await rig.drain();
    expect(rig.fleet.desired('XOM-0001-1')?.version).toBe(8);
    expect(rig.fleet.desired('UTO-0001-1')?.version).toBe(1);
    await at.db.transaction((tx) => afterRestore(tx, rig.clock));
    rig.publisher.publishAgain();
    await rig.drain();
    expect(rig.fleet.desired('UTO-0001-1')?.version).toBe(1001);
  });

  test('numbers, and what is wanted, survive a restart of the controller', async () => {
    valueOf(await put(fleetScope, 0, keepAlive(60)));
    await rig.drain();
    const again = await ordersRig(await at.reopen(), { fleet: rig.fleet });
    expect(again.orders.desired.wanted('UTO-0001-1')).toBe(1);
    again.publisher.registryChanged();
    await again.drain();
    expect(rig.fleet.published).toHaveLength(4);
  });
});

/** Moves the clock on, a second at a time, until it is so; databases that are far away take their own time. */
async function until(rig: OrdersRig, check: () => boolean): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (check()) return;
    await rig.clock.advance(1000);
    await rig.db.read((tx) => tx.get('SELECT 1'));
  }
  throw new Error('It did not happen.');
}

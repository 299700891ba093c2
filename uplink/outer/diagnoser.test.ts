import { expect, test } from 'vitest';
import type { UplinkLine } from '#contracts/settings/uplink.ts';
import { fail, ok } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Children } from '#runtime/child.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { HubResolver } from '../resolve/index.ts';
import { type PathMeter, untestedPath } from '../probes/path-meter.ts';
import { startMtuSearch } from '../probes/mtu-search.ts';
import { Diagnoser } from './diagnoser.ts';
import type { LineFound } from './line-facts.ts';

const probe = { everyMillis: 500, timeoutMillis: 700, lossesDown: 3 };
const line: UplinkLine = {
  name: 'dsl',
  device: 'dsl0',
  kind: 'ethernet',
  metric: 1,
  metered: false,
  monthlyMegabytes: 0,
  probeAddress: '10.78.0.2',
  fullProbeMillis: 4000,
  quietSeconds: 15,
};
const found: LineFound = {
  device: {
    name: 'dsl0',
    index: 2,
    kind: undefined,
    up: true,
    carrier: true,
    pointToPoint: false,
    mtu: 1500,
    addresses: [{ address: '10.1.0.2', family: 4, prefixLength: 24, scope: 'global' }],
  },
  ways: { 4: { gateway: '10.1.0.1' } },
  addresses: ['10.1.0.2'],
  usable: true,
};
const untested = untestedPath(probe);
const up: PathMeter = { ...untested, state: 'up' };
const down: PathMeter = { ...untested, state: 'down', lostInRow: 3 };

const other: UplinkLine = { ...line, name: 'lte', device: 'lte0', metric: 2 };

/** A diagnoser, the neighbours that the kernel knows, and how often it was asked for them and the firewall for a window. */
function rig() {
  const clock = new TestClock();
  const kernel = { neighbours: [] as object[], windows: 0, openWindows: new Set<() => void>() };
  const children: Children = {
    run: () => Promise.resolve(ok(JSON.stringify(kernel.neighbours))),
    start: () => ({ ended: new Promise(() => {}), stop: () => Promise.resolve() }),
  };
  const random = (): number => 0.5;
  const resolver = new HubResolver({
    hubs: [{ name: 'one', endpoint: '192.0.2.1:51820', pinned: [] }],
    servers: [],
    kept: [],
    clock,
    random,
    changed: () => {},
    keep: () => {},
  });
  const diagnoser = new Diagnoser({
    network: { uplinks: [line, other], dns: [], portalCheck: { url: 'http://192.0.2.80/', expect: 'page' } },
    resolver,
    children,
    clock,
    random,
    openWindow() {
      kernel.windows++;
      return new Promise((resolve) => {
        const shut = (): void => {
          kernel.openWindows.delete(shut);
          resolve(fail('FIREWALL_FAILED', 'shut'));
        };
        kernel.openWindows.add(shut);
      });
    },
  });
  /** Looks once a second, so many times; portal checks end at once unless told otherwise. */
  const look = async (
    meter: PathMeter,
    times: number,
    { names = ['dsl'], keepsOpen = false } = {},
  ): Promise<string | undefined> => {
    for (let i = 0; i < times; i++) {
      await clock.advance(ms(1000));
      const view = { paths: [{ hub: 'one', meter }], mtu: startMtuSearch(1200), detectSeconds: 3 };
      diagnoser.look(new Map(names.map((name) => [name, { found, view, counters: undefined }])));
      if (!keepsOpen) for (const shut of kernel.openWindows) shut();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return diagnoser.of('dsl')?.state;
  };
  return { kernel, look };
}

const silentRouter = [{ dst: '10.1.0.1', dev: 'dsl0', state: ['FAILED'] }];

test('A router that the kernel calls silent is named', async () => {
  const { kernel, look } = rig();
  kernel.neighbours = silentRouter;
  expect(await look(down, 12)).toBe('gateway-silent');
});

test('What was read of the router in an earlier outage is not believed in the next one', async () => {
  const { kernel, look } = rig();
  kernel.neighbours = silentRouter;
  await look(down, 12);
  expect(await look(up, 1)).toBe('up');
  kernel.neighbours = [];
  expect(await look(down, 1)).not.toBe('gateway-silent');
  expect(await look(down, 12)).not.toBe('gateway-silent');
});

test('After a line has worked again, the pauses between two portal checks begin anew', async () => {
  const { kernel, look } = rig();
  await look(down, 900);
  const inFirstOutage = kernel.windows;
  // With pauses that grow from 30 s to 15 min.
  expect(inFirstOutage).toBeGreaterThan(3);
  expect(inFirstOutage).toBeLessThan(12);
  await look(up, 1);
  await look(down, 30);
  expect(kernel.windows).toBeGreaterThan(inFirstOutage);
});

test('Two lines are not checked for a portal at the same time: the end of one would shut the firewall for the other', async () => {
  const { kernel, look } = rig();
  await look(down, 20, { names: ['dsl', 'lte'], keepsOpen: true });
  expect(kernel.windows).toBe(1);
  for (const shut of kernel.openWindows) shut();
  await look(down, 2, { names: ['dsl', 'lte'], keepsOpen: true });
  expect(kernel.windows).toBe(2);
});

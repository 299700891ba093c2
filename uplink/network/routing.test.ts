import { expect, test } from 'vitest';
import type { DeviceAddress, NetworkState, RouteState } from '../tools/network-state.ts';
import { gatewayOf, planRouting, type PlannedRoute, type RoutedUplink } from './routing.ts';

const address = (text: string, prefixLength = 24): DeviceAddress => ({
  address: text,
  family: text.includes(':') ? 6 : 4,
  prefixLength,
  scope: text.startsWith('fe80') ? 'link' : 'global',
});
const dsl: RoutedUplink = {
  name: 'dsl',
  index: 0,
  device: 'eth0',
  usable: true,
  ways: { 4: { gateway: '192.0.2.1' }, 6: { gateway: 'fe80::1' } },
  addresses: [address('192.0.2.2'), address('2001:db8::2', 64), address('fe80::2', 64)],
  probe: { interface: 'checkpost-p0', address: '10.78.0.2' },
};
const sim: RoutedUplink = {
  name: 'sim',
  index: 1,
  device: 'wwan0',
  usable: true,
  ways: { 4: {} },
  addresses: [address('100.64.0.9', 32)],
  probe: { interface: 'checkpost-p1', address: '10.78.1.2' },
};
const input = {
  mark: 1000,
  uplinks: [dsl, sim],
  order: ['dsl', 'sim'],
  hubProbeAddresses: ['10.78.0.1', '10.78.0.3'],
};

function words({ family, type, destination, gateway, device, metric }: PlannedRoute): string {
  const way = [gateway && `via ${gateway}`, device && `dev ${device}`].filter(Boolean).join(' ');
  return `${family} ${type === 'unreachable' ? 'unreachable ' : ''}${destination} ${way} ${metric}`.replaceAll(
    '  ',
    ' ',
  );
}
const table = (number: number, of = planRouting(input).routes): string[] =>
  of.filter((route) => route.table === number).map(words);

test('The table of the tunnel has the uplink that carries first, then every usable one, then nothing', () => {
  expect(table(1000)).toEqual([
    '4 default via 192.0.2.1 dev eth0 10',
    '4 default via 192.0.2.1 dev eth0 100',
    '4 default dev wwan0 101',
    '4 unreachable default 65000',
    '6 default via fe80::1 dev eth0 10',
    '6 default via fe80::1 dev eth0 100',
    '6 unreachable default 65000',
  ]);
});

test('A switch of uplinks is one other route of each family, and every other stays', () => {
  const before = table(1000);
  const after = table(1000, planRouting({ ...input, order: ['sim', 'dsl'] }).routes);
  expect(after.filter((route) => !before.includes(route))).toEqual(['4 default dev wwan0 10']);
  expect(before.filter((route) => !after.includes(route))).toEqual(['4 default via 192.0.2.1 dev eth0 10']);
});

test('An uplink that is not usable carries nothing, and its probes still leave by it', () => {
  const { routes } = planRouting({ ...input, uplinks: [{ ...dsl, usable: false }, sim] });
  expect(table(1000, routes)[0]).toBe('4 default dev wwan0 10');
  expect(table(1000, routes).join()).not.toContain('eth0');
  expect(table(1001, routes)).toEqual([
    '4 192.0.2.0/24 dev eth0 10',
    '4 default via 192.0.2.1 dev eth0 10',
    '4 unreachable default 65000',
    '6 2001:db8::/64 dev eth0 10',
    '6 default via fe80::1 dev eth0 10',
    '6 unreachable default 65000',
  ]);
});

test('An uplink without any way out measures nothing over another one: its tables end at once', () => {
  const { routes } = planRouting({ ...input, uplinks: [dsl, { ...sim, ways: {} }] });
  expect(table(1002, routes)).toEqual(['4 unreachable default 65000', '6 unreachable default 65000']);
});

test('From the address of a probe tunnel only the hubs are reached', () => {
  expect(table(1102)).toEqual([
    '4 10.78.0.1 dev checkpost-p1 10',
    '4 10.78.0.3 dev checkpost-p1 10',
    '4 unreachable default 65000',
  ]);
});

test('Marks and addresses lead to their tables; addresses of the cable alone to none', () => {
  const rules = planRouting(input).rules.map(({ family, priority, fwmark, from, table: to }) =>
    [family, priority, fwmark ?? from, to].join(' '),
  );
  expect(rules.sort()).toEqual([
    '4 700 1000 1000',
    '4 701 1001 1001',
    '4 702 1002 1002',
    '4 720 10.78.0.2 1101',
    '4 721 10.78.1.2 1102',
    '4 740 192.0.2.2 1001',
    '4 741 100.64.0.9 1002',
    '6 700 1000 1000',
    '6 701 1001 1001',
    '6 702 1002 1002',
    '6 740 2001:db8::2 1001',
  ]);
});

test('An uplink keeps its marks and tables when another one goes', () => {
  const { rules } = planRouting({ ...input, uplinks: [sim] });
  expect(rules.find(({ from }) => from === '100.64.0.9')?.table).toBe(1002);
});

test('The router of a device is that of its best default route in the main table; without a router it is a line with one other end', () => {
  const route = (changes: Partial<RouteState>): RouteState => ({
    family: 4,
    table: 254,
    type: 'unicast',
    destination: 'default',
    device: 'eth0',
    metric: 100,
    byKernel: false,
    shared: false,
    ...changes,
  });
  const state: NetworkState = {
    families: [4, 6],
    devices: [],
    rules: [],
    routes: [
      route({ gateway: '192.0.2.9', metric: 200 }),
      route({ gateway: '192.0.2.1' }),
      route({ gateway: '192.0.2.7', metric: 1, table: 1000 }),
      route({ type: 'unreachable', metric: 0 }),
      route({ device: 'wwan0' }),
      route({ gateway: 'fe80::1', family: 6 }),
    ],
  };
  expect(gatewayOf(state, 'eth0', 4)).toEqual({ gateway: '192.0.2.1' });
  expect(gatewayOf(state, 'eth0', 6)).toEqual({ gateway: 'fe80::1' });
  expect(gatewayOf(state, 'wwan0', 4)).toEqual({});
  expect(gatewayOf(state, 'wwan0', 6)).toBeUndefined();
});

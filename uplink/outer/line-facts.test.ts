import { expect, test } from 'vitest';
import type { DeviceState, NetworkState, RouteState } from '../tools/network-state.ts';
import { findLine } from './line-facts.ts';

const device: DeviceState = {
  name: 'eth0',
  index: 2,
  kind: undefined,
  up: true,
  carrier: true,
  pointToPoint: false,
  mtu: 1500,
  addresses: [{ address: '192.0.2.2', family: 4, prefixLength: 24, scope: 'global' }],
};
const route: RouteState = {
  family: 4,
  table: 254,
  type: 'unicast',
  destination: 'default',
  device: 'eth0',
  gateway: '192.0.2.1',
  metric: 100,
  byKernel: false,
  shared: false,
};
const state = (devices: DeviceState[], routes: RouteState[] = [route]): NetworkState => ({
  families: [4, 6],
  devices,
  routes,
  rules: [],
});
const linkLocal = { address: '169.254.9.9', family: 4, prefixLength: 16, scope: 'link' } as const;

test('A line with device, cable, address and router can be used, by the router that DHCP has set', () => {
  expect(findLine({ device: 'eth0' }, state([device]))).toMatchObject({
    usable: true,
    ways: { 4: { gateway: '192.0.2.1' } },
  });
});

test.each<[string, NetworkState]>([
  ['the device is not there', state([])],
  ['it is switched off', state([{ ...device, up: false }])],
  ['the cable is out', state([{ ...device, carrier: false }])],
  ['it gave itself an address because nobody else did', state([{ ...device, addresses: [linkLocal] }])],
  ['DHCP gave no router', state([device], [])],
])('Where %s, it cannot be used', (_, found) => {
  expect(findLine({ device: 'eth0' }, found).usable).toBe(false);
});

test('A router in the settings counts, whatever the main table has', () => {
  expect(findLine({ device: 'eth0', gateway: '192.0.2.7' }, state([device], [])).ways).toEqual({
    4: { gateway: '192.0.2.7' },
  });
});

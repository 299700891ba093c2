import { expect, test } from 'vitest';
import { Check } from 'typebox/value';
import { Order } from '../halves/orders.ts';
import { orderOf } from './order.ts';
import { testSettings } from './test-settings.ts';

const keys = {
  keyFile: (slot: string) => `/keys/${slot}`,
  presharedKeyFile: (_: string, hub: string) => (hub === 'one' ? '/psk/one.psk' : null),
};
const endpoints = new Map([['one', '192.0.2.10:51820']]);
const order = (carrying: string | undefined) =>
  orderOf({ settings: testSettings(), keys, endpoints, carrying, mtu: 1420 });

test('Every tunnel takes all of the centre from its hub, whichever carries, so that no answer is thrown away', () => {
  expect(order('two').tunnels.map(({ allowedIps }) => allowedIps)).toEqual([
    ['10.80.0.0/16', '10.77.255.1/32'],
    ['10.80.0.0/16', '10.77.255.2/32'],
  ]);
});

test('Only the route to the centre says which hub carries; while nobody knows, it is the first', () => {
  const route = (carrying: string | undefined) =>
    order(carrying).routes.find(({ destination }) => destination === '10.80.0.0/16')?.interface;
  expect([route('one'), route('two'), route(undefined), route('gone')]).toEqual([
    'checkpost0',
    'checkpost1',
    'checkpost0',
    'checkpost0',
  ]);
});

test('Keys are named by their files and never stand in an order, and one without an address says so', () => {
  const [one, two] = order('one').tunnels;
  expect(one).toMatchObject({ keyFile: '/keys/tunnel@one', presharedKeyFile: '/psk/one.psk' });
  expect(two).toMatchObject({ presharedKeyFile: null, endpoint: null });
});

test('An order is what the inner half takes', () => {
  expect(Check(Order, { ...order('one'), seq: 1, nudge: 0 })).toBe(true);
});

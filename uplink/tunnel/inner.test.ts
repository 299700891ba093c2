import { expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import type { DeviceAddress, DeviceState, NetworkState, RouteState } from '../tools/network-state.ts';
import { planInner } from './inner-plan.ts';
import { applyInner, type InnerOrder } from './inner.ts';

const tunnel = (name: string, mtu = 1420) => ({
  interface: name,
  mtu,
  privateKey: `${'c'.repeat(42)}A=`,
  peer: { publicKey: `${'a'.repeat(42)}A=`, allowedIps: ['10.0.0.0/8'] },
});
const order: InnerOrder = {
  tunnels: [tunnel('checkpost0'), tunnel('checkpost1')],
  addresses: ['10.77.0.2/32', 'fd77::2/128'],
  routes: [
    { destination: '10.0.0.0/8', interface: 'checkpost0' },
    { destination: '10.77.0.9/32', interface: 'checkpost1' },
    { destination: 'fd00::/8', interface: 'checkpost0' },
  ],
};
const addresses: DeviceAddress[] = [
  { address: '10.77.0.2', family: 4, prefixLength: 32, scope: 'global' },
  { address: 'fd77::2', family: 6, prefixLength: 128, scope: 'global' },
  { address: 'fe80::2', family: 6, prefixLength: 64, scope: 'link' },
];
const device = (name: string, changes: Partial<DeviceState> = {}): DeviceState => ({
  name,
  index: 2,
  kind: 'tun',
  up: true,
  carrier: true,
  pointToPoint: true,
  mtu: 1420,
  addresses,
  ...changes,
});
const route = (destination: string, name: string, changes: Partial<RouteState> = {}): RouteState => ({
  family: destination.includes(':') ? 6 : 4,
  table: 254,
  type: 'unicast',
  destination,
  device: name,
  metric: destination.includes(':') ? 1024 : 0,
  byKernel: false,
  shared: false,
  ...changes,
});
const whole: NetworkState = {
  families: [4, 6],
  devices: [device('lo'), device('checkpost0'), device('checkpost1')],
  routes: [
    route('10.0.0.0/8', 'checkpost0'),
    route('10.77.0.9', 'checkpost1'),
    route('fd00::/8', 'checkpost0'),
    route('fe80::/64', 'checkpost0', { byKernel: true, metric: 256 }),
    route('10.77.0.2', 'checkpost0', { table: 255, type: 'local', byKernel: true }),
    route('192.0.2.0/24', 'lo'),
  ],
  rules: [],
};
const plan = (changes: Partial<InnerOrder>, state: Partial<NetworkState> = {}): string[] =>
  planInner({ ...order, ...changes }, { ...whole, ...state }).map((command) => command.join(' '));

test('Where all stands there is nothing to do', () => {
  expect(plan({})).toEqual([]);
});

test('A new interface gets its size, its addresses without routes of their own, comes up, and then has its routes', () => {
  const fresh = device('checkpost0', { up: false, mtu: 1500, addresses: [] });
  expect(plan({ tunnels: [tunnel('checkpost0')] }, { devices: [fresh], routes: [] })).toEqual([
    'link set dev checkpost0 mtu 1420',
    '-4 address replace 10.77.0.2/32 dev checkpost0 noprefixroute',
    '-6 address replace fd77::2/128 dev checkpost0 noprefixroute',
    'link set dev checkpost0 up',
    '-4 route replace 10.0.0.0/8 dev checkpost0',
    '-6 route replace fd00::/8 dev checkpost0 metric 1024',
  ]);
});

test('A planned switch of hubs replaces the routes and does nothing else', () => {
  const routes = order.routes.map((one) => ({ ...one, interface: 'checkpost1' }));
  expect(plan({ routes })).toEqual([
    '-4 route replace 10.0.0.0/8 dev checkpost1',
    '-6 route replace fd00::/8 dev checkpost1 metric 1024',
  ]);
});

test('What is stale on our interfaces goes, and what is on others, or made by the kernel, stays', () => {
  const routes = [
    ...whole.routes,
    route('203.0.113.0/24', 'checkpost1'),
    route('default', 'checkpost0', { metric: 5 }),
  ];
  const stale: DeviceAddress = { address: '10.77.0.66', family: 4, prefixLength: 32, scope: 'global' };
  const devices = [
    device('lo', { addresses: [stale] }),
    device('checkpost0', { addresses: [...addresses, stale] }),
    device('checkpost1'),
  ];
  expect(plan({}, { routes, devices })).toEqual([
    '-4 address delete 10.77.0.66/32 dev checkpost0',
    '-4 route delete 203.0.113.0/24 dev checkpost1 metric 0',
    '-4 route delete default dev checkpost0 metric 5',
  ]);
});

test('Below 1280 bytes a device has no IPv6: only the size is set and nothing of it is attempted; above, it comes back', () => {
  expect(plan({ tunnels: [tunnel('checkpost0', 1200), tunnel('checkpost1')] })).toEqual([
    'link set dev checkpost0 mtu 1200',
  ]);
  const small = device('checkpost0', { mtu: 1200, addresses: addresses.slice(0, 1) });
  const routes = whole.routes.filter(({ family }) => family === 4);
  expect(plan({}, { devices: [small, device('checkpost1')], routes })).toEqual([
    'link set dev checkpost0 mtu 1420',
    '-6 address replace fd77::2/128 dev checkpost0 noprefixroute',
    '-6 route replace fd00::/8 dev checkpost0 metric 1024',
  ]);
});

function machine(answers: Readonly<Record<string, Result<string>>>): { children: Children; runs: string[] } {
  const runs: string[] = [];
  const children: Children = {
    run(tool, args) {
      const line = [tool.name, ...args].join(' ');
      runs.push(line);
      return Promise.resolve(answers[line] ?? ok(args[0] === 'showconf' ? '[Interface]\n' : ''));
    },
    start: () => ({ ended: new Promise(() => {}), stop: () => Promise.resolve() }),
  };
  return { children, runs };
}
const shown = (...names: string[]) => ({
  'ip -json -details address show': ok(
    JSON.stringify(names.map((ifname, at) => ({ ifname, ifindex: at + 2, flags: [], mtu: 1420 }))),
  ),
});

test('What was changed is told in words, without a key', async () => {
  const { children } = machine(shown('checkpost0', 'checkpost1'));
  const done = await applyInner(order, children);
  expect(done).toMatchObject({ ok: true });
  const words = done.ok ? done.value : [];
  expect(words.slice(0, 2)).toEqual(['checkpost0: key and hub', 'checkpost1: key and hub']);
  expect(words).toContain('link set dev checkpost1 up');
  expect(words.join()).not.toContain('ccccc');
});

test('An interface that is not there yet is a fault that says whom to ask, and the other tunnel is set all the same', async () => {
  const { children, runs } = machine(shown('checkpost1'));
  const done = await applyInner(order, children);
  expect(done).toMatchObject({ ok: false, fault: { code: 'TUNNEL_FAILED' } });
  expect(done.ok ? '' : done.fault.detail).toContain('There is no interface checkpost0 in this namespace');
  expect(runs).toContain('wg syncconf checkpost1 /dev/stdin');
  expect(runs).toContain('ip link set dev checkpost1 up');
});

test('A step that fails does not keep the others from being done; what has gone by itself is no fault', async () => {
  const up = 'ip link set dev checkpost0 up';
  const { children, runs } = machine({
    ...shown('checkpost0', 'checkpost1'),
    [up]: fail('TOOL_FAILED', 'ip did not end within 5000 ms.'),
  });
  const done = await applyInner(order, children);
  expect(done.ok ? '' : done.fault.detail).toMatch(/link set dev checkpost0 up: .*5000 ms/);
  expect(runs).toContain('ip -4 route replace 10.77.0.9 dev checkpost1');
});

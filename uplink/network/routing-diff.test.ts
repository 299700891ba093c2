import { expect, test } from 'vitest';
import type { DeviceState, NetworkState, RouteState, RuleState } from '../tools/network-state.ts';
import { diffRouting } from './routing-diff.ts';
import { type PlannedRoute, type PlannedRule, planRouting } from './routing.ts';

const plan = planRouting({
  mark: 1000,
  uplinks: [
    {
      name: 'dsl',
      index: 0,
      device: 'eth0',
      usable: true,
      ways: { 4: { gateway: '192.0.2.1' } },
      addresses: [{ address: '192.0.2.2', family: 4, prefixLength: 24, scope: 'global' }],
      probe: { interface: 'checkpost-p0', address: '10.78.0.2' },
    },
  ],
  order: ['dsl'],
  hubProbeAddresses: ['10.78.0.1'],
});
const device = (name: string, up = true): DeviceState => ({
  name,
  index: 1,
  kind: undefined,
  up,
  carrier: up,
  pointToPoint: false,
  mtu: 1500,
  addresses: [],
});
const rule = (changes: Partial<RuleState> & Pick<RuleState, 'priority' | 'table'>): RuleState => ({
  family: 4,
  special: false,
  ...changes,
});
const defaults = ([4, 6] as const).flatMap((family) => [
  rule({ family, priority: 0, table: 255 }),
  rule({ family, priority: 32_766, table: 254 }),
  ...(family === 4 ? [rule({ priority: 32_767, table: 253 })] : []),
]);
const asRoute = (route: PlannedRoute): RouteState => ({
  ...route,
  byKernel: false,
  shared: false,
  // As the kernel says it.
  ...(route.family === 6 && route.type === 'unreachable' && { device: 'lo' }),
});
const asRule = (one: PlannedRule): RuleState => ({ ...one, special: false });
const whole: NetworkState = {
  families: [4, 6],
  devices: [device('lo'), device('eth0'), device('checkpost-p0')],
  routes: plan.routes.map(asRoute),
  rules: [...defaults, ...plan.rules.map(asRule)],
};
const diff = (changes: Partial<NetworkState>, of = plan): string[] =>
  diffRouting(of, { ...whole, ...changes }).map((command) => command.join(' '));

test('Where all stands there is nothing to do', () => {
  expect(diff({})).toEqual([]);
});

test('On an empty machine routes come before the rules that lead to them, that of the tunnel first', () => {
  const commands = diff({ routes: [], rules: defaults });
  expect(commands[0]).toBe('-4 route replace default via 192.0.2.1 dev eth0 onlink metric 10 table 1000');
  expect(commands).toContain('-6 route replace unreachable default metric 65000 table 1000');
  expect(commands).toContain('-4 route replace 10.78.0.1 dev checkpost-p0 metric 10 table 1101');
  expect(commands).toContain('-4 rule add priority 740 from 192.0.2.2 table 1001');
  expect(commands).toContain('-6 rule add priority 700 fwmark 1000 table 1000');
  const kinds = commands.map((command) => command.split(' ')[1]);
  expect(kinds.lastIndexOf('route')).toBeLessThan(kinds.indexOf('rule'));
});

test('After `ip rule flush` our rules come back, and those that every kernel starts with', () => {
  const commands = diff({ rules: [] });
  expect(commands).toContain('-4 rule add priority 0 table 255');
  expect(commands).toContain('-4 rule add priority 32766 table 254');
  expect(commands).toContain('-4 rule add priority 32767 table 253');
  expect(commands).toContain('-6 rule add priority 32766 table 254');
  expect(commands).not.toContain('-6 rule add priority 32767 table 253');
  expect(commands).toHaveLength(plan.rules.length + 5);
});

test('A rule of another program stays, and so does a table, and where it has put the main table itself', () => {
  const foreign = [
    rule({ priority: 100, fwmark: 1, table: 254, special: true }),
    rule({ priority: 5210, fwmark: 0x80000, table: 254 }),
    ...whole.rules.filter(({ priority }) => priority !== 32_766),
    rule({ priority: 30_000, table: 254 }),
    rule({ family: 6, priority: 30_000, table: 254 }),
  ];
  const routes = [
    ...whole.routes,
    ...[254, 999, 1201].map((table) => asRoute({ ...plan.routes[0]!, table, metric: 1 })),
  ];
  expect(diff({ rules: foreign, routes })).toEqual([]);
});

test('A main table that is only looked at under a condition is not the rule that every kernel starts with', () => {
  const rules = whole.rules.map((one) => (one.priority === 32_766 ? { ...one, special: true } : one));
  expect(diff({ rules })).toEqual([
    '-4 rule add priority 32766 table 254',
    '-6 rule add priority 32766 table 254',
  ]);
});

test('What is stale in our tables and priorities goes, after what is new has come', () => {
  const [first, ...others] = whole.routes;
  const old = { ...first!, gateway: '192.0.2.77', metric: 55 };
  const commands = diff({
    routes: [...others, old],
    rules: [
      ...whole.rules,
      rule({ priority: 745, from: '192.0.2.50', table: 1006 }),
      rule({ priority: 799, table: 0, special: true }),
    ],
  });
  expect(commands).toEqual([
    '-4 route replace default via 192.0.2.1 dev eth0 onlink metric 10 table 1000',
    '-4 rule delete priority 745 from 192.0.2.50 table 1006',
    '-4 rule delete priority 799',
    '-4 route delete default via 192.0.2.77 dev eth0 onlink metric 55 table 1000',
  ]);
});

test('A router that has changed shows as replaced routes, and nothing is deleted', () => {
  const routes = whole.routes.map((route) =>
    route.gateway === undefined ? route : { ...route, gateway: '192.0.2.254' },
  );
  const commands = diff({ routes });
  expect(commands).toHaveLength(3);
  expect(commands.every((command) => command.startsWith('-4 route replace default via 192.0.2.1'))).toBe(
    true,
  );
});

test('A route over several ways in the place of one of ours is replaced, and one elsewhere goes as a whole', () => {
  const [first, ...others] = whole.routes;
  const ways = [
    { ...first!, gateway: '192.0.2.8', shared: true, metric: 9 },
    { ...first!, gateway: '192.0.2.9', shared: true, metric: 9 },
  ];
  expect(new Set(diff({ routes: [first!, ...others, ...ways] }))).toEqual(
    new Set(['-4 route delete default metric 9 table 1000']),
  );
});

test('Over a device that is not there, or down, nothing is attempted; without IPv6 nothing of it', () => {
  const commands = diff({ routes: [], devices: [device('lo'), device('eth0', false)] });
  expect(commands.filter((command) => command.includes(' dev '))).toEqual([]);
  const four = diff({ routes: [], rules: [], families: [4] });
  expect(four.filter((command) => command.startsWith('-6'))).toEqual([]);
});

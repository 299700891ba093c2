import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { parseDevices, parseRoutes, parseRules } from './network-parse.ts';
import { readNetwork } from './network-state.ts';

// Printed by iproute2 6.1 of Debian 12 in a namespace of its own; what is not read is left out here and there.
const devices = JSON.stringify([
  {
    ifindex: 1,
    ifname: 'lo',
    flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
    mtu: 65_536,
    operstate: 'UNKNOWN',
    addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8, scope: 'host', label: 'lo' }],
  },
  {
    ifindex: 3,
    link: 'cpd1',
    ifname: 'cpd0',
    flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
    mtu: 1500,
    operstate: 'UP',
    linkinfo: { info_kind: 'veth' },
    addr_info: [
      {
        family: 'inet',
        local: '192.0.2.2',
        prefixlen: 24,
        scope: 'global',
        label: 'cpd0',
        valid_life_time: 4_294_967_295,
      },
      { family: 'inet6', local: '2001:db8::2', prefixlen: 64, scope: 'global', nodad: true },
      { family: 'inet6', local: 'fe80::301c:8fff:fed9:3bd3', prefixlen: 64, scope: 'link', tentative: true },
    ],
  },
  {
    ifindex: 4,
    ifname: 'checkpost0',
    flags: ['POINTOPOINT', 'MULTICAST', 'NOARP'],
    mtu: 1420,
    operstate: 'DOWN',
    linkinfo: { info_kind: 'tun', info_data: { type: 'tun', pi: true, persist: false } },
  },
  {
    ifindex: 5,
    ifname: 'tap0',
    flags: ['BROADCAST'],
    mtu: 1500,
    operstate: 'DOWN',
    linkinfo: { info_kind: 'tun', info_data: { type: 'tap' } },
  },
  {},
]);
const routes4 =
  '[{"dst":"default","gateway":"203.0.113.1","dev":"cpd0","table":"25456","metric":10,"flags":["onlink"]},{"type":"7","dst":"default","table":"25456","metric":65000,"flags":[]},{"dst":"default","gateway":"192.0.2.1","dev":"cpd0","metric":100,"flags":[]},{"dst":"192.0.2.0/24","dev":"cpd0","protocol":"2","scope":"253","prefsrc":"192.0.2.2","flags":[]},{"type":"2","dst":"127.0.0.0/8","dev":"lo","table":"255","protocol":"2","scope":"254","prefsrc":"127.0.0.1","flags":[]},{"dst":"default","table":"501","flags":[],"nexthops":[{"gateway":"10.0.0.1","dev":"dm","weight":1,"flags":["onlink"]},{"gateway":"10.0.0.2","dev":"em","weight":1,"flags":["onlink"]}]}]';
const routes6 =
  '[{"dst":"default","gateway":"fe80::1","dev":"cpd0","table":"25456","metric":10,"flags":["onlink"],"pref":"medium"},{"type":"7","dst":"default","dev":"lo","table":"25456","metric":65000,"flags":[],"pref":"medium"},{"dst":"2001:db8::/64","dev":"cpd0","protocol":"2","metric":256,"flags":[],"pref":"medium"}]';
const rules4 =
  '[{"priority":0,"src":"all","table":"255"},{"priority":100,"not":null,"src":"10.0.0.0","srclen":8,"fwmark":"0x1","fwmask":"0xff","iif":"cpd0","table":"254","suppress_prefixlen":0},{"priority":700,"src":"all","fwmark":"0x6370","table":"25456"},{"priority":740,"src":"192.0.2.2","table":"25457"},{"priority":32766,"src":"all","table":"254"},{"priority":32767,"src":"all","table":"253"}]';
const rules6 = '[{"priority":0,"src":"all","table":"255"},{"priority":32766,"src":"all","table":"254"}]';

const commands = {
  devices: 'ip -json -details address show',
  routes4: 'ip -N -4 -json route show table all',
  routes6: 'ip -N -6 -json route show table all',
  rules4: 'ip -N -4 -json rule',
  rules6: 'ip -N -6 -json rule',
};
const all: Readonly<Record<string, Result<string>>> = {
  [commands.devices]: ok(devices),
  [commands.routes4]: ok(routes4),
  [commands.routes6]: ok(routes6),
  [commands.rules4]: ok(rules4),
  [commands.rules6]: ok(rules6),
};

function machine(answers: Readonly<Record<string, Result<string>>>): Children {
  return {
    run: (tool, args) =>
      Promise.resolve(
        answers[[tool.name, ...args].join(' ')] ?? fail('TOOL_FAILED', 'ip was asked something else.'),
      ),
    start: () => ({ ended: new Promise(() => {}), stop: () => Promise.resolve() }),
  };
}

test('Interfaces, routes and rules are read as the kernel has them', async () => {
  const read = await readNetwork(machine(all));
  if (!read.ok) throw new Error(read.fault.detail);
  const { families, devices: found, routes, rules } = read.value;
  expect(families).toEqual([4, 6]);
  expect(found.map(({ name, kind, up, carrier }) => [name, kind, up, carrier])).toEqual([
    ['lo', undefined, true, true],
    ['cpd0', 'veth', true, true],
    ['checkpost0', 'tun', false, false],
    ['tap0', 'tap', false, false],
  ]);
  expect(found[1]?.addresses).toEqual([
    { address: '192.0.2.2', family: 4, prefixLength: 24, scope: 'global' },
    { address: '2001:db8::2', family: 6, prefixLength: 64, scope: 'global' },
    { address: 'fe80::301c:8fff:fed9:3bd3', family: 6, prefixLength: 64, scope: 'link' },
  ]);
  expect(routes.slice(0, 4)).toEqual([
    {
      family: 4,
      table: 25_456,
      type: 'unicast',
      destination: 'default',
      device: 'cpd0',
      gateway: '203.0.113.1',
      metric: 10,
      byKernel: false,
      shared: false,
    },
    {
      family: 4,
      table: 25_456,
      type: 'unreachable',
      destination: 'default',
      metric: 65_000,
      byKernel: false,
      shared: false,
    },
    {
      family: 4,
      table: 254,
      type: 'unicast',
      destination: 'default',
      device: 'cpd0',
      gateway: '192.0.2.1',
      metric: 100,
      byKernel: false,
      shared: false,
    },
    {
      family: 4,
      table: 254,
      type: 'unicast',
      destination: '192.0.2.0/24',
      device: 'cpd0',
      metric: 0,
      source: '192.0.2.2',
      byKernel: true,
      shared: false,
    },
  ]);
  expect(routes.filter(({ table }) => table === 501).map(({ gateway, shared }) => [gateway, shared])).toEqual(
    [
      ['10.0.0.1', true],
      ['10.0.0.2', true],
    ],
  );
  expect(rules).toEqual([
    { family: 4, priority: 0, table: 255, special: false },
    { family: 4, priority: 100, table: 254, from: '10.0.0.0/8', fwmark: 1, special: true },
    { family: 4, priority: 700, table: 25_456, fwmark: 25_456, special: false },
    { family: 4, priority: 740, table: 25_457, from: '192.0.2.2', special: false },
    { family: 4, priority: 32_766, table: 254, special: false },
    { family: 4, priority: 32_767, table: 253, special: false },
    { family: 6, priority: 0, table: 255, special: false },
    { family: 6, priority: 32_766, table: 254, special: false },
  ]);
});

test('Names in place of numbers, as ip prints them without -N, are understood too', () => {
  const routes = parseRoutes(
    '[{"type":"local","dst":"127.0.0.1","dev":"lo","table":"local","protocol":"kernel"},{"dst":"10.0.0.0/8","dev":"a","table":"site"}]',
    4,
  );
  expect(routes?.map(({ table, type, byKernel }) => [table, type, byKernel])).toEqual([
    [255, 'local', true],
    [-1, 'unicast', false],
  ]);
  expect(parseRules('[{"priority":32766,"src":"all","table":"main"}]', 4)?.[0]?.table).toBe(254);
});

test('A kernel without IPv6 has one family, whatever it prints for routes of the other', async () => {
  const without = fail(
    'TOOL_FAILED',
    'ip ended with code 1: RTNETLINK answers: Address family not supported by protocol',
  );
  const read = await readNetwork(
    machine({ ...all, [commands.rules6]: without, [commands.routes6]: ok(routes4) }),
  );
  expect(read.ok && read.value.families).toEqual([4]);
  expect(read.ok && read.value.routes.every(({ family }) => family === 4)).toBe(true);
});

test('Where there is nothing, ip prints nothing or an empty list, and both are nothing', async () => {
  const empty = Object.fromEntries(
    Object.keys(all).map((command, at) => [command, ok(at % 2 === 0 ? '' : '[ ]\n')]),
  );
  expect(await readNetwork(machine(empty))).toEqual({
    ok: true,
    value: { families: [4, 6], devices: [], routes: [], rules: [] },
  });
});

test.each(
  Object.entries(commands).flatMap(([name, command]) =>
    ['nonsense', '{"a":1}', '[1]', '[{"a":1}]', 'null'].map((text) => [name, text, command]),
  ),
)(
  'Where ip prints for %s: %s, it is a fault that names what was read and the tool',
  async (_name, text, command = '') => {
    const read = await readNetwork(machine({ ...all, [command]: ok(text ?? '') }));
    expect(read).toMatchObject({ ok: false, fault: { code: 'ROUTING_FAILED' } });
    expect(read.ok ? '' : read.fault.detail).toMatch(/^reading the .*: ip printed something else/);
  },
);

test.each(Object.values(commands))('Where %s hangs or is not there, that is the fault', async (command) => {
  const hung = fail('TOOL_FAILED', 'ip did not end within 5000 ms.');
  expect(await readNetwork(machine({ ...all, [command]: hung }))).toMatchObject({
    ok: false,
    fault: { code: 'ROUTING_FAILED' },
  });
  const missing = fail('TOOL_MISSING', 'ip is not installed; the package is iproute2.');
  expect(await readNetwork(machine({ ...all, [command]: missing }))).toEqual(missing);
});

test('No JSON whatever makes a parser throw', () => {
  const field = fc.constantFrom(
    'ifname',
    'ifindex',
    'flags',
    'addr_info',
    'linkinfo',
    'dst',
    'table',
    'priority',
    'src',
    'fwmark',
    'nexthops',
    'via',
    'type',
    'local',
  );
  const entry = fc.dictionary(
    field,
    fc.oneof(fc.jsonValue(), fc.constantFrom('default', '10.0.0.0/8', '254', 'constructor')),
  );
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const text = JSON.stringify(entries);
      parseDevices(text);
      for (const family of [4, 6] as const) {
        parseRoutes(text, family);
        parseRules(text, family);
      }
    }),
  );
});

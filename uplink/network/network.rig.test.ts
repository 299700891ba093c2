import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemChildren } from '#runtime/child.ts';
import { systemClock } from '#runtime/clock.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { netnsChildren } from '#test/rigs/netns-children.ts';
import { requires } from '#test/rigs/requirements.ts';
import {
  addNamespace,
  connect,
  inside,
  namespaceOf,
  removeNamespace,
  run as host,
  sweep,
} from '#test/rigs/site/namespaces.ts';
import { type NetworkWatch, watchNetwork } from '../tools/monitor.ts';
import { type NetworkState, readNetwork } from '../tools/network-state.ts';
import type { Family } from '../tools/prefix.ts';
import { gatewayOf, planRouting, reconcileRouting, type RoutedUplink } from './index.ts';

const reason = requires({
  test: 'rules and routes of the uplinks',
  root: true,
  tools: ['ip', 'nft', 'sysctl'],
});

// A terminal with two uplinks, each a cable to a provider; the probe tunnels are played by two more cables.
const [terminal, provider] = [namespaceOf('nT'), namespaceOf('nP')];
const children = netnsChildren(terminal, systemChildren);
const mark = 25_456;
const run = (...args: string[]): string => inside(terminal, ...args);

async function read(): Promise<NetworkState> {
  const state = await readNetwork(children);
  if (!state.ok) throw new Error(state.fault.detail);
  return state.value;
}

function uplink(state: NetworkState, index: number): RoutedUplink {
  const device = `u${index}`;
  const ways = Object.fromEntries(
    ([4, 6] as const satisfies Family[]).flatMap((family) => {
      const way = gatewayOf(state, device, family);
      return way === undefined ? [] : [[family, way]];
    }),
  );
  const addresses = state.devices.find(({ name }) => name === device)?.addresses ?? [];
  const probe = { interface: `p${index}`, address: `10.78.${index}.2` };
  return { name: device, index, device, usable: true, ways, addresses, probe };
}

async function reconcile(order = ['u0', 'u1']): Promise<readonly string[]> {
  const state = await read();
  const uplinks = [uplink(state, 0), uplink(state, 1)];
  const plan = planRouting({ mark, uplinks, order, hubProbeAddresses: ['10.78.0.1'] });
  const done = await reconcileRouting(plan, children, state);
  if (!done.ok) throw new Error(done.fault.detail);
  return done.value.changed;
}

const hub = '198.51.100.7';
/** Where a packet to the hub would leave: by mark, and from which address where one is bound. */
function way(how: string, to = hub): string {
  try {
    return /dev (\S+)/.exec(run('ip', 'route', 'get', to, ...how.split(' ')))?.[1] ?? 'nowhere';
  } catch {
    return 'nowhere';
  }
}
const leavesBy = (...numbers: number[]): string[] => numbers.map((number) => way(`mark ${number}`));

describe.skipIf(reason !== undefined)('Rules and routes of the uplinks', () => {
  beforeAll(async () => {
    sweep();
    for (const netns of [terminal, provider]) addNamespace(netns);
    for (const index of [0, 1]) {
      for (const [device, net] of [
        [`u${index}`, `192.0.${index + 2}`],
        [`p${index}`, `10.78.${index}`],
      ] as const)
        connect(
          { netns: terminal, device, address: `${net}.2/24` },
          { netns: provider, device, address: `${net}.1/24` },
        );
      run('ip', 'route', 'add', 'default', 'via', `192.0.${index + 2}.1`, 'metric', String(100 + index));
    }
    run('ip', '-6', 'address', 'add', '2001:db8::2/64', 'dev', 'u0', 'nodad');
    run('ip', '-6', 'route', 'add', 'default', 'via', '2001:db8::1', 'dev', 'u0');
    // Of other programs: rules before and after ours, and a table of their own.
    run('ip', 'rule', 'add', 'priority', '100', 'fwmark', '0x99', 'table', '99');
    run('ip', 'rule', 'add', 'priority', '5210', 'fwmark', '0x80000/0xff0000', 'table', 'main');
    run('ip', 'route', 'add', '203.0.113.0/24', 'dev', 'u1', 'table', '99');
  });

  let watch: NetworkWatch | undefined;
  afterEach(async () => {
    await watch?.close();
    watch = undefined;
  });
  afterAll(() => {
    for (const netns of [terminal, provider]) removeNamespace(netns);
  });

  test('Each mark and each address of an uplink leaves by it, probes only to the hubs, and a second look changes nothing', async () => {
    expect(await reconcile()).not.toEqual([]);
    expect(leavesBy(mark, mark + 1, mark + 2)).toEqual(['u0', 'u0', 'u1']);
    expect(way('from 192.0.3.2')).toBe('u1');
    expect(way('from 10.78.1.2', '10.78.0.1')).toBe('p1');
    expect(way('from 10.78.1.2')).toBe('nowhere');
    expect(way(`mark ${mark}`, '2001:db8:9::1')).toBe('u0');
    // This uplink has no way out of IPv6: its probes do not take that of the other.
    expect(way(`mark ${mark + 2}`, '2001:db8:9::1')).not.toBe('u0');
    // A neighbour on the cable is answered there, not by way of the router.
    expect(run('ip', 'route', 'get', '192.0.3.77', 'from', '192.0.3.2')).not.toContain('via');
    expect(await reconcile()).toEqual([]);
  });

  test('A switch of uplinks is one replaced route of each family that changes', async () => {
    await reconcile();
    expect(await reconcile(['u1', 'u0'])).toEqual([
      `-4 route replace default via 192.0.3.1 dev u1 onlink metric 10 table ${mark}`,
    ]);
    expect(leavesBy(mark)).toEqual(['u1']);
    expect(run('ip', 'route', 'get', hub, 'mark', String(mark), 'oif', 'u0')).toContain('dev u0');
    await reconcile();
  });

  test('After every flush all stands again, the kernel’s own rules too, and what is of other programs was never touched', async () => {
    await reconcile();
    const [before4, before6] = [run('ip', 'rule'), run('ip', '-6', 'rule')];
    const foreign = before4.split('\n').filter((line) => /^(100|5210):/.test(line));
    expect(foreign).toHaveLength(2);
    run('ip', 'rule', 'flush');
    run('ip', '-6', 'rule', 'flush');
    expect(leavesBy(mark)).toEqual(['nowhere']);
    await reconcile();
    expect(run('ip', '-6', 'rule')).toBe(before6);
    const back = run('ip', 'rule').split('\n');
    expect(back).toEqual(before4.split('\n').filter((line) => !foreign.includes(line)));
    run('ip', 'rule', 'add', 'priority', '5210', 'fwmark', '0x80000/0xff0000', 'table', 'main');
    for (const table of [mark, mark + 1, mark + 101]) run('ip', 'route', 'flush', 'table', String(table));
    expect(await reconcile()).toContain(`-4 route replace 10.78.0.1 dev p0 metric 10 table ${mark + 101}`);
    expect(leavesBy(mark, mark + 1, mark + 2)).toEqual(['u0', 'u0', 'u1']);
    expect(run('ip', 'rule')).toContain('5210:');
    expect(run('ip', 'route', 'show', 'table', '99')).toContain('203.0.113.0/24');
  });

  test('Where somebody flushed the main table, what the hubs need is set all the same', async () => {
    const before = await read();
    const uplinks = [uplink(before, 0), uplink(before, 1)];
    const saved = run('ip', '-4', 'route', 'show').trim().split('\n');
    run('ip', '-4', 'route', 'flush', 'table', 'main');
    run('ip', '-4', 'route', 'flush', 'table', String(mark));
    const plan = planRouting({ mark, uplinks, order: ['u0', 'u1'], hubProbeAddresses: [] });
    expect(await reconcileRouting(plan, children)).toMatchObject({ ok: true });
    expect(leavesBy(mark)).toEqual(['u0']);
    const direct = (line: string): number => (line.includes('via') ? 1 : 0);
    for (const line of saved.sort((a, b) => direct(a) - direct(b)))
      run('ip', 'route', 'replace', ...line.trim().split(/\s+/));
  });

  test('A router that changes is taken over as soon as it is looked at', async () => {
    await reconcile();
    run('ip', 'route', 'replace', 'default', 'via', '192.0.2.254', 'dev', 'u0', 'metric', '100');
    expect(await reconcile()).toHaveLength(3);
    expect(run('ip', 'route', 'get', hub, 'mark', String(mark))).toContain('via 192.0.2.254');
    run('ip', 'route', 'replace', 'default', 'via', '192.0.2.1', 'dev', 'u0', 'metric', '100');
    await reconcile();
  });

  test('An uplink whose device goes down and comes back has its routes back, and meanwhile the other carries', async () => {
    run('ip', 'link', 'set', 'u0', 'down');
    await reconcile();
    expect(leavesBy(mark, mark + 1)).toEqual(['u1', 'nowhere']);
    run('ip', 'link', 'set', 'u0', 'up');
    run('ip', 'route', 'add', 'default', 'via', '192.0.2.1', 'dev', 'u0', 'metric', '100');
    await reconcile();
    expect(leavesBy(mark, mark + 1)).toEqual(['u0', 'u0']);
  });

  test('What litters our tables and priorities is cleared away, whatever its form', async () => {
    await reconcile();
    run('ip', 'rule', 'add', 'not', 'from', '10.0.0.0/8', 'priority', '777', 'table', 'main');
    run('ip', 'rule', 'add', 'priority', '778', 'unreachable');
    const ways = ['nexthop', 'via', '192.0.2.1', 'dev', 'u0', 'nexthop', 'via', '192.0.3.1', 'dev', 'u1'];
    run('ip', 'route', 'add', 'default', 'metric', '5', 'table', String(mark), ...ways);
    run('ip', 'route', 'add', 'blackhole', '10.9.0.0/16', 'table', String(mark + 1));
    run('ip', 'route', 'add', hub, 'dev', 'u1', 'table', String(mark));
    await reconcile();
    expect(run('ip', 'rule')).not.toMatch(/^77[78]:/m);
    expect(await reconcile()).toEqual([]);
    expect(leavesBy(mark)).toEqual(['u0']);
  });

  test('With IPv6 switched off by sysctl it is no fault, and IPv4 is whole', async () => {
    run('sysctl', '-q', '-w', 'net.ipv6.conf.all.disable_ipv6=1');
    run('ip', 'rule', 'flush');
    await reconcile();
    expect(await reconcile()).toEqual([]);
    expect(leavesBy(mark, mark + 2)).toEqual(['u0', 'u1']);
  });

  test('Flushed rules and a flushed firewall are heard of at once, also after a watcher was killed', async () => {
    const heard: string[] = [];
    const pids: number[] = [];
    watch = watchNetwork({
      children,
      clock: systemClock,
      random: () => 0,
      onChange: (change) => heard.push(change),
      onFault: (change, fault) => heard.push(`${change} ${fault.code}`),
    });
    const watchers = (): number[] =>
      host('ip', 'netns', 'pids', terminal).trim().split('\n').filter(Boolean).map(Number);
    await eventually(() => watchers().length === 2, { what: 'two watchers' });
    pids.push(...watchers());
    // They listen a moment after they have started.
    await eventually(() => {
      run('ip', 'rule', 'add', 'priority', '6000', 'table', '99');
      run('ip', 'rule', 'flush');
      return heard.includes('network');
    });
    await eventually(() => {
      run('nft', 'add table inet other');
      run('nft', 'flush', 'ruleset');
      return heard.includes('firewall');
    });
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await eventually(() => heard.includes('network TOOL_FAILED') && heard.includes('firewall TOOL_FAILED'));
    await eventually(() => watchers().filter((pid) => !pids.includes(pid)).length === 2);
    heard.length = 0;
    await eventually(() => {
      run('ip', 'rule', 'add', 'priority', '6000', 'table', '99');
      run('ip', 'rule', 'flush');
      return heard.includes('network');
    });
    await watch.close();
    expect(watchers()).toEqual([]);
  });
});

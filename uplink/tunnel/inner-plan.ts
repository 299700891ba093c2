import { type DeviceState, type NetworkState, type RouteState, tables } from '../tools/network-state.ts';
import { type Family, normalDestination, parsePrefix } from '../tools/prefix.ts';
import type { PeerConf } from './conf.ts';

/** One tunnel of the namespace, to one hub. */
export interface InnerTunnel {
  readonly interface: string;
  /** Bytes. */
  readonly mtu: number;
  /** A secret. */
  readonly privateKey: string;
  readonly peer: PeerConf;
}

/** How the namespace is to be. */
export interface InnerOrder {
  readonly tunnels: readonly InnerTunnel[];
  /** Addresses of this terminal, with prefix length: every tunnel has all of them. */
  readonly addresses: readonly string[];
  /** Which way to send what: the interface is one of the tunnels. */
  readonly routes: readonly { readonly destination: string; readonly interface: string }[];
}

/** Below this a device of Linux loses IPv6 and all that belongs to it (RFC 8200 section 5). */
const leastMtuOfIpv6 = 1280;
/** What the kernel gives a route without a metric: with it, one route takes the place of the other. */
const metricOf = { 4: 0, 6: 1024 } as const;

interface Target {
  readonly device: DeviceState;
  readonly mtu: number;
  readonly families: readonly Family[];
}

/**
 * What `ip` has to be told so that addresses, sizes and routes of the tunnels are those of the order; pure. Only the
 * interfaces of the order are touched. Routes are replaced before anything is taken away, so that a switch of hubs is
 * one step. An interface that is not there is passed over.
 */
export function planInner(order: InnerOrder, state: NetworkState): (readonly string[])[] {
  const targets = order.tunnels.flatMap(({ interface: name, mtu }): Target[] => {
    const device = state.devices.find((one) => one.name === name);
    const families = state.families.filter((family) => family === 4 || mtu >= leastMtuOfIpv6);
    return device === undefined ? [] : [{ device, mtu, families }];
  });
  const { fresh, stale } = planRoutes(order, targets, state);
  return [
    ...targets.flatMap((target) => planDevice(order, target)),
    ...fresh,
    ...targets.flatMap((target) => staleAddresses(order, target)),
    ...stale,
  ];
}

function planDevice({ addresses }: InnerOrder, { device, mtu, families }: Target): string[][] {
  const { name } = device;
  const commands: string[][] = [];
  if (device.mtu !== mtu) commands.push(['link', 'set', 'dev', name, 'mtu', String(mtu)]);
  for (const text of addresses) {
    const prefix = parsePrefix(text);
    if (prefix === undefined || !families.includes(prefix.family) || hasAddress(device, text)) continue;
    const { family, address, length } = prefix;
    // Only the routes of the order lead into a tunnel: the kernel would add that of the prefix for each of them.
    commands.push([`-${family}`, 'address', 'replace', `${address}/${length}`, 'dev', name, 'noprefixroute']);
  }
  if (!device.up) commands.push(['link', 'set', 'dev', name, 'up']);
  return commands;
}

function hasAddress({ addresses }: DeviceState, text: string): boolean {
  const wanted = parsePrefix(text);
  return addresses.some(
    ({ address, prefixLength }) => address === wanted?.address && prefixLength === wanted.length,
  );
}

function staleAddresses({ addresses }: InnerOrder, { device, families }: Target): string[][] {
  return device.addresses
    .filter(({ family, scope }) => families.includes(family) && scope !== 'link')
    .map(({ family, address, prefixLength }) => ({ family, text: `${address}/${prefixLength}` }))
    .filter(({ text }) => !addresses.some((wanted) => isSame(wanted, text)))
    .map(({ family, text }) => [`-${family}`, 'address', 'delete', text, 'dev', device.name]);
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [parsePrefix(one), parsePrefix(other)];
  return a !== undefined && a.address === b?.address && a.length === b.length;
}

interface WantedRoute {
  readonly family: Family;
  readonly destination: string;
  readonly device: string;
}

function planRoutes(
  order: InnerOrder,
  targets: readonly Target[],
  state: NetworkState,
): { fresh: string[][]; stale: string[][] } {
  const wanted = order.routes.flatMap(({ destination: text, interface: name }): WantedRoute[] => {
    const to = normalDestination(text);
    const target = targets.find(({ device }) => device.name === name);
    if (to === undefined || target === undefined || !target.families.includes(to.family)) return [];
    return [{ ...to, device: name }];
  });
  const actual = state.routes.filter(
    ({ family, table, type, device, byKernel }) =>
      table === tables.main &&
      type === 'unicast' &&
      !byKernel &&
      targets.some((target) => target.device.name === device && target.families.includes(family)),
  );
  const missing = wanted.filter((route) => !actual.some((one) => isRoute(route, one)));
  return {
    fresh: missing.map(({ family, destination, device }) => [
      `-${family}`,
      'route',
      'replace',
      destination,
      'dev',
      device,
      ...(family === 6 ? ['metric', String(metricOf[6])] : []),
    ]),
    stale: actual
      .filter((one) => !wanted.some((route) => isRoute(route, one)))
      // The new one has taken its place.
      .filter((one) => !missing.some((route) => isSlot(route, one)))
      .map((one) => [
        `-${one.family}`,
        'route',
        'delete',
        one.destination,
        'dev',
        one.device ?? '',
        'metric',
        String(one.metric),
      ]),
  };
}

function isRoute(route: WantedRoute, one: RouteState): boolean {
  return isSlot(route, one) && route.device === one.device && one.gateway === undefined;
}

function isSlot({ family, destination }: WantedRoute, one: RouteState): boolean {
  return one.family === family && one.destination === destination && one.metric === metricOf[family];
}

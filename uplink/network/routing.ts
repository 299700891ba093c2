import type { DeviceAddress, NetworkState } from '../tools/network-state.ts';
import { destinationOf, type Family, networkOf } from '../tools/prefix.ts';
import { tables } from '../tools/network-types.ts';

/** Where a device sends what is not on its own cable: to a router, or, where there is none, to its only other end. */
export interface Way {
  readonly gateway?: string;
}

/** One uplink as the routing needs it. */
export interface RoutedUplink {
  readonly name: string;
  /** Its place in the settings: it decides its marks and tables, so that they stay while others come and go. */
  readonly index: number;
  readonly device: string;
  /** Whether the traffic may leave by it. Its probes do in any case. */
  readonly usable: boolean;
  /** By family; a family that is missing has no way out here. */
  readonly ways: Readonly<Partial<Record<Family, Way>>>;
  readonly addresses: readonly DeviceAddress[];
  /** The probe tunnel of this uplink: its interface, and the address of this terminal in it. */
  readonly probe: { readonly interface: string; readonly address: string };
}

export interface RoutingInput {
  /** Firewall mark and routing table of the tunnel. */
  readonly mark: number;
  readonly uplinks: readonly RoutedUplink[];
  /** Names of the uplinks, the one that is to carry first. */
  readonly order: readonly string[];
  /** Addresses (IPv4) of the hubs in the probe tunnels. */
  readonly hubProbeAddresses: readonly string[];
}

export interface PlannedRoute {
  readonly family: Family;
  readonly table: number;
  readonly type: 'unicast' | 'unreachable';
  readonly destination: string;
  readonly device?: string;
  readonly gateway?: string;
  readonly metric: number;
}

export interface PlannedRule {
  readonly family: Family;
  readonly priority: number;
  readonly fwmark?: number;
  readonly from?: string;
  readonly table: number;
}

export interface RoutingPlan {
  readonly mark: number;
  readonly rules: readonly PlannedRule[];
  /** In the order in which they are to be set: that of the uplink that carries first. */
  readonly routes: readonly PlannedRoute[];
}

const families: readonly Family[] = [4, 6];

/**
 * Priorities of our rules: all from 700 to 799 are ours. Before those of mwan3 (1001 on), of wg-quick and Tailscale
 * (5210 on) and of the network managers, since a packet with our mark is never meant for them.
 */
export const rulePriorities = {
  first: 700,
  mark: 700,
  probeMark: 701,
  probeAddress: 720,
  address: 740,
  last: 799,
} as const;

/** Our tables are those from the mark on. */
export const tableCount = 201;
const probeAddressTables = 101;

/**
 * Metrics. The uplink that carries stands in the table of the tunnel once more, before all others: a switch is one
 * replaced route and takes no other away, so that a packet that was bound for the old uplink (WireGuard keeps the
 * source of its last packet) still leaves by it.
 */
const metrics = { carrying: 10, standby: 100, nothing: 65_000 } as const;

/**
 * How rules and tables are to be; pure. Mark M is the tunnel, M+1+i the probe tunnel of uplink i, each with the table
 * of its number: M has the usable uplinks, M+1+i uplink i alone, usable or not. Addresses of uplink i lead to its table,
 * so that whoever asks a DNS server or a portal chooses the uplink by its source address; the address of its probe
 * tunnel leads to table M+101+i, in which only the hubs are. Each table ends in `unreachable`: what is measured over
 * one uplink must never leave by another because the first has no route.
 */
export function planRouting({ mark, uplinks, order, hubProbeAddresses }: RoutingInput): RoutingPlan {
  const place = ({ name }: RoutedUplink): number =>
    order.includes(name) ? order.indexOf(name) : order.length;
  const usable = uplinks.filter((uplink) => uplink.usable).sort((a, b) => place(a) - place(b));
  return {
    mark,
    rules: [
      ...families.map((family) => ({ family, priority: rulePriorities.mark, fwmark: mark, table: mark })),
      ...uplinks.flatMap((uplink) => rulesOf(mark, uplink)),
    ],
    routes: [
      ...families.flatMap((family) => tunnelRoutes(mark, family, usable)),
      ...uplinks.flatMap((uplink) => families.flatMap((family) => uplinkRoutes(mark, family, uplink))),
      ...uplinks.flatMap((uplink) => probeRoutes(mark, uplink, hubProbeAddresses)),
    ],
  };
}

function rulesOf(mark: number, { index, addresses, probe }: RoutedUplink): PlannedRule[] {
  const table = mark + 1 + index;
  return [
    ...families.map((family) => ({
      family,
      priority: rulePriorities.probeMark + index,
      fwmark: table,
      table,
    })),
    {
      family: 4,
      priority: rulePriorities.probeAddress + index,
      from: probe.address,
      table: mark + probeAddressTables + index,
    },
    ...addresses
      .filter(({ scope }) => scope === 'global')
      .map(({ family, address }) => ({
        family,
        priority: rulePriorities.address + index,
        from: address,
        table,
      })),
  ];
}

function tunnelRoutes(table: number, family: Family, usable: readonly RoutedUplink[]): PlannedRoute[] {
  const ways = usable.flatMap(({ index, device, ways: { [family]: way } }) =>
    way === undefined ? [] : [{ index, device, way }],
  );
  return [
    ...ways.slice(0, 1).map(({ device, way }) => outBy(family, table, device, way, metrics.carrying)),
    ...ways.map(({ index, device, way }) => outBy(family, table, device, way, metrics.standby + index)),
    nothing(family, table),
  ];
}

function uplinkRoutes(
  mark: number,
  family: Family,
  { index, device, ways, addresses }: RoutedUplink,
): PlannedRoute[] {
  const table = mark + 1 + index;
  const { [family]: way } = ways;
  // The uplink's own cable, too: what answers to a neighbour there, as the officer's page does, comes from its address.
  const cables = addresses
    .filter((address) => address.family === family && address.scope === 'global')
    .map(({ address, prefixLength }) => destinationOf(networkOf({ family, address, length: prefixLength })))
    .filter((destination) => destination.includes('/'));
  return [
    ...[...new Set(cables)].map((destination) => inside(family, table, destination, device)),
    ...(way === undefined ? [] : [outBy(family, table, device, way, metrics.carrying)]),
    nothing(family, table),
  ];
}

function probeRoutes(mark: number, { index, probe }: RoutedUplink, hubs: readonly string[]): PlannedRoute[] {
  const table = mark + probeAddressTables + index;
  return [...[...new Set(hubs)].map((hub) => inside(4, table, hub, probe.interface)), nothing(4, table)];
}

function outBy(family: Family, table: number, device: string, way: Way, metric: number): PlannedRoute {
  return { family, table, type: 'unicast', destination: 'default', device, ...way, metric };
}

function inside(family: Family, table: number, destination: string, device: string): PlannedRoute {
  return { family, table, type: 'unicast', destination, device, metric: metrics.carrying };
}

function nothing(family: Family, table: number): PlannedRoute {
  return { family, table, type: 'unreachable', destination: 'default', metric: metrics.nothing };
}

/**
 * The way out of a device as DHCP, the modem or a router's advertisement has set it: its best default route in the main
 * table; undefined where there is none.
 */
export function gatewayOf({ routes }: NetworkState, device: string, family: Family): Way | undefined {
  const [best] = routes
    .filter(
      (route) =>
        route.family === family &&
        route.table === tables.main &&
        route.type === 'unicast' &&
        route.destination === 'default' &&
        route.device === device,
    )
    .sort((a, b) => a.metric - b.metric);
  if (best === undefined) return undefined;
  return best.gateway === undefined ? {} : { gateway: best.gateway };
}

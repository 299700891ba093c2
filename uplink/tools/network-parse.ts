import {
  type DeviceAddress,
  type DeviceState,
  type RouteState,
  type RuleState,
  tables,
} from './network-types.ts';
import { destinationOf, type Family, parsePrefix } from './prefix.ts';

/**
 * Parsers of what `ip -json` prints (iproute2 5.10 to 6.x, with and without -N). Each gives undefined where it is not
 * JSON or lacks what every entry has; an entry's further fields are taken where they are of the right kind.
 */

type Entry = Readonly<Record<string, unknown>>;

/** Nothing at all is what `ip` prints where there is nothing. Empty entries stand for filtered ones. */
function entriesOf(text: string): Entry[] | undefined {
  if (text.trim() === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || !value.every(isEntry)) return undefined;
  return value.filter((entry) => Object.keys(entry).length > 0);
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const listOf = (value: unknown): Entry[] => (Array.isArray(value) ? value.filter(isEntry) : []);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;

/** The entries one by one; undefined where one of them is none. */
function all<T>(text: string, one: (entry: Entry) => T | undefined): T[] | undefined {
  const entries = entriesOf(text);
  if (entries === undefined) return undefined;
  const found: T[] = [];
  for (const entry of entries) {
    const value = one(entry);
    if (value === undefined) return undefined;
    found.push(value);
  }
  return found;
}

export function parseDevices(text: string): DeviceState[] | undefined {
  return all(text, (entry) => {
    const name = textOf(entry['ifname']);
    const index = numberOf(entry['ifindex']);
    const { flags } = entry;
    if (name === undefined || index === undefined || !Array.isArray(flags)) return undefined;
    return {
      name,
      index,
      kind: kindOf(entry['linkinfo']),
      up: flags.includes('UP'),
      carrier: flags.includes('LOWER_UP') && entry['operstate'] !== 'DOWN',
      pointToPoint: flags.includes('POINTOPOINT'),
      mtu: numberOf(entry['mtu']) ?? 0,
      addresses: listOf(entry['addr_info']).flatMap(addressOf),
    };
  });
}

function kindOf(info: unknown): string | undefined {
  if (!isEntry(info)) return undefined;
  const kind = textOf(info['info_kind']);
  const data = info['info_data'];
  return kind === 'tun' && isEntry(data) && data['type'] === 'tap' ? 'tap' : kind;
}

const scopes: Readonly<Record<string, DeviceAddress['scope']>> = {
  global: 'global',
  link: 'link',
  host: 'host',
};

function addressOf(entry: Entry): DeviceAddress[] {
  const prefix = parsePrefix(`${textOf(entry['local']) ?? ''}/${numberOf(entry['prefixlen']) ?? ''}`);
  if (prefix === undefined) return [];
  const { address, family, length } = prefix;
  return [{ address, family, prefixLength: length, scope: scopes[textOf(entry['scope']) ?? ''] ?? 'other' }];
}

/** rtnetlink(7), rtm_type and RTPROT_KERNEL: -N prints the numbers. */
const routeTypes = [
  'unspec',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'nat',
];
const protocolKernel = new Set(['kernel', '2']);

export function parseRoutes(text: string, family: Family): RouteState[] | undefined {
  return all(text, (entry) => {
    const to = textOf(entry['dst']);
    const destination = to === 'default' ? to : normal(to);
    const table = tableOf(entry['table'] ?? tables.main);
    if (destination === undefined || table === undefined) return undefined;
    const type = textOf(entry['type']) ?? 'unicast';
    const source = textOf(entry['prefsrc']);
    const route = {
      family,
      table,
      type: routeTypes[Number(type)] ?? type,
      destination,
      metric: numberOf(entry['metric']) ?? 0,
      byKernel: protocolKernel.has(String(entry['protocol'])),
      ...(source !== undefined && { source }),
    };
    const ways = listOf(entry['nexthops']);
    if (ways.length === 0) return [{ ...route, ...wayOf(entry), shared: false }];
    return ways.map((way) => ({ ...route, ...wayOf(way), shared: true }));
  })?.flat();
}

function wayOf(entry: Entry): { device?: string; gateway?: string } {
  const device = textOf(entry['dev']);
  const via = entry['via'];
  // An IPv4 route over an IPv6 router (RFC 5549) has its router in a field of its own.
  const gateway = normal(textOf(entry['gateway']) ?? (isEntry(via) ? textOf(via['host']) : undefined));
  return { ...(device !== undefined && { device }), ...(gateway !== undefined && { gateway }) };
}

function normal(text: string | undefined): string | undefined {
  const prefix = text === undefined ? undefined : parsePrefix(text);
  return prefix && destinationOf(prefix);
}

/** The fields of a rule that say no more than what `RuleState` holds. */
const plainFields = new Set(['priority', 'src', 'srclen', 'fwmark', 'table', 'protocol']);

export function parseRules(text: string, family: Family): RuleState[] | undefined {
  return all(text, (entry) => {
    const priority = numberOf(entry['priority']);
    const table = tableOf(entry['table'] ?? 0);
    if (priority === undefined || table === undefined) return undefined;
    const source = textOf(entry['src']) ?? 'all';
    const length = numberOf(entry['srclen']);
    const from = source === 'all' ? undefined : normal(length === undefined ? source : `${source}/${length}`);
    const mark = markOf(entry['fwmark']);
    return {
      family,
      priority,
      table,
      ...(mark !== undefined && { fwmark: mark }),
      ...(from !== undefined && { from }),
      special:
        (entry['fwmark'] !== undefined && mark === undefined) ||
        Object.entries(entry).some(
          ([name, value]) => !plainFields.has(name) && !(name === 'dst' && value === 'all'),
        ),
    };
  });
}

function markOf(value: unknown): number | undefined {
  const text = String(value);
  return /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : undefined;
}

/** By number or by name; one whose name nobody knows here is -1, since it is none of ours. */
function tableOf(value: unknown): number | undefined {
  if (typeof value === 'number') return numberOf(value);
  if (typeof value !== 'string') return undefined;
  if (/^\d{1,10}$/.test(value)) return Number(value);
  return Object.hasOwn(tables, value) ? tables[value as keyof typeof tables] : -1;
}

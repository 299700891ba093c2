import { BlockList } from 'node:net';
import type { ClosedListEntry, Target, TimedMode } from '#uplink/index.ts';
import { canonical, describePacket, type Ip, type Packet } from './packet.ts';

export interface Judged {
  readonly packet: Packet;
  /** Id of the entry of the closed list that allows it; undefined: none does. */
  readonly entry: string | undefined;
}

/** The modes that were open while the capture ran, and to whom. */
export type Open = Readonly<Partial<Record<TimedMode, readonly Target[]>>>;

/**
 * Finds for each packet the entry of the closed list that allows it. It knows the list and nothing of the rules that
 * were made of it, so a mistake in those shows. What no wire shows it cannot judge: the mark and the user of a sender.
 * In exchange it looks into what the rules cannot: a packet to a hub must be a message of WireGuard.
 */
export function judge(
  packets: readonly Packet[],
  entries: readonly ClosedListEntry[],
  open: Open = {},
): Judged[] {
  const judged: Judged[] = [];
  // Flows of the page that came in: only what answers one of these may go out.
  const asked = new Set<string>();
  const fragments = new Map<string, string>();
  for (const packet of packets) {
    const { network } = packet;
    const fragment = network.kind === 'ip' ? fragmentKey(packet, network) : undefined;
    const later = network.kind === 'ip' && network.fragment?.first === false;
    const entry = later
      ? fragments.get(fragment ?? '')
      : entries.find((one) => allows(one, packet, { open, asked }))?.id;
    if (fragment !== undefined && !later && entry !== undefined) fragments.set(fragment, entry);
    if (entry === 'page' && network.kind === 'ip') asked.add(flow(network, false));
    judged.push({ packet, entry });
  }
  return judged;
}

/** What left the terminal though nothing allows it, one readable line each. */
export function leaks(judged: readonly Judged[]): string[] {
  return judged
    .filter(({ packet, entry }) => packet.direction === 'out' && entry === undefined)
    .map(({ packet }) => describePacket(packet));
}

interface Seen {
  readonly open: Open;
  readonly asked: ReadonlySet<string>;
}

function allows(entry: ClosedListEntry, packet: Packet, seen: Seen): boolean {
  if (entry.direction !== packet.direction || !isThere(entry, packet.device)) return false;
  if (packet.network.kind === 'arp') return entry.what.match === 'arp';
  return packet.network.kind === 'ip' && fits(entry.what, packet.network, seen);
}

function isThere({ where }: ClosedListEntry, device: string): boolean {
  if (where.at === 'any-physical') return true;
  // Captures are of physical interfaces: what belongs into a probe tunnel must not be there in the clear.
  return where.at !== 'probes' && where.devices.includes(device);
}

function fits(what: ClosedListEntry['what'], ip: Ip, { open, asked }: Seen): boolean {
  const { transport, source, destination } = ip;
  switch (what.match) {
    case 'wireguard':
      return (
        isWireGuard(ip) && what.hubs.some((hub) => isEnd(ip, 'destination', { ...hub, protocol: 'udp' }))
      );
    case 'wireguard-answer':
      return isWireGuard(ip) && what.hubs.some((hub) => isEnd(ip, 'source', { ...hub, protocol: 'udp' }));
    case 'neighbours':
      return (
        ip.version === 6 &&
        transport.kind === 'icmp' &&
        ip.hopLimit === 255 &&
        what.types.includes(transport.type)
      );
    case 'path-mtu':
      if (transport.kind !== 'icmp') return false;
      return ip.version === 4 ? transport.type === 3 && transport.code === 4 : transport.type === 2;
    case 'udp':
      return (
        ip.version === what.family &&
        transport.kind === 'udp' &&
        transport.from === what.from &&
        transport.to === what.to &&
        (what.destinations.length === 0 || isIn(destination, what.destinations))
      );
    case 'client':
      return what.targets.some((target) => isEnd(ip, 'destination', target));
    case 'client-answer':
      return what.targets.some((target) => isEnd(ip, 'source', target));
    case 'timed':
      return open[what.mode]?.some((target) => isEnd(ip, 'destination', target)) === true;
    case 'timed-answer':
      return open[what.mode]?.some((target) => isEnd(ip, 'source', target)) === true;
    case 'page':
      return transport.kind === 'tcp' && transport.to === what.port && isIn(source, what.from);
    case 'page-answer':
      return (
        transport.kind === 'tcp' &&
        transport.from === what.port &&
        isIn(destination, what.to) &&
        asked.has(flow(ip, true))
      );
    default:
      return false;
  }
}

/** Type, three zero bytes, and the length of that type: WireGuard, section 5.4 of the paper. */
function isWireGuard({ transport }: Ip): boolean {
  if (transport.kind !== 'udp' || transport.payload.length < 4) return false;
  const type = transport.payload[0] ?? 0;
  const sizes: Readonly<Record<number, number>> = { 1: 148, 2: 92, 3: 64 };
  const reserved = transport.payload.subarray(1, 4).every((byte) => byte === 0);
  return reserved && (type === 4 ? transport.size >= 32 : transport.size === sizes[type]);
}

function isEnd({ transport, ...ip }: Ip, end: 'source' | 'destination', target: Target): boolean {
  if (transport.kind !== target.protocol) return false;
  const port = end === 'source' ? transport.from : transport.to;
  return port === target.port && ip[end] === canonical(target.address);
}

function isIn(address: string, prefixes: readonly string[]): boolean {
  const list = new BlockList();
  for (const prefix of prefixes) {
    const [network = '', length] = prefix.split('/');
    const family = network.includes(':') ? 'ipv6' : 'ipv4';
    if (length === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(length), family);
  }
  return list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}

function flow({ source, destination, transport }: Ip, turned: boolean): string {
  if (transport.kind !== 'tcp') return '';
  const ends = [`${source} ${transport.from}`, `${destination} ${transport.to}`];
  return (turned ? ends.toReversed() : ends).join(' > ');
}

function fragmentKey({ device, direction }: Packet, ip: Ip): string | undefined {
  if (ip.fragment === undefined) return undefined;
  return [device, direction, ip.source, ip.destination, ip.protocol, ip.fragment.id].join(' ');
}

import { SocketAddress } from 'node:net';
import type { RawPacket } from './pcap.ts';

/** A packet as the judge sees it; `direction` is that of the terminal. */
export interface Packet {
  readonly device: string;
  readonly direction: 'out' | 'in';
  /** Seconds since 1970. */
  readonly at: number;
  /** Bytes on the wire. */
  readonly length: number;
  readonly network: Network;
}

export type Network =
  | { readonly kind: 'arp' }
  | ({ readonly kind: 'ip' } & Ip)
  /** Neither ARP nor IP, or cut off in its header. */
  | { readonly kind: 'other'; readonly etherType: number };

export interface Ip {
  readonly version: 4 | 6;
  readonly source: string;
  readonly destination: string;
  readonly hopLimit: number;
  /** Of what is inside, behind all extension headers. */
  readonly protocol: number;
  /** Where it is a part of a larger packet: the id of that, and whether this is its beginning. */
  readonly fragment: { readonly id: number; readonly first: boolean } | undefined;
  readonly transport: Transport;
}

export type Transport =
  | {
      readonly kind: 'udp';
      readonly from: number;
      readonly to: number;
      /** Bytes of payload, as its header says. */
      readonly size: number;
      readonly payload: Buffer;
    }
  | { readonly kind: 'tcp'; readonly from: number; readonly to: number; readonly flags: number }
  | { readonly kind: 'icmp'; readonly type: number; readonly code: number }
  /** Another protocol, a later fragment, or cut off in its header. */
  | { readonly kind: 'other' };

/** Reads the headers of an Ethernet packet; `mac` is the terminal's own address on that device. */
export function readPacket(raw: RawPacket, device: string, mac: string): Packet {
  const { bytes, at, length } = raw;
  const source = bytes.subarray(6, 12).toString('hex');
  const direction = source === mac.replaceAll(':', '').toLowerCase() ? 'out' : 'in';
  return { device, direction, at, length, network: networkOf(bytes) };
}

function networkOf(bytes: Buffer): Network {
  if (bytes.length < 14) return { kind: 'other', etherType: 0 };
  const etherType = bytes.readUInt16BE(12);
  const inner = bytes.subarray(14);
  if (etherType === 0x0806) return { kind: 'arp' };
  const ip = etherType === 0x0800 ? ip4(inner) : etherType === 0x86dd ? ip6(inner) : undefined;
  return ip === undefined ? { kind: 'other', etherType } : { kind: 'ip', ...ip };
}

/** RFC 791 section 3.1. */
function ip4(bytes: Buffer): Ip | undefined {
  if (bytes.length < 20 || (bytes[0] ?? 0) >> 4 !== 4) return undefined;
  const header = ((bytes[0] ?? 0) & 15) * 4;
  const protocol = bytes[9] ?? 0;
  const flags = bytes.readUInt16BE(6);
  const offset = flags & 0x1fff;
  const isFragment = offset !== 0 || (flags & 0x2000) !== 0;
  return {
    version: 4,
    source: bytes.subarray(12, 16).join('.'),
    destination: bytes.subarray(16, 20).join('.'),
    hopLimit: bytes[8] ?? 0,
    protocol,
    fragment: isFragment ? { id: bytes.readUInt16BE(4), first: offset === 0 } : undefined,
    transport: offset === 0 ? transportOf(protocol, bytes.subarray(header)) : { kind: 'other' },
  };
}

/** RFC 8200 sections 3 and 4. */
function ip6(bytes: Buffer): Ip | undefined {
  if (bytes.length < 40 || (bytes[0] ?? 0) >> 4 !== 6) return undefined;
  const base = {
    version: 6 as const,
    source: address6(bytes.subarray(8, 24)),
    destination: address6(bytes.subarray(24, 40)),
    hopLimit: bytes[7] ?? 0,
  };
  let protocol = bytes[6] ?? 0;
  let rest = bytes.subarray(40);
  let fragment: Ip['fragment'];
  while ([0, 43, 44, 60].includes(protocol) && rest.length >= 8) {
    if (protocol === 44) fragment = { id: rest.readUInt32BE(4), first: rest.readUInt16BE(2) >> 3 === 0 };
    const size = protocol === 44 ? 8 : ((rest[1] ?? 0) + 1) * 8;
    protocol = rest[0] ?? 0;
    rest = rest.subarray(size);
    if (fragment?.first === false) break;
  }
  const whole = fragment === undefined || fragment.first;
  return { ...base, protocol, fragment, transport: whole ? transportOf(protocol, rest) : { kind: 'other' } };
}

function transportOf(protocol: number, bytes: Buffer): Transport {
  if (protocol === 17 && bytes.length >= 8) {
    return {
      kind: 'udp',
      from: bytes.readUInt16BE(0),
      to: bytes.readUInt16BE(2),
      size: bytes.readUInt16BE(4) - 8,
      payload: bytes.subarray(8),
    };
  }
  if (protocol === 6 && bytes.length >= 14)
    return { kind: 'tcp', from: bytes.readUInt16BE(0), to: bytes.readUInt16BE(2), flags: bytes[13] ?? 0 };
  if ((protocol === 1 || protocol === 58) && bytes.length >= 2)
    return { kind: 'icmp', type: bytes[0] ?? 0, code: bytes[1] ?? 0 };
  return { kind: 'other' };
}

function address6(bytes: Buffer): string {
  return canonical(bytes.toString('hex').replaceAll(/(.{4})(?!$)/g, '$1:'));
}

/** An address in the one spelling in which it is compared (RFC 5952). */
export function canonical(address: string): string {
  return new SocketAddress({ address, family: address.includes(':') ? 'ipv6' : 'ipv4' }).address;
}

/** The packet in one line, for the message of a test. */
export function describePacket({ device, direction, length, network }: Packet): string {
  const way = `${direction} ${device}`;
  if (network.kind === 'arp') return `${way}: ARP`;
  if (network.kind === 'other')
    return `${way}: Ethernet type 0x${network.etherType.toString(16)}, ${length} bytes`;
  const { source, destination, transport, protocol, fragment } = network;
  const part = fragment === undefined ? '' : `, fragment of ${fragment.id}`;
  const ends = (from = '', to = ''): string => `${source}${from} > ${destination}${to}`;
  const what =
    transport.kind === 'udp' || transport.kind === 'tcp'
      ? `${transport.kind.toUpperCase()} ${ends(` port ${transport.from}`, ` port ${transport.to}`)}`
      : transport.kind === 'icmp'
        ? `ICMP${network.version === 6 ? 'v6' : ''} type ${transport.type} code ${transport.code} ${ends()}`
        : `protocol ${protocol} ${ends()}`;
  return `${way}: ${what}, ${length} bytes${part}`;
}

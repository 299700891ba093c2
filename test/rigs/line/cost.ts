import type { Packet } from '../capture/index.ts';

/** What something costs on a line, both directions together. */
export interface Cost {
  /** With the headers of IP and TCP, and the acknowledgements. */
  readonly bytes: number;
  readonly packets: number;
  /** The same inside of WireGuard over IPv4, as a provider counts it. */
  readonly tunnelled: number;
}

/** One thing that a terminal does, as the line saw it. */
export interface Metered extends Cost {
  /** Packets of the terminal that carried something, so more than an acknowledgement of TCP. */
  readonly said: number;
}

export const nothing: Cost = { bytes: 0, packets: 0, tunnelled: 0 };

export function plus(one: Cost, other: Cost): Cost {
  return {
    bytes: one.bytes + other.bytes,
    packets: one.packets + other.packets,
    tunnelled: one.tunnelled + other.tunnelled,
  };
}

export function times(one: Cost, factor: number): Cost {
  return {
    bytes: one.bytes * factor,
    packets: one.packets * factor,
    tunnelled: one.tunnelled * factor,
  };
}

/** A handshake of WireGuard, and the keepalive of whoever has received and says nothing: IPv4, in bytes. */
export const handshake: Cost = { bytes: 0, packets: 3, tunnelled: 148 + 92 + 32 + 3 * 28 };

/** IPv4 and UDP, the header and the tag of a data message; what is inside is padded to 16 bytes, but not above the MTU. */
function tunnelled(bytes: number): number {
  return 20 + 8 + 16 + 16 + Math.min(Math.ceil(bytes / 16) * 16, Math.max(bytes, 1420));
}

const ethernet = 14;
/** IPv4 and TCP with its timestamps, and nothing in it. */
const bare = 52;

/** The packets of TCP from or to these ports. */
export function bytesOf(packets: readonly Packet[], ports: readonly number[]): Metered {
  let said = 0;
  let cost = nothing;
  for (const { network, length, direction } of packets) {
    if (network.kind !== 'ip' || network.transport.kind !== 'tcp') continue;
    const { from, to, flags } = network.transport;
    if (!ports.includes(from) && !ports.includes(to)) continue;
    const bytes = length - ethernet;
    cost = plus(cost, { bytes, packets: 1, tunnelled: tunnelled(bytes) });
    const opening = (flags & 2) !== 0;
    if (direction === 'out' && bytes > bare && !opening) said++;
  }
  return { ...cost, said };
}

/** Length of a PUBLISH packet of QoS 1 (MQTT 5.0 section 3.3); `properties` without their own length. */
export function publishLength(topic: string, payload: number, properties = 0): number {
  const rest = 2 + Buffer.byteLength(topic) + 2 + 1 + properties + payload;
  return 1 + (rest < 128 ? 1 : rest < 16_384 ? 2 : 3) + rest;
}

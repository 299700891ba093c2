import { linux } from './calls.ts';

/** An address as the kernel takes it, and packets as they are on a wire. */

export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

/** `struct sockaddr_in` (ip(7)) or `struct sockaddr_in6` (ipv6(7)). */
export function socketAddress(address: string, port: number): Buffer {
  const bytes = addressBytes(address);
  const whole = Buffer.alloc(bytes.length === 4 ? 16 : 28);
  // The family is in the order of the machine; Node runs on little-endian ones alone here.
  whole.writeUInt16LE(bytes.length === 4 ? linux.AF_INET : linux.AF_INET6, 0);
  whole.writeUInt16BE(port, 2);
  bytes.copy(whole, bytes.length === 4 ? 4 : 8);
  return whole;
}

/** The address of no family: connecting to it takes a socket off its peer, connect(2). */
export const unspecified = Buffer.alloc(16);

/** `struct sockaddr_ll`: the device of this number, packet(7). */
export function linkAddress(index: number, family: 4 | 6): Buffer {
  const whole = Buffer.alloc(20);
  whole.writeUInt16LE(linux.AF_PACKET, 0);
  whole.writeUInt16BE(family === 4 ? 0x0800 : 0x86dd, 2);
  whole.writeInt32LE(index, 4);
  return whole;
}

/** A whole packet of UDP with its IP header: RFC 791, RFC 8200, RFC 768. */
export function udpPacket(source: string, destination: string, port: number, payload: Buffer): Buffer {
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(4321, 0);
  udp.writeUInt16BE(port, 2);
  udp.writeUInt16BE(8 + payload.length, 4);
  const inner = Buffer.concat([udp, payload]);
  const ends = [addressBytes(source), addressBytes(destination)];
  if (familyOf(destination) === 4) {
    // The kernel fills in length and checksum, raw(7); packet sockets do not, so they stand here.
    const header = Buffer.alloc(12);
    header[0] = 0x45;
    header.writeUInt16BE(20 + inner.length, 2);
    header[8] = 64;
    header[9] = 17;
    const whole = Buffer.concat([header, ...ends, inner]);
    whole.writeUInt16BE(checksum(whole.subarray(0, 20)), 10);
    return whole;
  }
  const header = Buffer.alloc(8);
  header[0] = 0x60;
  header.writeUInt16BE(inner.length, 4);
  header[6] = 17;
  header[7] = 64;
  // UDP over IPv6 must have a checksum: RFC 8200 section 8.1.
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(inner.length, 0);
  pseudo[7] = 17;
  inner.writeUInt16BE(checksum(Buffer.concat([...ends, pseudo, inner])) || 0xffff, 6);
  return Buffer.concat([header, ...ends, inner]);
}

/** An echo request; the kernel fills in checksum and identifier (icmp(7)). */
export function echoRequest(family: 4 | 6, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([family === 4 ? 8 : 128, 0, 0, 0, 0, 0, 0, 1]), payload]);
}

/** A question for the addresses of `name`: RFC 1035 section 4. */
export function dnsQuestion(name: string, family: 4 | 6): Buffer {
  const header = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const labels = name
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, family === 4 ? 1 : 28, 0, 1])]);
}

function addressBytes(text: string): Buffer {
  if (familyOf(text) === 4) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail = ''] = text.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail)];
  const zeros = text.includes('::') ? Array<number>(8 - first.length - last.length).fill(0) : [];
  return Buffer.from([...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 255]));
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

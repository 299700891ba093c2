import { isIP, SocketAddress } from 'node:net';

export type Family = 4 | 6;

/** An address with the length of its network; in the form in which the tools print it. */
export interface Prefix {
  readonly family: Family;
  readonly address: string;
  readonly length: number;
}

const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

/** Parses `address/length`, or an address alone, which then has its full length; undefined where it is neither. */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || address.includes('%') || rest.length > 0) return undefined;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const bits = length === undefined ? bitsOf(family) : Number(length);
  if (bits > bitsOf(family)) return undefined;
  return { family, address: canonical(address, family), length: bits };
}

/** The network that an address is in: the bits after its length are zero. */
export function networkOf({ family, address, length }: Prefix): Prefix {
  const host = BigInt(bitsOf(family) - length);
  const network = (numberOf(address, family) >> host) << host;
  return { family, address: textOf(network, family), length };
}

/** As `ip route` prints a destination: `default`, an address alone where it is one, or `address/length`. */
export function destinationOf({ family, address, length }: Prefix): string {
  if (length === 0) return 'default';
  return length === bitsOf(family) ? address : `${address}/${length}`;
}

/** The destination of a route, network bits only, as `ip route` prints it; undefined where the text is no prefix. */
export function normalDestination(text: string): { family: Family; destination: string } | undefined {
  const prefix = parsePrefix(text);
  return prefix && { family: prefix.family, destination: destinationOf(networkOf(prefix)) };
}

/** `2001:DB8:0::1` and `2001:db8::1` are one address: the shortest form, in small letters (RFC 5952). */
function canonical(address: string, family: Family): string {
  return new SocketAddress({ address, family: family === 4 ? 'ipv4' : 'ipv6' }).address;
}

function numberOf(address: string, family: Family): bigint {
  if (family === 4) return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  return groupsOf(address).reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
}

/** The eight groups of an IPv6 address in whatever form. */
function groupsOf(address: string): number[] {
  const [head = [], tail] = address.split('::').map((half) =>
    half
      .split(':')
      .filter((part) => part !== '')
      .flatMap(group),
  );
  if (tail === undefined) return [...head];
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** One group of hexadecimal digits, or the two that an IPv4 address at the end stands for (RFC 4291 section 2.2). */
function group(part: string): number[] {
  if (!part.includes('.')) return [Number.parseInt(part, 16)];
  const bits = Number(numberOf(part, 4));
  return [bits >>> 16, bits & 0xffff];
}

function textOf(bits: bigint, family: Family): string {
  const width = family === 4 ? 8n : 16n;
  const parts = Array.from({ length: family === 4 ? 4 : 8 }, (_, at) => {
    const part = (bits >> (width * BigInt((family === 4 ? 3 : 7) - at))) & ((1n << width) - 1n);
    return part.toString(family === 4 ? 10 : 16);
  });
  return canonical(parts.join(family === 4 ? '.' : ':'), family);
}

import { type Calls, linux } from './calls.ts';
import { dnsQuestion, echoRequest, familyOf, linkAddress, socketAddress, udpPacket } from './wire.ts';

/** The ways in which a packet is sent, each by IPv4 and IPv6. */
export const kinds = ['udp', 'tcp', 'icmp', 'dns', 'raw', 'packet'] as const;
export type Kind = (typeof kinds)[number];
export type KindAndFamily = `${Kind}${4 | 6}`;

/** What is tried; to be given to a process, so plain data. */
export interface Aims {
  /** Addresses outside, each with the port of the UDP and TCP attempts. */
  readonly targets: readonly { readonly address: string; readonly port: number }[];
  /** Names of devices that a socket asks to be bound to. */
  readonly devices: readonly string[];
  /** Addresses that a socket claims to come from. */
  readonly sources: readonly string[];
  readonly marks: readonly number[];
  readonly kinds: readonly Kind[];
}

export interface Attempt {
  readonly kind: Kind;
  readonly address: string;
  readonly port: number;
  readonly how: How;
}

type How =
  | { readonly by: 'nothing' }
  | { readonly by: 'device'; readonly device: string }
  | { readonly by: 'source'; readonly source: string }
  | { readonly by: 'mark'; readonly mark: number }
  | { readonly by: 'index'; readonly index: number };

/** So many devices, by their numbers, are tried with packet sockets. */
const mostDevices = 16;
/** In every payload, so that what is found in a capture can be told. */
const payload = Buffer.from('checkpost leak test ');

/** Every combination. */
export function attemptsOf({ targets, devices, sources, marks, kinds: wanted }: Aims): Attempt[] {
  return targets.flatMap(({ address, port }) => {
    const hows: How[] = [
      { by: 'nothing' },
      ...devices.map((device) => ({ by: 'device' as const, device })),
      ...sources
        .filter((source) => familyOf(source) === familyOf(address))
        .map((source) => ({ by: 'source' as const, source })),
      ...marks.map((mark) => ({ by: 'mark' as const, mark })),
    ];
    return wanted.flatMap((kind): Attempt[] => {
      if (kind !== 'packet') return hows.map((how) => ({ kind, address, port, how }));
      return Array.from({ length: mostDevices }, (_, i) => ({
        kind,
        address,
        port,
        how: { by: 'index', index: i + 1 },
      }));
    });
  });
}

export function nameOf({ kind, address }: Attempt): KindAndFamily {
  return `${kind}${familyOf(address)}`;
}

/** The socket by which packets of these kinds are sent: to close one costs the kernel some 20 ms, so there is one only. */
export function openPacketSocket(calls: Calls): number {
  return calls.socket(linux.AF_PACKET, linux.SOCK_DGRAM | linux.SOCK_NONBLOCK, 0);
}

/**
 * Makes one attempt: whether the kernel took the packet (which says nothing of where it went), and the socket, which
 * the caller closes, later where what the kernel repeats by itself shall be repeated. A condition that is refused is
 * no reason to give up: the packet is sent without it.
 */
export function make(
  calls: Calls,
  attempt: Attempt,
  packetSocket: number,
): { readonly taken: boolean; readonly fd: number } {
  const { kind, address, how } = attempt;
  const family = familyOf(address);
  if (kind === 'packet') return { taken: send(calls, packetSocket, attempt) >= 0, fd: -1 };
  const fd = open(calls, kind, family);
  if (fd < 0) return { taken: false, fd };
  if (how.by === 'device')
    calls.setOption(fd, linux.SOL_SOCKET, linux.SO_BINDTODEVICE, Buffer.from(`${how.device}\0`));
  if (how.by === 'mark') calls.setOption(fd, linux.SOL_SOCKET, linux.SO_MARK, how.mark);
  if (how.by === 'source') {
    // As if the address were there: ip(7).
    if (family === 4) calls.setOption(fd, linux.IPPROTO_IP, linux.IP_FREEBIND, 1);
    else calls.setOption(fd, linux.IPPROTO_IPV6, linux.IPV6_FREEBIND, 1);
    calls.bind(fd, socketAddress(how.source, 0));
  }
  const answer = send(calls, fd, attempt);
  return { taken: answer >= 0 || answer === -linux.EINPROGRESS, fd };
}

function open(calls: Calls, kind: Exclude<Kind, 'packet'>, family: 4 | 6): number {
  const domain = family === 4 ? linux.AF_INET : linux.AF_INET6;
  const icmp = family === 4 ? linux.IPPROTO_ICMP : linux.IPPROTO_ICMPV6;
  const [of, type, protocol] = {
    udp: [domain, linux.SOCK_DGRAM, 0],
    dns: [domain, linux.SOCK_DGRAM, 0],
    tcp: [domain, linux.SOCK_STREAM, 0],
    icmp: [domain, linux.SOCK_DGRAM, icmp],
    raw: [domain, linux.SOCK_RAW, linux.IPPROTO_RAW],
  }[kind] as [number, number, number];
  return calls.socket(of, type | linux.SOCK_NONBLOCK, protocol);
}

function send(calls: Calls, fd: number, { kind, address, port, how }: Attempt): number {
  const family = familyOf(address);
  const to = socketAddress(address, port);
  const own = how.by === 'source' ? how.source : family === 4 ? '192.0.2.77' : '2001:db8:77::7';
  switch (kind) {
    case 'udp':
      return calls.sendTo(fd, payload, to);
    case 'dns':
      return calls.sendTo(fd, dnsQuestion('leak.example', family), socketAddress(address, 53));
    case 'tcp':
      return calls.connect(fd, to);
    case 'icmp':
      return calls.sendTo(fd, echoRequest(family, payload), socketAddress(address, 0));
    case 'raw':
      return calls.sendTo(fd, udpPacket(own, address, port, payload), socketAddress(address, 0));
    case 'packet': {
      const index = how.by === 'index' ? how.index : 0;
      return calls.sendTo(fd, udpPacket(own, address, port, payload), linkAddress(index, family));
    }
    default:
      return -1;
  }
}

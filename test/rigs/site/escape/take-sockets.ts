import { closeSync, fstatSync, readdirSync, readlinkSync } from 'node:fs';
import { type Calls, linux, openCalls } from './calls.ts';
import { familyOf, socketAddress, unspecified } from './wire.ts';

/**
 * Takes every socket that a process holds, as root from outside, and misuses it: `node take-sockets.ts ORDERS`. Prints
 * what it found, as JSON. A socket that is taken is the same one, not a copy: what is done to it, is done to that of
 * the process.
 */
export interface TakeOrders {
  readonly pid: number;
  readonly targets: readonly { readonly address: string; readonly port: number }[];
  readonly devices: readonly string[];
}

export interface TakenSocket {
  readonly fd: number;
  /** socket(2): 1 Unix, 2 IPv4, 10 IPv6. */
  readonly domain: number;
  readonly type: number;
  /** Number of the network namespace that it was made in, as stat(2) gives it. */
  readonly namespace: number;
  /** Whether it could be taken off its peer, where it has one. */
  readonly disconnected: number;
  /** What the kernel answered, one for each target, by its address. */
  readonly answers: readonly (readonly [address: string, answer: number])[];
  /** What it answered when the socket was to be bound to a device. */
  readonly bound: readonly number[];
}

/** Connects it to somebody else, over and over, and sends by it what it can. */
export function misuse(calls: Calls, fd: number, { targets, devices }: Omit<TakeOrders, 'pid'>) {
  const domain = calls.getOption(fd, linux.SOL_SOCKET, linux.SO_DOMAIN);
  const type = calls.getOption(fd, linux.SOL_SOCKET, linux.SO_TYPE);
  const disconnected = calls.connect(fd, unspecified);
  const bound = devices.map((device) =>
    calls.setOption(fd, linux.SOL_SOCKET, linux.SO_BINDTODEVICE, Buffer.from(`${device}\0`)),
  );
  const answers = targets.map(({ address, port }) => {
    const to = socketAddress(domain === linux.AF_INET6 ? mapped(address) : address, port);
    const connected = calls.connect(fd, to);
    if (type === linux.SOCK_DGRAM) calls.sendTo(fd, Buffer.from('checkpost leak test '), to);
    calls.connect(fd, unspecified);
    return [address, connected] as const;
  });
  return { domain, type, namespace: namespaceOf(calls, fd), disconnected, bound, answers };
}

function namespaceOf(calls: Calls, fd: number): number {
  const of = calls.ioctl(fd, linux.SIOCGSKNS);
  if (of < 0) return of;
  const { ino } = fstatSync(of);
  closeSync(of);
  return ino;
}

/** An IPv4 address as a socket of IPv6 takes it: RFC 4291 section 2.5.5.2. */
function mapped(address: string): string {
  if (familyOf(address) === 6) return address;
  const hex = Buffer.from(address.split('.').map(Number)).toString('hex');
  return `::ffff:${hex.slice(0, 4)}:${hex.slice(4)}`;
}

function takeAll(orders: TakeOrders): TakenSocket[] {
  const calls = openCalls();
  const process = calls.pidfdOpen(orders.pid);
  if (process < 0) throw new Error(`process ${orders.pid} cannot be opened: ${process}`);
  return readdirSync(`/proc/${orders.pid}/fd`).flatMap((name) => {
    if (!linkOf(`/proc/${orders.pid}/fd/${name}`).startsWith('socket:')) return [];
    const mine = calls.pidfdGetFd(process, Number(name));
    if (mine < 0) return [];
    return [{ fd: Number(name), ...misuse(calls, mine, orders) }];
  });
}

/** Empty where it was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

if (import.meta.main) console.log(JSON.stringify(takeAll(JSON.parse(process.argv[2] ?? '{}') as TakeOrders)));

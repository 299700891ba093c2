import { fail, ok, type Fault, type Result } from '#contracts/result.ts';
import type { MonotonicTime } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { errno, errnoName, type Libc, linux } from '../native/libc.ts';
import { openWaiting, type Waiting, type WaitReadable } from '../native/readable.ts';
import { type Echo, EchoLedger, ipHeaderSize, smallestEcho } from './echo-packet.ts';

/** What became of it: `too-large`: the device or the route takes no packet of that size; `device-gone`: open anew. */
export type EchoOutcome = 'sent' | 'too-large' | 'device-gone';

export interface EchoReply {
  readonly from: string;
  readonly sequence: number;
  readonly size: number;
  readonly at: MonotonicTime;
}

/** Sends echoes over one device, each marked not to be fragmented, and hears the replies. */
export interface EchoSocket {
  /** Never waits. Fault: PROBE_FAILED, in words for the person who must act. */
  send(echo: Echo): Result<EchoOutcome>;
  /** After this nothing is heard any more. */
  close(): void;
}

export interface EchoListener {
  /** Once for each probe that was answered, however late, as long as it is among the last 128 of its socket. */
  readonly onReply: (reply: EchoReply) => void;
  /** The socket hears nothing any more and has closed itself: open it anew. */
  readonly onError: (fault: Fault) => void;
}

export interface IcmpSocketOptions extends EchoListener {
  readonly device: string;
  readonly libc: Libc;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** How it waits; for a test. */
  readonly wait?: WaitReadable;
}

const reasons: Readonly<Record<number, string>> = {
  [errno.EPERM]: 'the firewall or the kernel refuses it',
  [errno.EACCES]: 'the group of this program does not stand in net.ipv4.ping_group_range',
  [errno.EAGAIN]: 'the queue of the device is full',
  [errno.ENOBUFS]: 'the queue of the device is full',
  [errno.EADDRNOTAVAIL]: 'the device has no address',
  [errno.EDESTADDRREQ]: 'the tunnel does not know yet where the hub is',
  [errno.ENOKEY]: 'no hub of the tunnel has this address',
  [errno.ENETDOWN]: 'the device is switched off',
  [errno.ENETUNREACH]: 'there is no route to it',
  [errno.EHOSTUNREACH]: 'there is no route to it',
  [errno.ENODEV]: 'the device is not there',
  [errno.ENXIO]: 'the device is not there',
};
const gone: readonly number[] = [errno.ENODEV, errno.ENXIO];

/** Longer than any packet that is probed with. */
const longestRead = 2048;
/** Reads in one go, so that a flood leaves the loop to others. */
const readsInOneGo = 64;

/**
 * Opens an ICMP echo socket of the kind that needs no privilege (icmp(7), `net.ipv4.ping_group_range`) and that belongs
 * to one device for good. A device that is made anew under the same name is another one: `send` then says
 * `device-gone`. Fault: PROBE_FAILED.
 */
export async function openIcmpSocket(options: IcmpSocketOptions): Promise<Result<EchoSocket>> {
  const { device, libc } = options;
  const refuse = (what: string, code: number): Result<never> =>
    fail('PROBE_FAILED', `${device}: ${what}: ${explain(code)}.`);
  const wait = options.wait ?? (await openWaiting());
  const { AF_INET, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_CLOEXEC, IPPROTO_ICMP, IPPROTO_IP } = linux;
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
  if (fd < 0) return refuse('no echo can be sent', fd);
  const name = new TextEncoder().encode(`${device}\0`);
  const bound = libc.setsockopt(fd, linux.SOL_SOCKET, linux.SO_BINDTODEVICE, name);
  const discover = new Uint8Array(Int32Array.of(linux.IP_PMTUDISC_DO).buffer);
  const set = bound < 0 ? bound : libc.setsockopt(fd, IPPROTO_IP, linux.IP_MTU_DISCOVER, discover);
  if (set < 0) {
    libc.close(fd);
    return refuse('echoes cannot be bound to it', set);
  }
  try {
    return ok(new IcmpSocket(fd, options, wait));
  } catch (thrown) {
    libc.close(fd);
    return fail('PROBE_FAILED', `${device}: replies cannot be waited for.`, thrown);
  }
}

function explain(code: number): string {
  const name = errnoName(code);
  const reason = reasons[Math.abs(code)];
  return reason === undefined ? name : `${reason} (${name})`;
}

class IcmpSocket implements EchoSocket {
  readonly #fd: number;
  readonly #options: IcmpSocketOptions;
  readonly #ledger = new EchoLedger();
  readonly #buffer = new Uint8Array(longestRead);
  readonly #waiting: Waiting;
  #over = false;

  constructor(fd: number, options: IcmpSocketOptions, wait: WaitReadable) {
    this.#fd = fd;
    this.#options = options;
    this.#waiting = wait(fd, (failing) => this.#read(failing));
  }

  send(echo: Echo): Result<EchoOutcome> {
    const refuse = (why: string): Result<never> =>
      fail('PROBE_FAILED', `${this.#options.device}: ${echo.to}: ${why}.`);
    if (this.#over) return refuse('the socket is closed');
    if (!(echo.size >= smallestEcho && echo.size <= longestRead))
      return refuse(`no echo has ${echo.size} bytes`);
    const address = socketAddress(echo.to);
    if (address === undefined) return refuse('is not an IPv4 address');
    const packet = this.#ledger.enter(echo);
    const sent = this.#options.libc.sendto(this.#fd, packet, linux.MSG_DONTWAIT, address);
    if (sent >= 0) return ok('sent');
    this.#ledger.forget(echo.sequence);
    if (sent === -errno.EMSGSIZE) return ok('too-large');
    if (gone.includes(-sent)) return ok('device-gone');
    return refuse(explain(sent));
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting.stop();
    this.#options.libc.close(this.#fd);
  }

  #read(failing: boolean): void {
    const { libc, clock, onReply } = this.#options;
    let heard = 0;
    for (; heard < readsInOneGo && !this.#over; heard++) {
      const count = libc.recv(this.#fd, this.#buffer, linux.MSG_DONTWAIT);
      if (count === -errno.EAGAIN || count === -errno.EINTR) break;
      if (count < 0) return this.#lose(explain(count));
      const echo = this.#ledger.answered(this.#buffer.subarray(0, count));
      if (echo !== undefined)
        onReply({
          from: echo.to,
          sequence: echo.sequence,
          size: count + ipHeaderSize,
          at: clock.monotonic(),
        });
    }
    // Nothing to read and yet an error: waiting again would turn in circles.
    if (failing && heard === 0 && !this.#over) this.#lose(explain(this.#pendingError()));
  }

  #pendingError(): number {
    const value = new Int32Array(1);
    const read = this.#options.libc.getsockopt(
      this.#fd,
      linux.SOL_SOCKET,
      linux.SO_ERROR,
      new Uint8Array(value.buffer),
    );
    return read < 0 ? read : (value[0] ?? 0);
  }

  #lose(why: string): void {
    this.close();
    this.#options.onError({ code: 'PROBE_FAILED', detail: `${this.#options.device}: ${why}.` });
  }
}

/** `struct sockaddr_in` of ip(7): family in the order of the machine, port, address, eight zeros. */
function socketAddress(text: string): Uint8Array | undefined {
  const parts = text.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : Number.NaN));
  if (parts.length !== 4 || !parts.every((part) => part <= 255)) return undefined;
  const address = new Uint8Array(16);
  address.set(new Uint8Array(Uint16Array.of(linux.AF_INET).buffer), 0);
  address.set(parts, 4);
  return address;
}

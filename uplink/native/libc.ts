import { getSystemErrorName } from 'node:util';
import { fail, ok, type Result } from '#contracts/result.ts';

/**
 * The few calls of the C library that Node does not have. Each answers as the kernel does: a number that is not
 * negative, or the negated error number (errno(3)); they never throw. None of them ever waits, as long as the socket
 * was made with SOCK_NONBLOCK.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number;
  /** Fills `value`; the answer is how many bytes of it were. */
  getsockopt(fd: number, level: number, option: number, value: Uint8Array): number;
  /** `address` is a whole `struct sockaddr`. */
  sendto(fd: number, bytes: Uint8Array, flags: number, address: Uint8Array): number;
  recv(fd: number, into: Uint8Array, flags: number): number;
  close(fd: number): number;
}

/** Numbers of Linux, the same on x86-64 and arm64; each with the header that it stands in. */
export const linux = {
  /** bits/socket.h */
  AF_INET: 2,
  /** bits/socket_type.h */
  SOCK_DGRAM: 2,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  /** netinet/in.h */
  IPPROTO_IP: 0,
  IPPROTO_ICMP: 1,
  /** asm-generic/socket.h */
  SOL_SOCKET: 1,
  SO_ERROR: 4,
  SO_PEERCRED: 17,
  SO_BINDTODEVICE: 25,
  /** linux/in.h */
  IP_MTU_DISCOVER: 10,
  IP_PMTUDISC_DO: 2,
  /** bits/socket.h */
  MSG_DONTWAIT: 0x40,
} as const;

/** Error numbers that are told apart: asm-generic/errno-base.h and asm-generic/errno.h. */
export const errno = {
  EPERM: 1,
  EINTR: 4,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  EACCES: 13,
  ENODEV: 19,
  EINVAL: 22,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  EHOSTUNREACH: 113,
  ENOKEY: 126,
} as const;

/** The name of an error number, given as it is or negated; “error 200” where it has none. */
export function errnoName(code: number): string {
  const number = Math.abs(code);
  const known = Object.entries(errno).find(([, value]) => value === number)?.[0];
  if (known !== undefined) return known;
  try {
    const name = getSystemErrorName(-number);
    return /^E[A-Z0-9]+$/.test(name) ? name : `error ${number}`;
  } catch {
    return `error ${number}`;
  }
}

/**
 * Opens the C library of this process. Loaded here and not at the top, so that a program that needs none of it does not
 * pay for it; open it once and pass it on. Fault: INTERNAL where this machine has no build of koffi.
 */
export async function openLibc(): Promise<Result<Libc>> {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    type Call = (...args: unknown[]) => number;
    const call = (definition: string): Call => {
      const native = library.func(definition) as unknown as (...args: unknown[]) => number | bigint;
      return (...args) => {
        const answer = Number(native(...args));
        return answer < 0 ? -koffi.errno() : answer;
      };
    };
    const socket = call('int socket(int domain, int type, int protocol)');
    const setsockopt = call(
      'int setsockopt(int fd, int level, int option, const void *value, uint32_t length)',
    );
    const getsockopt = call('int getsockopt(int fd, int level, int option, void *value, void *length)');
    const sendto = call(
      'intptr_t sendto(int fd, const void *bytes, size_t length, int flags, const void *address, uint32_t size)',
    );
    const recv = call('intptr_t recv(int fd, void *bytes, size_t length, int flags)');
    const close = call('int close(int fd)');
    return ok({
      socket: (domain, type, protocol) => socket(domain, type, protocol),
      setsockopt: (fd, level, option, value) => setsockopt(fd, level, option, value, value.length),
      getsockopt(fd, level, option, value) {
        const length = new Uint32Array([value.length]);
        const answer = getsockopt(fd, level, option, value, length);
        return answer < 0 ? answer : (length[0] ?? 0);
      },
      sendto: (fd, bytes, flags, address) => sendto(fd, bytes, bytes.length, flags, address, address.length),
      recv: (fd, into, flags) => recv(fd, into, into.length, flags),
      close: (fd) => close(fd),
    });
  } catch (thrown) {
    return fail('INTERNAL', 'The C library cannot be called.', thrown);
  }
}

import koffi from 'koffi';

/**
 * The system calls by which a program could try to get out, as the kernel answers them: a number that is not negative,
 * or the negated error number (errno(3)). Only programs of the tests use it, each in a process of its own.
 */
export interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  setOption(fd: number, level: number, option: number, value: Uint8Array | number): number;
  getOption(fd: number, level: number, option: number): number;
  bind(fd: number, address: Uint8Array): number;
  connect(fd: number, address: Uint8Array): number;
  listen(fd: number): number;
  sendTo(fd: number, bytes: Uint8Array, address: Uint8Array): number;
  close(fd: number): number;
  /** ioctl(2) with a number as its argument. */
  ioctl(fd: number, request: number): number;
  setns(fd: number, kind: number): number;
  unshare(flags: number): number;
  pidfdOpen(pid: number): number;
  /** A copy of the descriptor of another process: pidfd_getfd(2). */
  pidfdGetFd(pidfd: number, fd: number): number;
}

/** Numbers of Linux, the same on x86-64 and arm64. */
export const linux = {
  AF_UNSPEC: 0,
  AF_INET: 2,
  AF_INET6: 10,
  AF_PACKET: 17,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOCK_NONBLOCK: 0o4000,
  IPPROTO_IP: 0,
  IPPROTO_ICMP: 1,
  IPPROTO_IPV6: 41,
  IPPROTO_ICMPV6: 58,
  IPPROTO_RAW: 255,
  SOL_SOCKET: 1,
  SO_TYPE: 3,
  SO_BINDTODEVICE: 25,
  SO_MARK: 36,
  SO_DOMAIN: 39,
  IP_FREEBIND: 15,
  IPV6_FREEBIND: 78,
  /** A descriptor of the network namespace of a socket: linux/sockios.h. */
  SIOCGSKNS: 0x894c,
  CLONE_NEWUSER: 0x1000_0000,
  CLONE_NEWNET: 0x4000_0000,
  EINPROGRESS: 115,
} as const;

/** Numbers of system calls that the C library of Debian 12 has no function for: asm-generic/unistd.h. */
const numbers = { pidfdOpen: 434, pidfdGetFd: 438 } as const;

export function openCalls(): Calls {
  const library = koffi.load(null);
  const call = (definition: string): ((...args: unknown[]) => number) => {
    const native = library.func(definition) as unknown as (...args: unknown[]) => number | bigint;
    return (...args) => {
      const answer = Number(native(...args));
      return answer < 0 ? -koffi.errno() : answer;
    };
  };
  const socket = call('int socket(int domain, int type, int protocol)');
  const setsockopt = call('int setsockopt(int fd, int level, int option, const void *value, uint32_t size)');
  const getsockopt = call('int getsockopt(int fd, int level, int option, void *value, void *size)');
  const bind = call('int bind(int fd, const void *address, uint32_t size)');
  const connect = call('int connect(int fd, const void *address, uint32_t size)');
  const listen = call('int listen(int fd, int backlog)');
  const sendto = call(
    'intptr_t sendto(int fd, const void *bytes, size_t length, int flags, const void *address, uint32_t size)',
  );
  const close = call('int close(int fd)');
  const ioctl = call('int ioctl(int fd, unsigned long request, unsigned long argument)');
  const setns = call('int setns(int fd, int kind)');
  const unshare = call('int unshare(int flags)');
  const syscall = call('long syscall(long number, long first, long second, long third)');
  return {
    socket: (domain, type, protocol) => socket(domain, type, protocol),
    setOption(fd, level, option, value) {
      const bytes = typeof value === 'number' ? Buffer.from(new Int32Array([value]).buffer) : value;
      return setsockopt(fd, level, option, bytes, bytes.length);
    },
    getOption(fd, level, option) {
      const value = new Int32Array(1);
      const answer = getsockopt(fd, level, option, value, new Uint32Array([4]));
      return answer < 0 ? answer : (value[0] ?? 0);
    },
    bind: (fd, address) => bind(fd, address, address.length),
    connect: (fd, address) => connect(fd, address, address.length),
    listen: (fd) => listen(fd, 8),
    sendTo: (fd, bytes, address) => sendto(fd, bytes, bytes.length, 0, address, address.length),
    close: (fd) => close(fd),
    ioctl: (fd, request) => ioctl(fd, request, 0),
    setns: (fd, kind) => setns(fd, kind),
    unshare: (flags) => unshare(flags),
    pidfdOpen: (pid) => syscall(numbers.pidfdOpen, pid, 0, 0),
    pidfdGetFd: (pidfd, fd) => syscall(numbers.pidfdGetFd, pidfd, fd, 0),
  };
}

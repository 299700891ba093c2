import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MonotonicTime } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { requires } from '#test/rigs/requirements.ts';
import { type Libc, openLibc } from '../native/libc.ts';
import { echoContract } from './echo-contract.ts';
import { type EchoListener, type EchoSocket, openIcmpSocket } from './echo-socket.ts';

// The real socket, in a namespace of its own. Only the making of the socket enters it: a socket stays where it was made.
const netns = `cpE${process.pid % 100_000}`;
const reason = requires({ test: 'echoes of the kernel', root: true, tools: ['ip', 'tee'] });
const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
const inside = (...args: string[]): string => ip('-n', netns, ...args);
const groups = (range: string): unknown =>
  execFileSync('ip', ['netns', 'exec', netns, 'tee', '/proc/sys/net/ipv4/ping_group_range'], {
    input: range,
  });

let libc: Libc;
let handles: number[] = [];

beforeAll(async () => {
  if (reason !== undefined) return;
  ip('netns', 'add', netns);
  inside('link', 'set', 'lo', 'up', 'mtu', '1500');
  groups('0 2147483647');
  const opened = await openLibc();
  if (!opened.ok) throw new Error(opened.fault.detail);
  const { default: koffi } = await import('koffi');
  const setns = koffi.load(null).func('int setns(int fd, int type)') as unknown as (
    fd: number,
    type: number,
  ) => number;
  const [there, here] = [openSync(`/run/netns/${netns}`, 'r'), openSync('/proc/thread-self/ns/net', 'r')];
  handles = [there, here];
  const enter = (fd: number): void => {
    /** CLONE_NEWNET of linux/sched.h. */
    if (setns(fd, 0x40000000) !== 0) throw new Error('the namespace cannot be entered');
  };
  libc = {
    ...opened.value,
    socket(...args) {
      enter(there);
      const fd = opened.value.socket(...args);
      enter(here);
      return fd;
    },
  };
});

afterAll(() => {
  if (reason !== undefined) return;
  handles.forEach((fd) => closeSync(fd));
  ip('netns', 'del', netns);
});

async function open(device: string, listener: EchoListener): Promise<EchoSocket> {
  const opened = await openIcmpSocket({ device, libc, clock: systemClock, ...listener });
  if (!opened.ok) throw new Error(opened.fault.detail);
  return opened.value;
}

describe.skipIf(reason !== undefined)('the socket of the kernel', () => {
  test.each(Object.entries(echoContract))('keeps the contract: %s', async (_name, keep) => {
    const kept = keep({
      address: '127.0.0.1',
      nowhere: '192.0.2.1',
      open: (listener) => open('lo', listener),
      now: (): MonotonicTime => systemClock.monotonic(),
      until: (check) => eventually(check),
    });
    await expect(kept).resolves.toBeUndefined();
  });

  test('a namespace in which no group may send echoes is named by its setting', async () => {
    groups('1 0');
    const refused = await openIcmpSocket({
      device: 'lo',
      libc,
      clock: systemClock,
      onReply: () => {},
      onError: () => {},
    });
    groups('0 2147483647');
    expect(refused).toMatchObject({
      fault: { detail: expect.stringContaining('ping_group_range (EACCES)') },
    });
  });

  test('a device that goes and comes back under its name is gone for the old socket, and a new one hears it', async () => {
    const build = (): void => {
      inside('link', 'add', 'cpx0', 'type', 'veth', 'peer', 'name', 'cpx1');
      inside('address', 'add', '10.99.0.2/24', 'dev', 'cpx0');
      inside('link', 'set', 'cpx1', 'up');
      inside('link', 'set', 'cpx0', 'up');
    };
    build();
    const replies: number[] = [];
    const listener: EchoListener = {
      onReply: ({ sequence }) => replies.push(sequence),
      onError: (fault) => {
        throw new Error(fault.detail);
      },
    };
    const old = await open('cpx0', listener);
    expect(old.send({ to: '10.99.0.1', sequence: 1, size: 64 })).toEqual({ ok: true, value: 'sent' });
    inside('link', 'del', 'cpx0');
    expect(old.send({ to: '10.99.0.1', sequence: 2, size: 64 })).toEqual({ ok: true, value: 'device-gone' });
    build();
    expect(old.send({ to: '10.99.0.1', sequence: 3, size: 64 })).toEqual({ ok: true, value: 'device-gone' });
    old.close();
    const young = await open('cpx0', listener);
    expect(young.send({ to: '10.99.0.1', sequence: 4, size: 64 })).toEqual({ ok: true, value: 'sent' });
    expect(young.send({ to: '10.99.0.1', sequence: 5, size: 1501 })).toEqual({
      ok: true,
      value: 'too-large',
    });
    young.close();
    inside('link', 'del', 'cpx0');
    expect(replies).toEqual([]);
  });
});

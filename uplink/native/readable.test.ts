import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { eventually } from '#test/rigs/eventually.ts';
import { type Libc, linux, openLibc } from './libc.ts';
import { openWaiting } from './readable.ts';

const { AF_INET, SOCK_DGRAM, SOCK_NONBLOCK, SOL_SOCKET } = linux;
/** `struct sockaddr_in` of a port at 127.0.0.1. */
const loopback = (port: number): Uint8Array =>
  Uint8Array.of(2, 0, port >> 8, port & 255, 127, 0, 0, 1, ...Array<number>(8).fill(0));

async function open(): Promise<Libc> {
  const opened = await openLibc();
  if (!opened.ok) throw new Error(opened.fault.detail);
  return opened.value;
}

function udp(libc: Libc): number {
  return libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
}

test('what a closed socket leaves behind does not make one deaf that has its number', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const libc = await open();
  const wait = await openWaiting();
  const first = udp(libc);
  wait(first, () => {}).stop();
  libc.close(first);
  const second = udp(libc);
  expect(second).toBe(first);
  let heard = 0;
  const waiting = wait(second, () => {
    heard++;
    libc.recv(second, new Uint8Array(64), linux.MSG_DONTWAIT);
    const error = new Uint8Array(4);
    libc.getsockopt(second, SOL_SOCKET, linux.SO_ERROR, error);
  });
  for (let turn = 0; turn < 5; turn++) {
    collect();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  // Nobody listens at this port of loopback: with IP_RECVERR (11, linux/in.h) the refusal wakes whoever waits.
  libc.setsockopt(second, linux.IPPROTO_IP, 11, Uint8Array.of(1, 0, 0, 0));
  expect(libc.sendto(second, new Uint8Array(8), 0, loopback(9))).toBe(8);
  await eventually(() => heard > 0, { what: 'the waking' });
  waiting.stop();
  libc.close(second);
});

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errno, errnoName, type Libc, linux, openLibc } from './libc.ts';
import { descriptorOf, peerOf } from './peer-credentials.ts';

let libc: Libc;
beforeEach(async () => {
  const opened = await openLibc();
  if (!opened.ok) throw new Error(opened.fault.detail);
  libc = opened.value;
});

describe('calls of the C library', () => {
  test('a failing call answers the negated error number', () => {
    expect(libc.close(-1)).toBe(-errno.EBADF);
    expect(libc.setsockopt(-1, linux.SOL_SOCKET, linux.SO_BINDTODEVICE, new Uint8Array(1))).toBe(
      -errno.EBADF,
    );
    expect(libc.recv(-1, new Uint8Array(8), linux.MSG_DONTWAIT)).toBe(-errno.EBADF);
    expect(libc.sendto(-1, new Uint8Array(8), 0, new Uint8Array(16))).toBe(-errno.EBADF);
    expect(libc.socket(999, 1, 0)).toBeLessThan(0);
  });

  test('a socket can be made, asked for its error and closed, and then it is gone', () => {
    const fd = libc.socket(linux.AF_INET, linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0);
    expect(fd).toBeGreaterThan(2);
    const value = new Uint8Array(4);
    expect(libc.getsockopt(fd, linux.SOL_SOCKET, linux.SO_ERROR, value)).toBe(4);
    expect([...value]).toEqual([0, 0, 0, 0]);
    expect(libc.recv(fd, new Uint8Array(8), linux.MSG_DONTWAIT)).toBe(-errno.EAGAIN);
    expect(libc.close(fd)).toBe(0);
    expect(libc.close(fd)).toBe(-errno.EBADF);
  });

  test('error numbers have their names, and one that nobody knows has its number', () => {
    expect(errnoName(-13)).toBe('EACCES');
    expect(errnoName(126)).toBe('ENOKEY');
    expect(errnoName(17)).toBe('EEXIST');
    expect(errnoName(4000)).toBe('error 4000');
    expect(errnoName(0)).toBe('error 0');
  });
});

describe('who asks at a Unix socket', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'checkpost-peer-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is the process, user and group that connected', async () => {
    const path = join(folder, 'control.sock');
    const server = createServer().listen(path);
    await once(server, 'listening');
    const client = connect(path);
    const [socket] = (await once(server, 'connection')) as [Socket];
    const fd = descriptorOf(socket);
    expect(peerOf(fd ?? -1, libc)).toEqual({
      ok: true,
      value: { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() },
    });
    client.destroy();
    socket.destroy();
    await once(socket, 'close');
    expect(descriptorOf(socket)).toBeUndefined();
    server.close();
  });

  test('cannot be told of a socket of another kind or of none, and is then denied', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as { port: number }).port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    expect(peerOf(descriptorOf(socket) ?? -1, libc)).toMatchObject({
      ok: false,
      fault: { code: 'UPLINK_DENIED' },
    });
    expect(peerOf(-1, libc)).toMatchObject({
      ok: false,
      fault: { detail: expect.stringContaining('EBADF') },
    });
    client.destroy();
    socket.destroy();
    server.close();
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { UplinkStatus } from '#contracts/uplink.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { wellStatus } from '#test/rigs/uplink-status.ts';
import { followStatus } from './status.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-follow-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('On a terminal one page is painted over: the first line always shows, and it goes on by itself', async () => {
  const watchers = new Set<Socket>();
  const say = (status: UplinkStatus): void => {
    for (const one of watchers) one.write(`${JSON.stringify({ id: 1, ok: true, status })}\n`);
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      watchers.add(socket);
      say({ ...wellStatus, carrying: { uplink: 'dsl', hub: 'hub-one', since: 5, why: '' } });
    });
  });
  const path = join(folder, 'control.sock');
  await new Promise<void>((done) => server.listen(path, done));
  const stop = new AbortController();
  const pages: string[] = [];
  const stdout = { isTTY: true, rows: 6, write: (text: string) => pages.push(text) };
  const stdin = new PassThrough();
  const following = followStatus(
    path,
    { stdin, stdout, stderr: stdout, env: {}, signal: stop.signal },
    false,
  );

  await eventually(() => pages.some((page) => page.includes('hub-one for 5 s.')));
  // A second later nobody has said anything, and yet it is a second longer.
  await eventually(() => pages.at(-1)?.includes('hub-one for 6 s.'));
  say({ ...wellStatus, state: 'lines-down', carrying: null, since: 0 });
  await eventually(() => pages.at(-1)?.includes('NOT CONNECTED'));
  for (const socket of watchers) socket.destroy();
  watchers.clear();
  server.close();
  await eventually(() => pages.at(-1)?.includes('NOT KNOWN'));
  stop.abort();
  expect(await following).toBe(1);

  expect(pages[0]).toBe('\u001b[2J');
  for (const page of pages.slice(1)) {
    expect(page.startsWith('\u001b[H')).toBe(true);
    expect(page.split('\n').length - 1).toBeLessThan(stdout.rows);
  }
});

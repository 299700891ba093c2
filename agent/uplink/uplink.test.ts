import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { UplinkStatus } from '#contracts/uplink.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { wellStatus } from '#test/rigs/uplink-status.ts';
import { FirewallWatch } from './firewall-watch.ts';
import { type UplinkWatch, watchHelper } from './uplink.ts';

let folder: string;
let path: string;
let server: Server | undefined;
let clock: TestClock;
let changes: number;
let watch: UplinkWatch;
const sockets = new Set<Socket>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-agent-uplink-'));
  path = join(folder, 'control.sock');
  clock = new TestClock();
  changes = 0;
});
afterEach(async () => {
  await watch.close();
  await helperEnds();
  expect(clock.waiting).toBe(0);
  rmSync(folder, { recursive: true });
});

function look(socket: string | null = path): void {
  watch = watchHelper({ socket, clock, random: () => 1, log: silentLog, onChange: () => changes++ });
}

async function helperStarts(status: UplinkStatus = wellStatus): Promise<void> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => say(status));
  });
  await new Promise<void>((done) => server?.listen(path, done));
}

function say(status: UplinkStatus): void {
  for (const socket of sockets) socket.write(`${JSON.stringify({ id: 1, ok: true, status })}\n`);
}

async function helperEnds(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((done) => (server === undefined ? done() : server.close(() => done())));
  server = undefined;
}

const helper = (): string => watch.view().helper;

test('On a machine without a helper there is none, and nothing is tried', async () => {
  look(null);
  await clock.advance(60_000);
  expect(helper()).toBe('none');
  expect(changes).toBe(0);
});

test('What the helper says is there at once; only what somebody acts upon is a change', async () => {
  await helperStarts();
  look();
  await eventually(() => helper() === 'present');
  expect(watch.view()).toEqual({ helper: 'present', status: wellStatus, firewallTouched: false });
  expect(changes).toBe(1);
  const older = { ...wellStatus, since: 900, events: [] };
  say(older);
  await eventually(() => {
    const view = watch.view();
    return view.helper === 'present' && view.status.since === 900;
  });
  expect(changes).toBe(1);
  say({ ...older, state: 'hubs-down', carrying: null });
  await eventually(() => changes === 2);
});

test('A helper that is not there is missed after a while, and found by itself when it comes', async () => {
  look();
  await clock.advance(14_000);
  expect(helper()).toBe('none');
  await clock.advance(2000);
  expect(helper()).toBe('absent');
  expect(changes).toBe(1);
  await helperStarts();
  await clock.advance(10_000);
  await eventually(() => helper() === 'present');
  expect(changes).toBe(2);
});

test('A helper that starts again within seconds was never away', async () => {
  await helperStarts();
  look();
  await eventually(() => helper() === 'present');
  await helperEnds();
  await clock.advance(3000);
  expect(helper()).toBe('present');
  await helperStarts();
  await clock.advance(10_000);
  await eventually(() => sockets.size === 1);
  await clock.advance(16_000);
  expect(changes).toBe(1);
});

test('A socket that vanishes in mid-way is missed, and what was said before does not stand for ever', async () => {
  await helperStarts();
  look();
  await eventually(() => helper() === 'present');
  await helperEnds();
  await eventually(async () => {
    await clock.advance(1000);
    return helper() === 'absent';
  });
  expect(changes).toBe(2);
  await helperStarts({ ...wellStatus, state: 'lines-down', carrying: null });
  await eventually(async () => {
    await clock.advance(1000);
    return helper() === 'present';
  });
  expect(changes).toBe(3);
});

test('A firewall that was put back is news for an hour, also over a restart of the helper', async () => {
  const watched = new FirewallWatch(clock);
  look(null);
  const seen: boolean[] = [];
  // What was before the first count, nobody knows when; a count that begins again has grown from 0.
  for (const count of [5, 5, 6, 6, 0, 1]) seen.push(watched.see(count));
  expect(seen).toEqual([false, false, true, false, false, true]);
  expect(watched.touched()).toBe(true);
  await clock.advance(3_599_000);
  expect(watched.touched()).toBe(true);
  await clock.advance(2000);
  expect(watched.touched()).toBe(false);
});

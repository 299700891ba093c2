import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { UplinkStatus } from '#contracts/uplink.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { wellStatus } from '#test/rigs/uplink-status.ts';
import { TestClock } from './test-clock.ts';
import { askUplink, watchUplink } from './uplink-client.ts';

let folder: string;
let path: string;
let server: Server | undefined;
const sockets = new Set<Socket>();
const heard: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-client-'));
  path = join(folder, 'control.sock');
});
afterEach(async () => {
  await silence();
  heard.length = 0;
  rmSync(folder, { recursive: true });
});

/** A helper that says these lines to whatever it hears. */
async function helper(says: (line: string, socket: Socket) => void): Promise<void> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter((one) => one !== '')) {
        heard.push(line);
        says(line, socket);
      }
    });
  });
  await new Promise<void>((resolve) => server?.listen(path, resolve));
}

async function silence(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  server = undefined;
}

const say = (socket: Socket, value: unknown): void => void socket.write(`${JSON.stringify(value)}\n`);
const idOf = (line: string): number => (JSON.parse(line) as { id: number }).id;

describe('Asking once', () => {
  test('The answer is the status where that was asked for, and nothing where something was done', async () => {
    await helper((line, socket) =>
      say(socket, { id: 1, ok: true, ...(line.includes('status') && { status: wellStatus }) }),
    );
    expect(await askUplink(path, { verb: 'status' }, { timeout: ms(5000) })).toEqual({
      ok: true,
      value: wellStatus,
    });
    expect(await askUplink(path, { verb: 'rotate', hub: 'hub-two' }, { timeout: ms(5000) })).toEqual({
      ok: true,
      value: undefined,
    });
    expect(heard).toEqual(['{"id":1,"verb":"status"}', '{"id":1,"verb":"rotate","hub":"hub-two"}']);
  });

  const cases: readonly [string, (socket: Socket) => void, string][] = [
    [
      'has no right to it',
      (socket) => say(socket, { id: 0, ok: false, code: 'UPLINK_DENIED', detail: 'no' }),
      'UPLINK_DENIED',
    ],
    [
      'is refused',
      (socket) => say(socket, { id: 1, ok: false, code: 'ROTATION_FAILED', detail: 'no' }),
      'ROTATION_FAILED',
    ],
    [
      'gets a code of another release',
      (socket) => say(socket, { id: 1, ok: false, code: 'NEWER', detail: 'no' }),
      'INTERNAL',
    ],
    [
      'gets a code that every object has',
      (socket) => say(socket, { id: 1, ok: false, code: 'toString', detail: '' }),
      'INTERNAL',
    ],
    ['gets nonsense', (socket) => void socket.write('nonsense\n'), 'UPLINK_ABSENT'],
    ['gets another form', (socket) => say(socket, { id: 1, ok: true, status: { v: 2 } }), 'UPLINK_ABSENT'],
    ['gets a line without an end', (socket) => void socket.write('x'.repeat(300_000)), 'UPLINK_ABSENT'],
    ['is hung up on', (socket) => void socket.destroy(), 'UPLINK_ABSENT'],
  ];
  test.each(cases)('Whoever %s is told so', async (_, answer, code) => {
    await helper((_line, socket) => answer(socket));
    expect(await askUplink(path, { verb: 'probe' }, { timeout: ms(5000) })).toMatchObject({
      ok: false,
      fault: { code },
    });
  });

  test('A helper that is not there, and one that never answers, are absent', async () => {
    expect(await askUplink(path, { verb: 'probe' }, { timeout: ms(5000) })).toMatchObject({
      fault: { code: 'UPLINK_ABSENT' },
    });
    await helper(() => {});
    const clock = new TestClock();
    const asked = askUplink(path, { verb: 'probe' }, { timeout: ms(3000), clock });
    await eventually(() => heard.length === 1);
    await clock.advance(3000);
    expect(await asked).toMatchObject({
      fault: { code: 'UPLINK_ABSENT', detail: expect.stringContaining('within 3 s') },
    });
  });

  test('A signal ends the waiting', async () => {
    await helper(() => {});
    const stop = new AbortController();
    const asked = askUplink(path, { verb: 'probe' }, { timeout: ms(5000), signal: stop.signal });
    stop.abort();
    expect(await asked).toMatchObject({ fault: { code: 'STOPPED' } });
  });

  test('What does not fit the contract is not even sent', async () => {
    await helper((_line, socket) => say(socket, { id: 1, ok: true }));
    for (const ask of [
      { verb: 'enrolment', seconds: 1e6 } as const,
      { verb: 'rotate', hub: 'No Hub' } as const,
      { verb: 'apply', envelope: { payload: 'x'.repeat(70_000) } } as const,
    ])
      expect(await askUplink(path, ask, { timeout: ms(5000) })).toMatchObject({
        fault: { code: 'UPLINK_REQUEST_INVALID' },
      });
    expect(heard).toEqual([]);
  });
});

describe('Watching', () => {
  const clock = new TestClock();
  const stop = { now: new AbortController() };
  let seen: (UplinkStatus | Fault)[] = [];
  let watching: Promise<void>;
  beforeEach(() => {
    seen = [];
    stop.now = new AbortController();
  });
  afterEach(async () => {
    stop.now.abort();
    await watching;
    expect(clock.waiting).toBe(0);
  });
  const watch = (): void => {
    watching = watchUplink(path, {
      clock,
      random: () => 1,
      onStatus: (status) => seen.push(status),
      onAbsent: (fault) => seen.push(fault),
      signal: stop.now.signal,
    });
  };
  const good = (line: string, socket: Socket): void =>
    say(socket, { id: idOf(line), ok: true, status: wellStatus });

  test('A helper that comes later is found, and found again after it was gone', async () => {
    watch();
    await eventually(() => seen.length === 1);
    expect(seen[0]).toMatchObject({ code: 'UPLINK_ABSENT' });
    await helper(good);
    await clock.advance(250);
    await eventually(() => seen.length === 2);
    expect(seen[1]).toEqual(wellStatus);
    await silence();
    await eventually(() => seen.length === 3);
    expect(seen[2]).toMatchObject({ code: 'UPLINK_ABSENT' });
    await helper(good);
    await clock.advance(500);
    await eventually(() => seen.length === 4);
  });

  test('Every change comes, and in silence it is asked now and then', async () => {
    await helper((line, socket) => {
      good(line, socket);
      if (line.includes('watch'))
        say(socket, { id: 1, ok: true, status: { ...wellStatus, state: 'lines-down' } });
    });
    watch();
    await eventually(() => seen.length === 2);
    expect(seen[1]).toMatchObject({ state: 'lines-down' });
    await clock.advance(30_000);
    await eventually(() => seen.length === 3);
    expect(heard.at(-1)).toBe('{"id":2,"verb":"status"}');
  });

  test('A helper that hangs is noticed within 40 s', async () => {
    await helper((line, socket) => {
      if (line.includes('watch')) good(line, socket);
    });
    watch();
    await eventually(() => seen.length === 1);
    await clock.advance(30_000);
    await eventually(() => heard.length === 2);
    await clock.advance(10_000);
    await eventually(() => seen.length >= 2);
    expect(seen[1]).toMatchObject({ code: 'UPLINK_ABSENT', detail: expect.stringContaining('no more') });
  });

  test('One that refuses, or hangs up at once, is asked at ever longer intervals, up to 10 s', async () => {
    await helper((line, socket) => {
      socket.end(`${JSON.stringify({ id: idOf(line), ok: false, code: 'UPLINK_DENIED', detail: 'no' })}\n`);
    });
    watch();
    for (const [n, wait] of [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000].entries()) {
      await eventually(() => seen.length === n + 1);
      await clock.advance(wait - 1);
      expect(seen).toHaveLength(n + 1);
      await clock.advance(1);
    }
    expect(seen[0]).toMatchObject({ code: 'UPLINK_DENIED' });
  });
});

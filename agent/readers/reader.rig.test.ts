import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ms } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLog } from '#runtime/log.ts';
import { stolenPassport } from '#test/rigs/documents.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { type SerialReader, startSerialReader } from '#test/rigs/serial-reader.ts';
import { chooseProfile, createLocator, type Frame, openReader, type Reader } from './index.ts';

// A real pseudo-terminal and the real node-serialport.

let folder: string;
let device: SerialReader;
let reader: Reader;
let frames: Frame[];
let faults: string[];
let lines: string[];
const passport = `${stolenPassport[0]}\r${stolenPassport[1]}\r`;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-reader-'));
  device = await startSerialReader({ link: join(folder, 'reader') });
  frames = [];
  faults = [];
  lines = [];
  reader = open(device.link);
  await becomes('ready');
});

afterEach(async () => {
  await reader.close();
  await device.close();
  rmSync(folder, { recursive: true });
});

function open(path: string): Reader {
  const profile = chooseProfile({ profile: 'swipe', idleMillis: 100 }, []);
  if (!profile.ok) throw new Error(profile.fault.detail);
  const wanted = [{ id: 'counter-1', device: path, kind: 'serial', replacement: 'accept' }] as const;
  return openReader(
    { id: 'counter-1', profile: profile.value, feedback: 'discreet' },
    {
      locator: createLocator({ wanted, scan: () => [] }),
      clock: systemClock,
      random: () => 0.5,
      log: createLog('trace', 'test', { write: (line) => lines.push(line) }),
      listener: {
        frame: (frame) => frames.push(frame),
        state: () => {},
        fault: (fault) => faults.push(fault.code),
      },
    },
  );
}

const becomes = (state: string) => eventually(() => reader.state() === state, { what: `the state ${state}` });
const texts = (): string[] => frames.map((frame) => Buffer.from(frame.bytes).toString());

test('A document swiped on the line is one frame with its bytes and the time of its last one', async () => {
  const before = systemClock.monotonic();
  device.send(passport);
  await eventually(() => frames.length === 1);
  expect(texts()).toEqual([passport]);
  expect(frames[0]?.reader).toBe('counter-1');
  expect(frames[0]?.receivedAt).toBeGreaterThan(before);
});

test('When the reader is unplugged in mid-frame, the half is dropped, and after it is plugged in again the next frame is whole', async () => {
  device.send(passport.slice(0, 60));
  await eventually(
    () => faults.length === 0 && new Promise((resolve) => systemClock.after(ms(30), () => resolve(true))),
  );
  await device.unplug();
  await becomes('absent');
  expect(faults).toEqual(['READER_LOST']);
  await device.replug();
  await becomes('ready');
  device.send(passport);
  await eventually(() => frames.length > 0);
  expect(texts()).toEqual([passport]);
});

test('A document that the reader sends three times is one read; after a moment it is another', async () => {
  device.send(passport.repeat(3));
  device.send(`${stolenPassport[0]}\r`);
  await eventually(() => frames.length === 2, { what: 'the half frame behind it' });
  expect(texts()).toEqual([passport, `${stolenPassport[0]}\r`]);
  await new Promise((resolve) => systemClock.after(ms(1100), () => resolve(undefined)));
  device.send(passport);
  await eventually(() => frames.length === 3);
});

test('When the reader is away again and again, it comes back every time, and each cause is one line in the log', async () => {
  for (let round = 0; round < 3; round++) {
    await device.unplug();
    await becomes('absent');
    await new Promise((resolve) => systemClock.after(ms(1200), () => resolve(undefined)));
    await device.replug();
    await becomes('ready');
    device.send(passport);
    await eventually(() => frames.length === round + 1);
  }
  const absent = lines.filter((line) => line.includes('READER_ABSENT'));
  expect(absent.length).toBeGreaterThan(0);
  expect(absent.length).toBeLessThanOrEqual(3);
});

test('When what stands under the name is no serial device, the reader says refused, and opens as soon as it is one', async () => {
  await device.unplug();
  await becomes('absent');
  writeFileSync(device.link, 'not a device');
  chmodSync(device.link, 0o600);
  await becomes('refused');
  expect(lines.some((line) => line.includes('READER_REFUSED') && line.includes(device.link))).toBe(true);
  rmSync(device.link);
  await device.replug();
  await becomes('ready');
});

test('When 1 MB of noise comes, it is noise with a frame to show, memory stays bounded, and the next document is read', async () => {
  const noise = Buffer.alloc(1_048_576, 0xf5);
  device.send(noise);
  await becomes('noise');
  await eventually(() => faults.includes('FRAME_TOO_LONG'));
  const before = frames.length;
  expect(before).toBeGreaterThan(0);
  // The flood is over when the line has been silent: until then a document without STX is part of it.
  await eventually(
    async () => {
      device.send(passport);
      await new Promise((resolve) => systemClock.after(ms(250), () => resolve(undefined)));
      return texts().includes(passport);
    },
    { timeoutMs: 30_000 },
  );
  await becomes('ready');
});

test('No byte of a document is ever in the log, at level trace', async () => {
  device.send(passport);
  device.send('L898902C3 ERIKSSON half a line');
  await eventually(() => frames.length === 2);
  await device.unplug();
  await becomes('absent');
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join('')).not.toMatch(/L898902C|ERIKSSON/);
});

import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '#runtime/clock.ts';
import { createLog } from '#runtime/log.ts';
import { passport } from '#test/rigs/documents.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { type SerialReader, startSerialReader } from '#test/rigs/serial-reader.ts';
import { type Plug, UsbTree } from '#test/rigs/usb-tree.ts';
import { chooseProfile, createLocator, openReader, type Reader, scanDevices } from './index.ts';

// Real pseudo-terminals and the real node-serialport behind a made-up tree of USB devices.

/** A reader on the table: its pseudo-terminal, and what it is called on USB. */
interface Gadget {
  readonly line: SerialReader;
  readonly plug: Plug;
  node: string | undefined;
}

let folder: string;
let usb: UsbTree;
let gadgets: Gadget[];
let readers: Reader[];
/** `reader: document number` of each frame. */
let frames: string[];
let faults: string[];
let logged: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-hotplug-'));
  usb = new UsbTree(folder);
  gadgets = [];
  readers = [];
  frames = [];
  faults = [];
  logged = [];
});

afterEach(async () => {
  for (const reader of readers) await reader.close();
  for (const { line } of gadgets) await line.close();
  rmSync(folder, { recursive: true });
});

const ftdi = { vendor: '0403', product: '6001', kind: 'serial' } as const;
const prolific = { vendor: '067b', product: '2303', kind: 'serial' } as const;

async function gadget(plug: Plug): Promise<Gadget> {
  const line = await startSerialReader({ link: join(folder, `line-${gadgets.length}`) });
  const made: Gadget = { line, plug: { ...plug, target: readlinkSync(line.link) }, node: undefined };
  gadgets.push(made);
  return made;
}

function plugIn(one: Gadget, port = one.plug.port): void {
  one.node = usb.plug({ ...one.plug, port });
}

function pullOut(one: Gadget): void {
  if (one.node !== undefined) usb.unplug(one.node);
  one.node = undefined;
}

function open(all: readonly { id: string; device: string; replacement?: 'accept' | 'refuse' }[]): void {
  const locator = createLocator({
    wanted: all.map((one) => ({ kind: 'serial', replacement: 'accept', ...one }) as const),
    scan: () => scanDevices(usb),
  });
  const profile = chooseProfile({ profile: 'swipe', idleMillis: 100 }, []);
  if (!profile.ok) throw new Error(profile.fault.detail);
  for (const { id } of all) {
    const parts = {
      locator,
      clock: systemClock,
      random: () => 0.5,
      log: createLog('debug', 'test', { write: (line) => logged.push(line) }),
      listener: {
        frame: ({ reader, bytes }: { reader: string; bytes: Uint8Array }) =>
          frames.push(`${reader}: ${Buffer.from(bytes).toString().split('\r')[1]?.slice(0, 9)}`),
        state: () => {},
        fault: ({ code }: { code: string }) => faults.push(code),
      },
    };
    readers.push(openReader({ id, profile: profile.value, feedback: 'off' }, parts));
  }
}

const becomes = (state: string, of = 0) =>
  eventually(() => readers[of]?.state() === state, { what: `reader ${of + 1} being ${state}` });

/** Swipes documents until this one has come: a device that has just been opened may drop what came before. */
async function reads(one: Gadget, number: string, reader: string): Promise<void> {
  one.line.send(`${passport(number).join('\r')}\r`);
  await eventually(() => frames.includes(`${reader}: ${number}`), { what: `${number} read by ${reader}` });
  expect(frames.filter((frame) => frame.endsWith(number))).toEqual([`${reader}: ${number}`]);
}

describe('A reader is its stable identity', () => {
  test('When the devices are plugged in again in another order and get other numbers, each reader keeps its documents', async () => {
    const left = await gadget({ ...ftdi, serial: 'LEFT0001', port: '1-1' });
    const right = await gadget({ ...ftdi, serial: 'RIGHT001', port: '1-2' });
    plugIn(left);
    plugIn(right);
    open([
      { id: 'left', device: 'usb:0403:6001:LEFT0001' },
      { id: 'right', device: 'usb:0403:6001:RIGHT001' },
    ]);
    await becomes('ready', 0);
    await becomes('ready', 1);
    await reads(left, 'LEFT00001', 'left');
    await reads(right, 'RIGHT0001', 'right');
    const before = [left.node, right.node];
    pullOut(left);
    pullOut(right);
    await becomes('absent', 0);
    await becomes('absent', 1);
    plugIn(right);
    plugIn(left);
    expect([right.node, left.node]).toEqual(before);
    await becomes('ready', 0);
    await becomes('ready', 1);
    await reads(left, 'LEFT00002', 'left');
    await reads(right, 'RIGHT0002', 'right');
    expect(readers.map((reader) => reader.about())).toEqual(['', '']);
  });

  test('When it is plugged into another port, its serial number is enough', async () => {
    const one = await gadget({ ...ftdi, serial: 'A50285BI', port: '1-1' });
    plugIn(one);
    open([{ id: 'counter-1', device: 'usb:0403:6001:A50285BI' }]);
    await becomes('ready');
    pullOut(one);
    await becomes('absent');
    plugIn(one, '2-1.4');
    await becomes('ready');
    await reads(one, 'PORT00001', 'counter-1');
    expect(readers[0]?.about()).toBe('');
  });

  test('When it has no serial number and is plugged into another port, it is found as the only one of its model, and that is said', async () => {
    const one = await gadget({ ...prolific, port: '1-1.2' });
    open([{ id: 'counter-1', device: 'usb:067b:2303@1-1.2' }]);
    await becomes('absent');
    plugIn(one, '1-1.3');
    await becomes('ready');
    await reads(one, 'MOVED0001', 'counter-1');
    expect(readers[0]?.about()).toBe('in another port, 1-1.3');
    expect(logged.join('')).toContain('not the device of the settings');
  });

  test('When it is replaced by another of the same model, that one takes its place, and that is said', async () => {
    const old = await gadget({ ...ftdi, serial: 'OLD00001', port: '1-1' });
    const spare = await gadget({ ...ftdi, serial: 'SPARE001', port: '1-1' });
    plugIn(old);
    open([{ id: 'counter-1', device: 'usb:0403:6001:OLD00001' }]);
    await becomes('ready');
    pullOut(old);
    await becomes('absent');
    plugIn(spare);
    await becomes('ready');
    await reads(spare, 'SPARE0001', 'counter-1');
    expect(readers[0]?.about()).toBe('another of the same model, serial number SPARE001');
  });

  test('When the settings refuse a replacement, another of the same model stays unused', async () => {
    const spare = await gadget({ ...ftdi, serial: 'SPARE001', port: '1-1' });
    plugIn(spare);
    open([{ id: 'counter-1', device: 'usb:0403:6001:OLD00001', replacement: 'refuse' }]);
    await becomes('absent');
    const own = await gadget({ ...ftdi, serial: 'OLD00001', port: '1-2' });
    plugIn(own);
    await becomes('ready');
    await reads(own, 'OWN000001', 'counter-1');
  });

  test('When two identical adapters share one serial number (node-serialport#329), the port tells them apart', async () => {
    const left = await gadget({ ...ftdi, serial: '0001', port: '1-1' });
    const right = await gadget({ ...ftdi, serial: '0001', port: '1-2' });
    plugIn(right);
    plugIn(left);
    open([
      { id: 'left', device: 'usb:0403:6001:0001@1-1' },
      { id: 'right', device: 'usb:0403:6001:0001@1-2' },
    ]);
    await becomes('ready', 0);
    await becomes('ready', 1);
    await reads(left, 'TWINLEFT1', 'left');
    await reads(right, 'TWINRIGHT', 'right');
  });

  test('When several devices fit and none better than the others, none is opened and the log says which they are', async () => {
    for (const port of ['1-1', '1-2']) plugIn(await gadget({ ...prolific, port }));
    open([{ id: 'counter-1', device: 'usb:067b:2303@1-9' }]);
    await becomes('refused');
    await eventually(() =>
      logged.some((line) => line.includes('READER_AMBIGUOUS') && line.includes('ttyUSB1')),
    );
    expect(readers[0]?.about()).toBe('');
  });
});

describe('Unplugged', () => {
  test('in the middle of a frame, without a word of the driver (node-serialport#2043): the half is dropped, and after it is back in another port the next frame is whole', async () => {
    const one = await gadget({ ...ftdi, serial: 'A50285BI', port: '1-1' });
    plugIn(one);
    open([{ id: 'counter-1', device: 'usb:0403:6001:A50285BI' }]);
    await becomes('ready');
    await reads(one, 'WHOLE0001', 'counter-1');
    // The tree loses the device while its line stays open: no close, no error.
    one.line.send(passport('HALF00001').join('\r').slice(0, 60));
    pullOut(one);
    await becomes('absent');
    plugIn(one, '1-4');
    await becomes('ready');
    await reads(one, 'WHOLE0002', 'counter-1');
    expect(frames).toEqual(['counter-1: WHOLE0001', 'counter-1: WHOLE0002']);
  });

  test('six times in a row, it comes back every time without anybody restarting it (zigbee2mqtt#17809)', async () => {
    const one = await gadget({ ...ftdi, serial: 'A50285BI', port: '1-1' });
    open([{ id: 'counter-1', device: 'usb:0403:6001:A50285BI' }]);
    for (let round = 10; round < 16; round++) {
      plugIn(one, `1-${round}`);
      await becomes('ready');
      await reads(one, `ROUND00${round}`, 'counter-1');
      pullOut(one);
      await becomes('absent');
    }
    // One line for each cause (zwave-js-ui#3472), not one for each try.
    expect(logged.filter((line) => line.includes('READER_ABSENT')).length).toBeLessThanOrEqual(7);
  });

  test('while it is being closed, closing ends (node-serialport#115)', async () => {
    const one = await gadget({ ...ftdi, serial: 'A50285BI', port: '1-1' });
    plugIn(one);
    open([{ id: 'counter-1', device: 'usb:0403:6001:A50285BI' }]);
    await becomes('ready');
    await one.line.unplug();
    pullOut(one);
    const began = performance.now();
    await readers[0]?.close();
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

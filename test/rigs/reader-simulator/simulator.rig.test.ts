import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtInProfiles } from '#agent/readers/index.ts';
import type { ReaderProfile } from '#contracts/readers.ts';
import { systemClock } from '#runtime/clock.ts';
import { eventually } from '../eventually.ts';
import { specimens } from '../specimens.ts';
import { elyctis, encodeRead, latin } from './encode.ts';
import { type ReaderSimulator, type SimulatorOptions, startReaderSimulator } from './simulator.ts';

// The simulator on a real pseudo-terminal, heard by node-serialport alone: nothing of the terminal is here.

const { passport, card } = specimens;
let folder: string;
let simulator: ReaderSimulator;
let port: SerialPort | undefined;
let heard: Buffer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-simulator-'));
  heard = Buffer.alloc(0);
});

afterEach(async () => {
  await closePort();
  await simulator.close();
  rmSync(folder, { recursive: true });
});

function profile(name: string): ReaderProfile {
  const found = builtInProfiles.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no profile ${name}`);
  return found;
}

async function start(name: string, options: Partial<SimulatorOptions> = {}): Promise<void> {
  simulator = await startReaderSimulator({
    profile: profile(name),
    link: join(folder, 'reader'),
    clock: systemClock,
    ...options,
  });
}

async function listenAt(baudRate: number): Promise<void> {
  const opened = new SerialPort({ path: simulator.link, baudRate, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    opened.open((error) => (error === null ? resolve() : reject(error)));
  });
  opened.on('data', (chunk: Buffer) => (heard = Buffer.concat([heard, chunk])));
  opened.on('error', () => {});
  port = opened;
}

async function closePort(): Promise<void> {
  const open = port;
  port = undefined;
  if (open?.isOpen === true) await new Promise((resolve) => open.close(resolve));
}

const hears = (bytes: Uint8Array): Promise<unknown> =>
  eventually(() => heard.includes(Buffer.from(bytes)), { what: 'the bytes' });

describe('A reader on a pseudo-terminal', () => {
  test('is heard where the host is set to its speed, and garbled where it is set to another', async () => {
    await start('swipe');
    const read = encodeRead(simulator.profile.framing, passport);
    await listenAt(9600);
    expect(await simulator.present(passport)).toBe(true);
    await hears(read);
    await closePort();
    heard = Buffer.alloc(0);
    await listenAt(19_200);
    await simulator.present(passport);
    await eventually(() => heard.length > read.length, { what: 'more bytes than were sent' });
    expect(heard.includes(Buffer.from(read.subarray(0, 10)))).toBe(false);
    await closePort();
    await listenAt(9600);
    await simulator.present(card);
    await hears(encodeRead(simulator.profile.framing, card));
  });

  test('garbles what comes after a silence for a host that has changed its speed in that silence', async () => {
    await start('swipe');
    await listenAt(9600);
    const presented = simulator.present(passport, ['noise']);
    await eventually(() => heard.length > 0, { everyMs: 1 });
    await closePort();
    heard = Buffer.alloc(0);
    await listenAt(57_600);
    await presented;
    await eventually(() => heard.length > 200, { what: 'more bytes than were sent' });
    expect(heard.toString('latin1')).not.toContain('UTO');
  });

  test('does not understand a host that talks at another speed, and answers one that talks at its own', async () => {
    const said: string[] = [];
    await start('elyctis-idbox', { said: (words) => said.push(words) });
    await listenAt(115_200);
    port?.write(Buffer.from(elyctis('V')));
    await eventually(() => said.includes('it talks at 9600 baud, the other end is set to 115200'));
    await simulator.idle();
    expect(simulator.commands).toEqual([]);
    await closePort();
    await listenAt(9600);
    port?.write(Buffer.from(elyctis('V')));
    await hears(latin('V\0'));
    expect(simulator.commands).toEqual([elyctis('V')]);
  });

  test('with 7 bits and even parity, heard by a host set to 8 and none, gives the parity as bit 7', async () => {
    const sevenEven = {
      kind: 'serial',
      baudRate: 9600,
      dataBits: 7,
      parity: 'even',
      stopBits: 1,
      dtr: true,
    } as const;
    const swipe = { ...profile('swipe'), link: sevenEven };
    await start('swipe', { profile: swipe, host: { dataBits: 8, parity: 'none' } });
    await listenAt(9600);
    await simulator.present(passport);
    const read = encodeRead(swipe.framing, passport);
    await eventually(() => heard.length === read.length);
    expect(heard.some((byte) => byte > 0x7f)).toBe(true);
    expect(new Uint8Array(heard).map((byte) => byte & 0x7f)).toEqual(read);
  });

  test('plays the same faults for the same seed', async () => {
    const played: string[] = [];
    for (let round = 0; round < 2; round++) {
      await start('swipe', { seed: 7, faults: ['unread', 'noise'] });
      await listenAt(9600);
      for (const lines of [passport, card]) await simulator.present(lines);
      await eventually(() => heard.toString('latin1').endsWith('\r') && heard.length > 180);
      played.push(heard.toString('hex'));
      heard = Buffer.alloc(0);
      await closePort();
      await simulator.close();
    }
    expect(played[0]).toBe(played[1]);
  });

  test('with crossed wires hears nothing and is not heard', async () => {
    await start('elyctis-idbox', { faults: ['swapped'] });
    await listenAt(9600);
    port?.write(Buffer.from(elyctis('V')));
    simulator.transmit(latin('hello'));
    await simulator.idle();
    simulator.send('the end');
    await hears(latin('the end'));
    expect(heard.toString()).toBe('the end');
    expect(simulator.commands).toEqual([]);
  });

  test('pulled out in the middle of a read, its device is gone, and is back by the same name', async () => {
    await start('swipe');
    await listenAt(9600);
    const gone = new Promise((resolve) => port?.once('close', resolve));
    const presented = simulator.present(passport, ['unplug']);
    await gone;
    await presented;
    expect(heard.length).toBeLessThan(encodeRead(simulator.profile.framing, passport).length);
    heard = Buffer.alloc(0);
    await listenAt(9600);
    await simulator.present(card);
    await hears(encodeRead(simulator.profile.framing, card));
    expect(heard.length).toBe(encodeRead(simulator.profile.framing, card).length);
  });

  test('what was still to be sent when it lost its power is never sent', async () => {
    await start('swipe');
    await listenAt(9600);
    const presented = simulator.present(passport, ['split']);
    await eventually(() => heard.length > 0, { everyMs: 1 });
    await simulator.unplug();
    await presented;
    await closePort();
    heard = Buffer.alloc(0);
    await simulator.replug();
    await listenAt(9600);
    simulator.send('the end');
    await hears(latin('the end'));
    expect(heard.toString()).toBe('the end');
  });

  test('a profile or a fault that it cannot play is refused', async () => {
    await start('swipe');
    const other = { link: join(folder, 'other'), clock: systemClock };
    await expect(
      startReaderSimulator({ profile: profile('keyboard-wedge'), ...other }),
    ).rejects.toMatchObject({
      code: 'USAGE',
    });
    await expect(simulator.present(passport, ['bad-check'])).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('where no pseudo-terminal can stand it says so at once', async () => {
    await start('swipe');
    const link = join(folder, 'no such folder', 'reader');
    await expect(
      startReaderSimulator({ profile: profile('swipe'), link, clock: systemClock }),
    ).rejects.toMatchObject({ code: 'FILE_REFUSED' });
  });
});

import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtInProfiles, scanDevices } from '#agent/readers/index.ts';
import type { ReaderProfile } from '#contracts/readers.ts';
import { systemClock } from '#runtime/clock.ts';
import { cleanPassport, stolenPassport } from '#test/rigs/documents.ts';
import {
  type ReaderSimulator,
  type SimulatorOptions,
  startReaderSimulator,
} from '#test/rigs/reader-simulator/simulator.ts';
import { startSerialReader } from '#test/rigs/serial-reader.ts';
import { UsbTree } from '#test/rigs/usb-tree.ts';
import { execute } from '../command.ts';
import { createReadersCommand } from './readers.ts';

// The whole of `checkpost readers probe` against the reader simulator on a real pseudo-terminal: the port's speed is
// really set, and what the simulator sends at another one is garbled as a line would.

let folder: string;
let usb: UsbTree;
let simulator: ReaderSimulator | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-probe-'));
  usb = new UsbTree(folder);
});

afterEach(async () => {
  await simulator?.close();
  simulator = undefined;
  rmSync(folder, { recursive: true });
});

const word = 'usb:0403:6001:A1';

function plug(link: string): void {
  usb.plug({
    vendor: '0403',
    product: '6001',
    serial: 'A1',
    port: '1-1',
    kind: 'serial',
    target: realpathSync(link),
  });
}

function profile(name: string, link: Partial<ReaderProfile['link']> = {}): ReaderProfile {
  const found = builtInProfiles.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no profile ${name}`);
  return { ...found, link: { ...found.link, ...link } as ReaderProfile['link'] };
}

/** Probes the device; a document is swiped whenever a swipe is asked for. */
async function probe(swipe: () => unknown, ...more: readonly string[]) {
  let out = '';
  let said = '';
  const code = await execute(
    createReadersCommand({ scan: () => scanDevices(usb) }),
    ['probe', word, '--json', ...more],
    {
      stdin: process.stdin,
      stdout: { write: (text) => (out += text) },
      stderr: {
        write: (text) => {
          said += text;
          // Once the machine waits; it says so before it does.
          if (/Swipe/.test(text)) setImmediate(swipe);
        },
      },
      env: {},
      signal: new AbortController().signal,
    },
  );
  return { code, said, answer: JSON.parse(out) as Record<string, unknown> };
}

async function start(reader: ReaderProfile, options: Partial<SimulatorOptions> = {}) {
  simulator = await startReaderSimulator({
    profile: reader,
    link: join(folder, 'reader'),
    clock: systemClock,
    // A pseudo-terminal is always 8 bits without parity, whatever it is set to.
    host: { dataBits: 8, parity: 'none' },
    ...options,
  });
  plug(simulator.link);
  const documents = [stolenPassport, cleanPassport];
  let swipes = 0;
  const reading = simulator;
  return () => reading.present(documents[swipes++ % documents.length] ?? stolenPassport);
}

const serial = { kind: 'serial', dataBits: 8, parity: 'none', stopBits: 1 } as const;

describe('A reader on a real line', () => {
  test('with lines ended by CR at 9600 is found with two swipes, and its profile ships', async () => {
    const swipe = await start(profile('swipe'));
    const { code, answer } = await probe(swipe);
    expect(answer).toMatchObject({
      device: word,
      kind: 'found',
      swipes: 2,
      line: { baudRate: 9600 },
      wrapping: { lineEnd: 'CR', lines: [44, 44] },
      proposal: { isNew: false, reader: { device: word, profile: 'swipe' } },
    });
    expect(code).toBe(0);
  });

  test.each([
    ['lines at 19200', profile('swipe', { ...serial, baudRate: 19_200 }), 'swipe', false],
    [
      'OCR31x at 115200',
      profile('access-is-ocr31x-serial', { ...serial, baudRate: 115_200 }),
      'access-is-ocr31x-serial',
      false,
    ],
    [
      'STX, ETX and a block check at 38400',
      profile('swipe-stx-bcc', { ...serial, baudRate: 38_400 }),
      'swipe-stx-bcc',
      false,
    ],
    ['lines at 230400', profile('swipe', { ...serial, baudRate: 230_400 }), 'swipe', false],
    ['RTE6701 at 2400', profile('thales-rte6701', { ...serial, baudRate: 2400 }), 'thales-rte6701', false],
    ['7E1 at 9600', profile('swipe', { ...serial, dataBits: 7, parity: 'even' }), 'swipe-9600-7e1', true],
  ])('%s is found with at most three swipes', async (_, reader, name, isNew) => {
    const swipe = await start(reader);
    const { code, answer, said } = await probe(swipe);
    const { link, framing } = reader;
    if (link.kind !== 'serial') throw new Error('the reader is serial');
    const { baudRate, dataBits, parity } = link;
    expect(answer, said).toMatchObject({
      kind: 'found',
      line: { baudRate, dataBits, parity },
      wrapping: { framing },
      proposal: { isNew, reader: { profile: name } },
    });
    expect(answer['swipes']).toBeLessThanOrEqual(3);
    expect(code).toBe(0);
    expect(said + JSON.stringify(answer)).not.toMatch(/L898902|X734211|ERIKSSON/);
  });

  test.each([[1], [2], [3]])(
    'with noise before each read is found at its own speed (seed %i)',
    async (seed) => {
      const swipe = await start(profile('swipe'), { faults: ['noise'], seed });
      const { answer, said } = await probe(swipe);
      expect(answer, said).toMatchObject({
        kind: 'found',
        line: { baudRate: 9600 },
        proposal: { isNew: false, reader: { profile: 'swipe' } },
      });
      expect(answer['proposal']).not.toHaveProperty('reader.baudRate');
    },
  );

  test('that stutters gives parts, and no profile is made of them', async () => {
    const swipe = await start(profile('swipe'), { faults: ['stutter'] });
    const { code, answer, said } = await probe(swipe);
    expect(answer, said).toMatchObject({ kind: 'unsure', seen: 'part' });
    expect(answer).not.toHaveProperty('proposal');
    expect(said).toContain('a part of a document');
    expect(code).toBe(1);
  });

  test('that another program holds is not probed: the agent is to be stopped first', async () => {
    await start(profile('swipe'));
    const device = realpathSync(simulator?.link ?? '');
    const holder = new SerialPort({ path: device, baudRate: 9600, autoOpen: false });
    await new Promise<void>((resolve, reject) => {
      holder.open((error) => (error === null ? resolve() : reject(error)));
    });
    const { code, answer } = await probe(() => {});
    await new Promise((resolve) => holder.close(resolve));
    expect(answer).toMatchObject({ error: { code: 'READER_REFUSED' } });
    expect(JSON.stringify(answer)).toContain('another program holds it');
    expect(code).toBe(1);
  });

  test('with crossed wires says nothing, and what may be wrong is said in words', async () => {
    const swipe = await start(profile('swipe'), { faults: ['swapped'] });
    const { code, answer } = await probe(swipe, '--seconds', '1');
    expect(answer).toMatchObject({ device: word, kind: 'nothing', spikes: 0 });
    expect(code).toBe(1);
  });

  test.each([[9600], [57_600]])(
    'that waits to be told to read is asked for its version at each speed: an Elyctis at %i',
    async (speed) => {
      const swipe = await start(profile('elyctis-idbox', { ...serial, baudRate: speed }));
      const { code, answer } = await probe(swipe, '--seconds', '1');
      expect(answer).toMatchObject({
        kind: 'answers',
        line: { baudRate: speed },
        proposal: { reader: { profile: 'elyctis-idbox' } },
      });
      expect(code).toBe(0);
    },
  );

  test('whose lines are joined gives back what it is sent, which is said', async () => {
    const link = join(folder, 'loop');
    const loop = await startSerialReader({ link, heard: (bytes) => loop.send(bytes) });
    plug(link);
    try {
      expect((await probe(() => {}, '--seconds', '1')).answer).toMatchObject({ kind: 'looped' });
    } finally {
      await loop.close();
    }
  });

  test('that is unplugged while it is probed is said to be gone', async () => {
    await start(profile('swipe'));
    const { code, answer } = await probe(() => simulator?.unplug(), '--seconds', '5');
    expect(answer).toMatchObject({ error: { code: 'READER_LOST' } });
    expect(JSON.stringify(answer)).toContain('The probe has ended; plug it in and begin again.');
    expect(code).toBe(1);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanPassport, stolenPassport } from '../rigs/documents.ts';
import { requires } from '../rigs/requirements.ts';
import { makeImage } from '../rigs/vm/image.ts';
import { bootMachine, type Line, type Machine } from '../rigs/vm/machine.ts';

// Debian's own kernel in QEMU, our readers inside, bundled as they ship. What no pseudo-terminal and no testbed can show
// is shown here: hidraw, the exclusive grab, and USB adapters that come and go.

const because = requires({
  test: 'readers on a real kernel',
  tools: [
    'qemu-system-x86_64',
    'apt-get',
    'dpkg-deb',
    'ldd',
    'setpriv',
    ...(process.arch === 'x64' ? [] : ['an x86-64 processor']),
  ],
});
const root = join(import.meta.dirname, '../..');
const document = `${stolenPassport.join('\r')}\r`;
const other = `${cleanPassport.join('\r')}\r`;

describe.skipIf(because !== undefined)('on a real kernel', () => {
  let folder: string;
  let machine: Machine | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'checkpost-vm-'));
    const image = await makeImage({
      program: join(root, 'test/rigs/vm/guest/main.ts'),
      // Serial adapters, HID, keyboards, and the controller that they are plugged into.
      modules: ['xhci_pci', 'usbhid', 'hid_generic', 'uhid', 'evdev', 'ftdi_sio', 'cdc_acm'],
      cache: join(root, '.setup/vm'),
      folder,
    });
    const booted = bootMachine({ image, folder, readers: ['CP0001', 'CP0002'], keyboard: 'KB0001' });
    machine = booted;
    booted.onLine((line) => obey(booted, line));
    await booted.ended();
  }, 400_000);

  afterAll(async () => {
    await machine?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What one of the checks inside saw; with all that the machine printed where it saw nothing. */
  function saw(check: string): Line {
    const line = machine?.lines.find((one) => one['check'] === check);
    if (line === undefined || 'failed' in line)
      throw new Error(`${check} came to no end: ${JSON.stringify(line)}\n${machine?.console()}`);
    return line;
  }

  test('A HID reader’s reports are its document, whole again after it was pulled out in the middle of a frame', () => {
    expect(saw('hid')).toMatchObject({ frames: [document, other], faults: ['READER_LOST'] });
  });

  test('What is written to a HID reader is one output report', () => {
    expect(saw('hid')['written']).toBe(`00020142${'00'.repeat(61)}`);
  });

  test('While the agent has a keyboard reader, neither another program nor the console hears a key of it', () => {
    const { heard, frames } = saw('keyboard') as unknown as {
      frames: string[];
      heard: Record<'before' | 'during' | 'atOnce', { events: number; terminal: number }>;
    };
    expect(frames[0]).toBe(document);
    expect(heard.before).toEqual({ events: expect.toSatisfy((bytes) => bytes > 0), terminal: 4 });
    expect([heard.during, heard.atOnce]).toEqual([heard.before, heard.before]);
  });

  test('When it types faster than the kernel keeps, the hole is told, and what is left is no document', () => {
    const { frames, faults } = saw('keyboard') as unknown as { frames: string[]; faults: string[] };
    expect(faults).toContain('FRAME_NOISE');
    for (const rest of frames.slice(1)) expect(rest.length).toBeLessThan(80);
  });

  test('A keyboard reader that is pulled out in the middle of a frame is lost, and the half is dropped', () => {
    expect(saw('keyboard')['unplugged']).toEqual(['READER_LOST']);
  });

  test('A USB keyboard reader is found by its identity, and gone when it is unplugged', () => {
    expect(saw('usb-keyboard')).toMatchObject({
      frames: ['P<UTO\r'],
      nodes: [expect.stringMatching(/^\/dev\/input\/event\d+$/)],
    });
  });

  test('A USB adapter is known by its serial number, under whatever ttyUSB number it comes back', () => {
    expect(saw('serial')).toMatchObject({
      first: { nodes: ['/dev/ttyUSB0', '/dev/ttyUSB1'] },
      second: { nodes: ['/dev/ttyUSB0'] },
      plugged: [
        { node: '/dev/ttyUSB0', usb: { vendor: '0403', product: '6001', serial: 'CP0002', port: '1-2' } },
        { node: '/dev/ttyUSB1', usb: { vendor: '0403', product: '6001', serial: 'CP0001', port: '1-1' } },
      ],
    });
  });

  test('Unplugged in the middle of a frame, the half is dropped; two readers at once each get their own document', () => {
    expect(saw('serial')).toMatchObject({
      first: { frames: [document, other], faults: ['READER_LOST'] },
      second: { frames: [document], faults: [] },
    });
  });
});

/** What the checks ask of the world outside the machine. */
function obey(machine: Machine, line: Line): void {
  const { please, cable = -1, text = '' } = line as { please?: string; cable?: number; text?: string };
  const one = machine.cables[cable];
  if (please === 'plug') void one?.plug();
  if (please === 'send') one?.send(text);
  if (please === 'unplug') one?.unplug();
  if (please === 'type') void machine.typist.type(text);
  if (please === 'unplug-keyboard') void machine.typist.unplug();
}

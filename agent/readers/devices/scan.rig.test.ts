import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requires } from '#test/rigs/requirements.ts';
import type { Device } from './device.ts';
import { scanDevices } from './scan.ts';

// umockdev is a second author of such a tree, beside our own rig and the kernel of this machine.

const why = requires({ test: 'the scan of a tree that umockdev makes', tools: ['umockdev-run'] });

const adapter = '/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2';
const scanner = '/devices/pci0000:00/0000:00:14.0/usb1/1-4';
const description = `
P: ${adapter}
E: DEVTYPE=usb_device
E: SUBSYSTEM=usb
A: idVendor=067b
A: idProduct=2303
A: manufacturer=Prolific Technology Inc.
A: product=USB-Serial Controller

P: ${adapter}/1-1.2:1.0
E: DEVTYPE=usb_interface
E: SUBSYSTEM=usb
A: bInterfaceNumber=00

P: ${adapter}/1-1.2:1.0/ttyUSB0
E: SUBSYSTEM=usb-serial
A: port_number=0

P: ${adapter}/1-1.2:1.0/ttyUSB0/tty/ttyUSB0
N: ttyUSB0
E: DEVNAME=/dev/ttyUSB0
E: SUBSYSTEM=tty
A: dev=188:0

P: ${scanner}
E: DEVTYPE=usb_device
E: SUBSYSTEM=usb
A: idVendor=0db5
A: idProduct=0138
A: serial=OCR-0001

P: ${scanner}/1-4:1.0
E: DEVTYPE=usb_interface
E: SUBSYSTEM=usb
A: bInterfaceNumber=00

P: ${scanner}/1-4:1.0/0003:0DB5:0138.0001
E: HID_ID=0003:00000DB5:00000138
E: SUBSYSTEM=hid

P: ${scanner}/1-4:1.0/0003:0DB5:0138.0001/hidraw/hidraw0
N: hidraw0
E: DEVNAME=/dev/hidraw0
E: SUBSYSTEM=hidraw
A: dev=248:0
`;

describe.skipIf(why !== undefined)('The tree that umockdev makes', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'checkpost-umockdev-'));
    writeFileSync(join(folder, 'bench.umockdev'), description.trimStart());
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is read like the kernel’s', () => {
    const scan = join(import.meta.dirname, 'scan.ts');
    // Node lists folders by a call that umockdev does not redirect, so the tree is read where umockdev keeps it.
    const program = `import { scanDevices } from ${JSON.stringify(scan)};
      console.log(JSON.stringify(scanDevices({ sys: process.env.UMOCKDEV_DIR + '/sys' })));`;
    const out = execFileSync(
      'umockdev-run',
      ['-d', join(folder, 'bench.umockdev'), '--', 'node', '--input-type=module', '-e', program],
      { encoding: 'utf8', timeout: 30_000 },
    );
    expect(JSON.parse(out) as Device[]).toEqual([
      {
        kind: 'serial',
        node: '/dev/ttyUSB0',
        usb: {
          vendor: '067b',
          product: '2303',
          port: '1-1.2',
          interface: '1.0',
          maker: 'Prolific Technology Inc.',
          name: 'USB-Serial Controller',
        },
      },
      {
        kind: 'hid',
        node: '/dev/hidraw0',
        usb: { vendor: '0db5', product: '0138', serial: 'OCR-0001', port: '1-4', interface: '1.0' },
      },
    ]);
  });
});

test('The tree of this machine is read without an error, at twice a second for a small part of a processor', () => {
  const before = process.cpuUsage();
  for (let round = 0; round < 200; round++) expect(Array.isArray(scanDevices())).toBe(true);
  const { user, system } = process.cpuUsage(before);
  // Seen: 0.1 ms; twice a second that is a fiftieth of a percent.
  expect((user + system) / 200 / 1000).toBeLessThan(5);
});

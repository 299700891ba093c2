import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keysOf, UsbTree } from '#test/rigs/usb-tree.ts';
import { scanDevices } from './scan.ts';

let folder: string;
let usb: UsbTree;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-usb-'));
  usb = new UsbTree(folder);
});

afterEach(() => rmSync(folder, { recursive: true }));

const ftdi = { vendor: '0403', product: '6001', kind: 'serial' } as const;
const found = () => scanDevices(usb);
const nodes = () => found().map(({ kind, node }) => `${kind} ${node.slice(usb.dev.length)}`);

describe('What is plugged in', () => {
  test('A USB serial adapter is found with its ids, its serial number, its port and what it calls itself', () => {
    const node = usb.plug({
      ...ftdi,
      serial: 'A50285BI',
      port: '1-1.2',
      maker: 'FTDI',
      name: 'FT232R USB UART',
    });
    expect(found()).toEqual([
      {
        kind: 'serial',
        node,
        usb: {
          vendor: '0403',
          product: '6001',
          serial: 'A50285BI',
          port: '1-1.2',
          interface: '1.0',
          maker: 'FTDI',
          name: 'FT232R USB UART',
        },
      },
    ]);
  });

  test('A CDC-ACM reader, which has no driver device between interface and tty, is found too', () => {
    usb.plug({ vendor: '2b78', product: '0005', kind: 'acm', port: '3-4' });
    expect(found()).toMatchObject([
      { kind: 'serial', usb: { vendor: '2b78', port: '3-4', interface: '1.0' } },
    ]);
  });

  test('Each line of an adapter with several is a device with its own interface', () => {
    usb.plug({ vendor: '0403', product: '6011', kind: 'serial', port: '1-3', interface: '1.0' });
    usb.plug({ vendor: '0403', product: '6011', kind: 'serial', port: '1-3', interface: '1.1' });
    expect(found().map((device) => device.usb?.interface)).toEqual(['1.0', '1.1']);
  });

  test('A HID reader is hid; a keyboard is both the keyboard and its hidraw, of the same interface', () => {
    usb.plug({ vendor: '0db5', product: '0138', kind: 'hid', port: '1-1' });
    usb.plug({ vendor: '0c2e', product: '0b61', kind: 'keyboard', port: '1-2' });
    expect(nodes()).toEqual(['hid /hidraw0', 'hid /hidraw1', 'keyboard /input/event0']);
    const [, raw, keyboard] = found();
    expect(raw?.usb).toEqual(keyboard?.usb);
  });

  test('What cannot type letters and Enter is no keyboard', () => {
    usb.plug({ vendor: '046d', product: 'c077', kind: 'keyboard', port: '1-2' });
    const keys = join(
      usb.sys,
      'devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/0003:046D:C077.0001/input/input1/capabilities/key',
    );
    writeFileSync(keys, `${keysOf.mouse}\n`);
    expect(nodes()).toEqual(['hid /hidraw0']);
    // A bar code reader that types digits and Enter alone.
    writeFileSync(keys, '10000ffc\n');
    expect(nodes()).toEqual(['hid /hidraw0']);
    // The same ordinary keyboard as a kernel of 32 bits words it.
    writeFileSync(keys, '10000 7 ff9f207a c14057ff febeffdf ffefffff ffffffff fffffffe\n');
    expect(nodes()).toEqual(['hid /hidraw0', 'keyboard /input/event0']);
  });

  test('A port of the machine itself is found where a UART is behind it and the kernel does not speak on it', () => {
    usb.machinePort('ttyS0', { console: true });
    usb.machinePort('ttyS1');
    usb.machinePort('ttyS2', { type: 0 });
    usb.machinePort('ttyAMA0', { type: 32 });
    for (const name of ['tty', 'tty0', 'tty63', 'console', 'ptmx', 'ttynull']) usb.virtual(name);
    expect(nodes()).toEqual(['serial /ttyAMA0', 'serial /ttyS1']);
    expect(found().every((device) => device.usb === undefined)).toBe(true);
  });

  test('Unplugged, it is gone; plugged in again in another order, the names change and the devices do not', () => {
    const a = { ...ftdi, serial: 'A', port: '1-1' };
    const b = { ...ftdi, serial: 'B', port: '1-2' };
    const first = usb.plug(a);
    const second = usb.plug(b);
    usb.unplug(first);
    expect(found().map((device) => device.usb?.serial)).toEqual(['B']);
    usb.unplug(second);
    expect(found()).toEqual([]);
    usb.plug(b);
    usb.plug(a);
    expect(found().map(({ node, usb }) => [node, usb?.serial])).toEqual([
      [first, 'B'],
      [second, 'A'],
    ]);
  });

  test('A device that goes while it is looked at is passed over, and a machine without such a tree has none', () => {
    usb.plug({ ...ftdi, port: '1-1' });
    usb.plug({ ...ftdi, port: '1-2' });
    // The link of the class is still there, the device behind it is not.
    rmSync(join(usb.sys, 'devices/pci0000:00/0000:00:14.0/usb1/1-1'), { recursive: true });
    expect(found().map((device) => device.usb?.port)).toEqual(['1-2']);
    writeFileSync(join(usb.sys, 'class/tty/ttyUSB9'), 'no link');
    chmodSync(join(usb.sys, 'class/tty/ttyUSB9'), 0o000);
    expect(found()).toHaveLength(1);
    expect(scanDevices({ sys: join(folder, 'nowhere') })).toEqual([]);
  });

  test('ttyUSB2 stands before ttyUSB10', () => {
    for (let port = 1; port <= 11; port++) usb.plug({ ...ftdi, port: `1-${port}` });
    expect(nodes().at(-1)).toBe('serial /ttyUSB10');
    expect(nodes()[2]).toBe('serial /ttyUSB2');
  });
});

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Device, UsbIdentity } from './device.ts';

/**
 * What is plugged in and could be a reader, from the kernel's own tree and nothing else:
 *
 *     /sys/class/tty/ttyUSB0 -> ../../devices/…/usb1/1-1/1-1.2/1-1.2:1.0/ttyUSB0/tty/ttyUSB0
 *                                                        │       └ interface: bInterfaceNumber
 *                                                        └ USB device: idVendor, idProduct, serial, manufacturer, product
 *
 * Never throws: a device that goes while it is looked at is passed over, and so is one that cannot be read.
 */
export function scanDevices({ sys = '/sys', dev = '/dev' } = {}): Device[] {
  return [...serialPorts(sys, dev), ...hidDevices(sys, dev), ...keyboards(sys, dev)];
}

/** Consoles, pseudo-terminals and the like: there are dozens of them, and none needs a closer look. */
const noPort = /^(tty\d*|console|ptmx|pty.*|vcs.*)$/;

function serialPorts(sys: string, dev: string): Device[] {
  return list(join(sys, 'class/tty')).flatMap((name): Device[] => {
    if (noPort.test(name)) return [];
    const place = placeOf(sys, `class/tty/${name}`);
    if (place === undefined || place.includes('/devices/virtual/')) return [];
    const node = join(dev, name);
    const usb = usbOf(place);
    if (usb !== undefined) return usb === 'gone' ? [] : [{ kind: 'serial', node, usb }];
    return isMachinePort(place) ? [{ kind: 'serial', node }] : [];
  });
}

/** The kernel makes ttyS0 to ttyS3 whether or not a UART is there (type 0), and may keep one for its own messages. */
function isMachinePort(place: string): boolean {
  return (
    read(place, 'device/uevent') !== undefined &&
    read(place, 'type') !== '0' &&
    read(place, 'console') !== 'Y'
  );
}

/** On USB, or played as USB by a program (uhid); not the touch pads and sensors of the machine itself. */
function hidDevices(sys: string, dev: string): Device[] {
  return list(join(sys, 'class/hidraw')).flatMap((name): Device[] => {
    const place = placeOf(sys, `class/hidraw/${name}`);
    if (place === undefined || !/\/0003:[0-9A-F]{4}:[0-9A-F]{4}\.[0-9A-F]+\/hidraw\//.test(place)) return [];
    const node = join(dev, name);
    const usb = usbOf(place);
    if (usb === 'gone') return [];
    return [usb === undefined ? { kind: 'hid', node } : { kind: 'hid', node, usb }];
  });
}

function keyboards(sys: string, dev: string): Device[] {
  return list(join(sys, 'class/input')).flatMap((name): Device[] => {
    if (!name.startsWith('event')) return [];
    const place = placeOf(sys, `class/input/${name}`);
    if (place === undefined || !canType(read(place, 'device/capabilities/key'))) return [];
    const usb = usbOf(place);
    if (usb === undefined || usb === 'gone') return [];
    return [{ kind: 'keyboard', node: join(dev, 'input', name), usb }];
  });
}

/** Enter, A and the row from Q to P, by their codes in the kernel's input-event-codes.h. */
const typingKeys = [28, 30, ...Array.from({ length: 10 }, (_, at) => 16 + at)].reduce(
  (mask, code) => mask + 2 ** code,
  0,
);

/** Words of keys, the lowest codes last; these keys are in the lowest 32 bits, so that the size of a word does not matter. */
function canType(keys: string | undefined): boolean {
  const lowest = Number.parseInt(keys?.split(' ').at(-1)?.slice(-8) ?? '0', 16);
  return (lowest & typingKeys) === typingKeys;
}

/** Undefined where it is not on USB, `gone` where the device went while it was looked at. */
function usbOf(place: string): UsbIdentity | 'gone' | undefined {
  const found = /^(.*\/(\d+-\d+(?:\.\d+)*))\/\2:(\d+\.\d+)(?:\/|$)/.exec(place);
  if (found === null) return undefined;
  const [, device = '', port = '', face = ''] = found;
  const vendor = read(device, 'idVendor');
  const product = read(device, 'idProduct');
  if (vendor === undefined || product === undefined) return 'gone';
  const optional = (key: 'serial' | 'maker' | 'name', attribute: string): Partial<UsbIdentity> => {
    const value = read(device, attribute);
    return value === undefined || value === '' ? {} : { [key]: value };
  };
  return {
    vendor,
    product,
    ...optional('serial', 'serial'),
    port,
    interface: face,
    ...optional('maker', 'manufacturer'),
    ...optional('name', 'product'),
  };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort(byNumber);
  } catch {
    return [];
  }
}

/** ttyUSB2 before ttyUSB10. */
const byNumber = (a: string, b: string): number =>
  Number(/\d*$/.exec(a)?.[0]) - Number(/\d*$/.exec(b)?.[0]) || (a < b ? -1 : 1);

/** Where in the tree of devices a link of a class leads. */
function placeOf(sys: string, link: string): string | undefined {
  try {
    return join(sys, link, '..', readlinkSync(join(sys, link)));
  } catch {
    return undefined;
  }
}

function read(place: string, attribute: string): string | undefined {
  try {
    return readFileSync(join(place, attribute), 'utf8').trim();
  } catch {
    return undefined;
  }
}

import { devicePattern } from '#contracts/readers.ts';
import type { Device } from './device.ts';

/** What stands as `device` in the settings of a reader, taken apart. */
export type DeviceWord = { readonly kind: 'path'; readonly path: string } | UsbWord;

export interface UsbWord {
  readonly kind: 'usb';
  readonly vendor: string;
  readonly product: string;
  readonly serial?: string;
  readonly port?: string;
  /** Only with the port. */
  readonly interface?: string;
}

const whole = new RegExp(devicePattern);
const parts =
  /^usb:([0-9a-f]{4}):([0-9a-f]{4})(?::([^\s@]+))?(?:@([0-9]+-[0-9]+(?:\.[0-9]+)*)(?::([0-9]+\.[0-9]+))?)?$/;

/** Undefined where it is no identity word of the form `devicePattern`. */
export function parseDeviceWord(text: string): DeviceWord | undefined {
  if (!whole.test(text)) return undefined;
  if (text.startsWith('/')) return { kind: 'path', path: text };
  const found = parts.exec(text);
  if (found === null) return undefined;
  const [, vendor = '', product = '', serial, port, face] = found;
  return {
    kind: 'usb',
    vendor,
    product,
    ...(serial === undefined ? {} : { serial }),
    ...(port === undefined ? {} : { port }),
    ...(face === undefined ? {} : { interface: face }),
  };
}

export function printDeviceWord(word: DeviceWord): string {
  if (word.kind === 'path') return word.path;
  const serial = word.serial === undefined ? '' : `:${word.serial}`;
  const face = word.interface === undefined ? '' : `:${word.interface}`;
  const port = word.port === undefined ? '' : `@${word.port}${face}`;
  return `usb:${word.vendor}:${word.product}${serial}${port}`;
}

/**
 * The shortest word that names this device, and no other of `all`, for good: by its serial number in whatever port; by
 * its port where it has none, or where another shares it (two identical adapters do: node-serialport#329); with the
 * interface where it is one of several of its kind in one USB device. A port of the machine itself has its path.
 */
export function identityOf(device: Device, all: readonly Device[]): string {
  const { usb } = device;
  if (usb === undefined) return device.node;
  const model = all.flatMap((other) =>
    other.kind === device.kind &&
    other.usb !== undefined &&
    other.usb.vendor === usb.vendor &&
    other.usb.product === usb.product
      ? [other.usb]
      : [],
  );
  const serial = serialOf(device);
  const shared = model.some((other) => other.serial === usb.serial && other.port !== usb.port);
  const several = model.some((other) => other.port === usb.port && other.interface !== usb.interface);
  return printDeviceWord({
    kind: 'usb',
    vendor: usb.vendor,
    product: usb.product,
    ...(serial === undefined ? {} : { serial }),
    ...(serial === undefined || shared || several ? { port: usb.port } : {}),
    ...(several ? { interface: usb.interface } : {}),
  });
}

/** Its serial number, if it can stand in a word: printable, without blanks and `@`. */
export function serialOf(device: Device): string | undefined {
  const serial = device.usb?.serial;
  return serial !== undefined && /^[\x21-\x3f\x41-\x7e]{1,64}$/.test(serial) ? serial : undefined;
}

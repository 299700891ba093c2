import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

// Events of /dev/uhid (linux/uhid.h): a HID device of a program, which the kernel takes for one on a real bus.
const destroy = 1;
const output = 6;
const create2 = 11;
const input2 = 12;
const busUsb = 3;
/** Bytes of struct uhid_event: its type and the largest of its members. */
const eventSize = 4 + 4372;

export interface UhidOptions {
  readonly name: string;
  readonly vendor: number;
  readonly product: number;
  /** What its reports look like (usb.org, Device Class Definition for HID 1.11, 6.2.2). */
  readonly descriptor: Uint8Array;
}

export class UhidDevice {
  readonly #fd: number;

  constructor({ name, vendor, product, descriptor }: UhidOptions) {
    this.#fd = openSync('/dev/uhid', constants.O_RDWR | constants.O_NONBLOCK);
    const event = Buffer.alloc(4 + 276 + descriptor.length);
    event.writeUInt32LE(create2, 0);
    event.write(name, 4);
    event.writeUInt16LE(descriptor.length, 260);
    event.writeUInt16LE(busUsb, 262);
    event.writeUInt32LE(vendor, 264);
    event.writeUInt32LE(product, 268);
    event.set(descriptor, 280);
    writeSync(this.#fd, event);
  }

  report(bytes: Uint8Array): void {
    const event = Buffer.alloc(6 + bytes.length);
    event.writeUInt32LE(input2, 0);
    event.writeUInt16LE(bytes.length, 4);
    event.set(bytes, 6);
    writeSync(this.#fd, event);
  }

  /** The next report that was written to it, or undefined where there is none. */
  written(): Uint8Array | undefined {
    const event = Buffer.alloc(eventSize);
    for (;;) {
      try {
        readSync(this.#fd, event);
      } catch {
        return undefined;
      }
      if (event.readUInt32LE(0) === output) return event.subarray(4, 4 + event.readUInt16LE(4 + 4096));
    }
  }

  /** Pulls it out. */
  close(): void {
    const event = Buffer.alloc(4);
    event.writeUInt32LE(destroy, 0);
    writeSync(this.#fd, event);
    closeSync(this.#fd);
  }
}

/** 64 bytes in, 64 bytes out, of no kind that the kernel knows. */
export const readerDescriptor = Buffer.from('0600ff0901a101150026ff007508954009018102954009019102c0', 'hex');

/** The keyboard that every firmware knows: 8 modifiers, one byte of nothing, 6 keys (the same document, appendix B.1). */
export const keyboardDescriptor = Buffer.from(
  '05010906a101050719e029e71500250175019508810295017508810195057501050819012905' +
    '910295017503910195067508150025650507190029658100c0',
  'hex',
);

/** Usages of a keyboard (usb.org, HID Usage Tables 1.12, section 10) that type a character on an American one. */
export function keyReport(char: string): Uint8Array {
  const report = new Uint8Array(8);
  const shifted = /[A-Z<]/.test(char);
  report[0] = shifted ? 2 : 0;
  report[2] = usage(char.toUpperCase());
  return report;
}

function usage(char: string): number {
  if (char === '\r') return 0x28;
  if (char === '<') return 0x36;
  if (char === '0') return 0x27;
  if (char >= '1' && char <= '9') return 0x1d + Number(char);
  return 0x04 + char.charCodeAt(0) - 'A'.charCodeAt(0);
}

import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A made-up USB device with one reader in it. */
export interface Plug {
  readonly vendor: string;
  readonly product: string;
  readonly serial?: string;
  /** As the kernel counts ports: `1-1.2`. */
  readonly port: string;
  /** Which of the device's interfaces; plugging another one into the same port adds to the device. */
  readonly interface?: string;
  readonly kind: 'serial' | 'acm' | 'hid' | 'keyboard';
  readonly maker?: string;
  readonly name?: string;
  /** What the device node leads to: the slave of a pseudo-terminal. Without it there is an empty file. */
  readonly target?: string;
}

/** What a USB device with this keyboard can type: the words of `capabilities/key` of an ordinary one, and of a mouse. */
export const keysOf = {
  keyboard: '1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe',
  mouse: '1f0000 0 0 0 0',
} as const;

/**
 * The kernel's tree of devices (/sys) and its device nodes (/dev) in a folder, as the kernel writes them, so that what
 * looks for readers can be tested with devices that are plugged in, pulled out and given other names.
 */
export class UsbTree {
  readonly sys: string;
  readonly dev: string;

  constructor(folder: string) {
    this.sys = join(folder, 'sys');
    this.dev = join(folder, 'dev');
    for (const name of ['tty', 'hidraw', 'input'])
      mkdirSync(join(this.sys, 'class', name), { recursive: true });
    mkdirSync(join(this.dev, 'input'), { recursive: true });
  }

  /** Plugs it in; the answer is its device node, with the lowest free number as the kernel gives it. */
  plug(plug: Plug): string {
    const { port, interface: face = '1.0' } = plug;
    const device = join(this.#bus(port), ...hubsOf(port));
    this.#write(device, {
      idVendor: plug.vendor,
      idProduct: plug.product,
      ...(plug.serial === undefined ? {} : { serial: plug.serial }),
      ...(plug.maker === undefined ? {} : { manufacturer: plug.maker }),
      ...(plug.name === undefined ? {} : { product: plug.name }),
    });
    const inner = join(device, `${port}:${face}`);
    this.#write(inner, { bInterfaceNumber: face.split('.')[1]?.padStart(2, '0') ?? '00' });
    if (plug.kind === 'serial') return this.#usbSerial(inner, plug);
    if (plug.kind === 'acm') return this.#add('tty', 'ttyACM', inner, inner, plug.target);
    return this.#hid(inner, plug);
  }

  /** Pulls it out, with all that is in the same USB device, as a cable does. */
  unplug(node: string): void {
    const found = this.#links().find((link) => this.#nodeOf(link) === node);
    if (found === undefined) throw new Error(`${node} is not plugged in`);
    const device = /^.*\/(\d+-[\d.]+)(?=\/\1:)/.exec(this.#placeOf(found))?.[0];
    if (device === undefined) throw new Error(`${node} is on no USB device`);
    for (const link of this.#links()) {
      if (!this.#placeOf(link).startsWith(`${device}/`)) continue;
      rmSync(this.#nodeOf(link), { force: true });
      rmSync(link);
    }
    rmSync(device, { recursive: true });
  }

  /** A port of the machine itself: a UART (type 4 is a 16550A), or none behind the name (type 0). */
  machinePort(name: string, { type = 4, console = false } = {}): string {
    const place = join(this.sys, 'devices/platform/serial8250');
    this.#write(place, { uevent: 'DRIVER=serial8250' });
    return this.#link('tty', name, join(place, 'tty', name), place, undefined, {
      type: String(type),
      console: console ? 'Y' : 'N',
    });
  }

  /** A console or the like: no device behind it. */
  virtual(name: string): string {
    return this.#link('tty', name, join(this.sys, 'devices/virtual/tty', name), undefined, undefined);
  }

  #bus(port: string): string {
    return join(this.sys, 'devices/pci0000:00/0000:00:14.0', `usb${port.split('-')[0]}`);
  }

  /** usb-serial has a device of its own between the interface and the tty; cdc-acm has not. */
  #usbSerial(inner: string, plug: Plug): string {
    const name = this.#free('tty', 'ttyUSB');
    const between = join(inner, name);
    this.#write(between, { port_number: '0' });
    return this.#link('tty', name, join(between, 'tty', name), between, plug.target);
  }

  #hid(inner: string, plug: Plug): string {
    const ids = `0003:${plug.vendor}:${plug.product}`.toUpperCase();
    const known = readdirSync(join(this.sys, 'class/hidraw')).length;
    const place = join(inner, `${ids}.${String(known + 1).padStart(4, '0')}`);
    this.#write(place, { uevent: `HID_ID=${ids}` });
    const raw = this.#add('hidraw', 'hidraw', place, place, plug.kind === 'hid' ? plug.target : undefined);
    if (plug.kind === 'hid') return raw;
    const input = join(place, 'input', `input${known + 1}`);
    this.#write(join(input, 'capabilities'), { key: keysOf.keyboard });
    const name = this.#free('input', 'event');
    return this.#link('input', name, join(input, name), input, plug.target);
  }

  #add(group: string, prefix: string, place: string, device: string, target: string | undefined): string {
    const name = this.#free(group, prefix);
    return this.#link(group, name, join(place, group, name), device, target);
  }

  /** Its folder with its link to the device, the link of its class to it, and its node. */
  #link(
    group: string,
    name: string,
    place: string,
    device: string | undefined,
    target: string | undefined,
    attributes: Readonly<Record<string, string>> = {},
  ): string {
    this.#write(place, { uevent: `DEVNAME=${name}`, ...attributes });
    if (device !== undefined) {
      this.#write(device, { uevent: 'DRIVER=made-up' });
      symlinkSync(relative(place, device), join(place, 'device'));
    }
    const link = join(this.sys, 'class', group, name);
    symlinkSync(relative(dirname(link), place), link);
    const node = this.#nodeOf(link);
    if (target === undefined) writeFileSync(node, '');
    else symlinkSync(target, node);
    return node;
  }

  #free(group: string, prefix: string): string {
    const names = new Set(readdirSync(join(this.sys, 'class', group)));
    let number = 0;
    while (names.has(`${prefix}${number}`)) number++;
    return `${prefix}${number}`;
  }

  #links(): string[] {
    return ['tty', 'hidraw', 'input'].flatMap((group) =>
      readdirSync(join(this.sys, 'class', group)).map((name) => join(this.sys, 'class', group, name)),
    );
  }

  #placeOf(link: string): string {
    return join(dirname(link), readlinkSync(link));
  }

  #nodeOf(link: string): string {
    const [group = '', name = ''] = link.split('/').slice(-2);
    return group === 'input' ? join(this.dev, 'input', name) : join(this.dev, name);
  }

  #write(folder: string, attributes: Readonly<Record<string, string>>): void {
    mkdirSync(folder, { recursive: true });
    for (const [name, value] of Object.entries(attributes)) writeFileSync(join(folder, name), `${value}\n`);
  }
}

/** The folders from the bus to the port: `1-1.2.3` stands in 1-1/1-1.2/1-1.2.3. */
function hubsOf(port: string): string[] {
  const [bus = '', path = ''] = port.split('-');
  const steps = path.split('.');
  return steps.map((_, at) => `${bus}-${steps.slice(0, at + 1).join('.')}`);
}

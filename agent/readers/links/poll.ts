import { close, constants, open, readSync, write } from 'node:fs';
import { promisify } from 'node:util';
import type { Poller } from '@serialport/bindings-cpp/dist/poller.js';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode } from '#runtime/errors.ts';
import { deviceOf } from './device-node.ts';

/** An open device node that is read by events. */
export interface PolledDevice {
  /** Its file descriptor, for an ioctl; only until `close`. */
  readonly fd: number;
  present(): boolean;
  /** Begins to read; before this nothing of the device is taken. */
  start(): void;
  /** Sends one piece after those before it. A device that takes none passes it over; one that is gone is `lost`. */
  write(piece: Uint8Array): void;
  /** Resolves also while a read or a write waits for the device. */
  close(): Promise<void>;
}

export interface PolledListener {
  /** What one read gave: one report of hidraw, one or several whole events of evdev. The bytes are its own. */
  read(bytes: Uint8Array): void;
  /** Said once, and not for our own `close`. */
  lost(why: string): void;
}

/** Longer than any HID report of a USB device (usb.org, Device Class Definition for HID 1.11, 6.2.2.7), and 170 key events. */
const longestRead = 4096;
/** Reads in one go, so that a device that floods leaves the loop to others. */
const readsInOneGo = 16;
const { O_RDONLY, O_RDWR, O_NONBLOCK, O_NOCTTY } = constants;

/**
 * Opens a device node without ever waiting in it: the kernel says when there is something to read, through libuv's own
 * poll, which node-serialport's native package has for any descriptor. Node's own streams would hold a thread of the pool
 * in each read. Faults: READER_ABSENT, READER_REFUSED.
 */
export async function openPolled(path: string, listener: PolledListener): Promise<Result<PolledDevice>> {
  const device = deviceOf(path);
  if (device === undefined) return fail('READER_ABSENT', `${path} is not there.`);
  // Only a terminal with such a reader loads it.
  const { Poller } = await import('@serialport/bindings-cpp/dist/poller.js');
  const opened = await openNode(path);
  if ('refused' in opened) {
    // Between the look and the opening it may have been unplugged.
    const absent = deviceOf(path) === undefined || opened.refused === 'ENODEV' || opened.refused === 'ENXIO';
    return fail(absent ? 'READER_ABSENT' : 'READER_REFUSED', `${path}: ${opened.refused}.`, opened.cause);
  }
  const { fd, writable } = opened;
  try {
    return ok(new Polled({ path, device, fd, writable }, new Poller(fd), listener));
  } catch (thrown) {
    await promisify(close)(fd).catch(() => {});
    return fail('READER_REFUSED', `${path} is no device that can be waited for.`, thrown);
  }
}

type Opened =
  | { readonly fd: number; readonly writable: boolean }
  | { readonly refused: string; readonly cause: unknown };

async function openNode(path: string): Promise<Opened> {
  const openFile = promisify(open);
  const wanted = O_NONBLOCK | O_NOCTTY;
  try {
    return { fd: await openFile(path, O_RDWR | wanted), writable: true };
  } catch {
    // Without the right to write, what it reads is still worth having.
  }
  try {
    return { fd: await openFile(path, O_RDONLY | wanted), writable: false };
  } catch (thrown) {
    return { refused: systemCode(thrown) ?? 'it cannot be opened', cause: thrown };
  }
}

interface Node {
  readonly path: string;
  readonly device: string;
  readonly fd: number;
  readonly writable: boolean;
}

class Polled implements PolledDevice {
  readonly fd: number;
  readonly #node: Node;
  readonly #poller: Poller;
  readonly #listener: PolledListener;
  readonly #buffer = new Uint8Array(longestRead);
  #over = false;
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(node: Node, poller: Poller, listener: PolledListener) {
    this.fd = node.fd;
    this.#node = node;
    this.#poller = poller;
    this.#listener = listener;
  }

  present(): boolean {
    return !this.#over && deviceOf(this.#node.path) === this.#node.device;
  }

  start(): void {
    this.#wait();
  }

  write(piece: Uint8Array): void {
    if (this.#over || !this.#node.writable) return;
    // In the pool, one at a time: a HID device may take up to 5 s to accept a report, whatever O_NONBLOCK says (the
    // kernel's drivers/hid/usbhid/hid-core.c waits for the transfer).
    const before = this.#writing ?? Promise.resolve();
    const mine = before.then(() => this.#writeNow(piece));
    this.#writing = mine;
    void mine.then(() => {
      if (this.#writing === mine) this.#writing = undefined;
    });
  }

  async #writeNow(piece: Uint8Array): Promise<void> {
    if (this.#over) return;
    try {
      await promisify(write)(this.fd, piece);
    } catch (thrown) {
      // Anything else is a device that takes no reports, or not now; the next read says whether it is there.
      if (systemCode(thrown) === 'ENODEV') this.#lose('ENODEV');
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#stop();
    const closeFd = (): Promise<void> => promisify(close)(this.fd).catch(() => {});
    // A descriptor in use is closed when that write has ended, for which nobody waits.
    if (this.#writing === undefined) await closeFd();
    else void this.#writing.then(closeFd);
  }

  #stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#poller.stop();
  }

  #lose(why: string): void {
    if (this.#over) return;
    this.#stop();
    this.#listener.lost(why);
  }

  #wait(): void {
    if (this.#over) return;
    this.#poller.once('readable', (error) => this.#read(error !== null));
  }

  #read(failing: boolean): void {
    for (let turn = 0; turn < readsInOneGo && !this.#over; turn++) {
      let count: number;
      try {
        count = readSync(this.fd, this.#buffer);
      } catch (thrown) {
        const code = systemCode(thrown) ?? 'it cannot be read';
        if (code !== 'EAGAIN' && code !== 'EINTR') return this.#lose(code);
        // Nothing to read and yet an error: waiting again would turn in circles.
        if (failing) return this.#lose('it has failed');
        break;
      }
      if (count === 0) return this.#lose('it has ended');
      this.#listener.read(this.#buffer.slice(0, count));
    }
    this.#wait();
  }
}

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '../eventually.ts';
import type { Image } from './image.ts';
import { type Typist, typist } from './monitor.ts';

/** One JSON object that the program inside has printed. */
export type Line = Readonly<Record<string, unknown>>;

/** A USB serial reader (FTDI's chip) with this serial number, outside of the machine until it is plugged in. */
export interface Cable {
  plug(): Promise<void>;
  send(text: string): void;
  unplug(): void;
}

export interface Machine {
  /** All that the program inside has said, in order. */
  readonly lines: readonly Line[];
  readonly cables: readonly Cable[];
  /** The USB keyboard, where there is one: it is plugged in from the beginning. */
  readonly typist: Typist;
  /** Calls `hear` for every line from now on. */
  onLine(hear: (line: Line) => void): void;
  /** The end of the machine, by itself. */
  ended(): Promise<void>;
  /** Pulls the plug. */
  kill(): Promise<void>;
  /** What the kernel and the first process printed. */
  console(): string;
}

export interface MachineOptions {
  readonly image: Image;
  readonly folder: string;
  /** Serial numbers of the readers that can be plugged in. */
  readonly readers?: readonly string[];
  /** Serial number of the keyboard; without it there is none. */
  readonly keyboard?: string;
}

/** Boots it, without hardware acceleration, so that it runs on any x86-64. It dies with the process that started it. */
export function bootMachine({ image, folder, readers = [], keyboard }: MachineOptions): Machine {
  const consoleFile = join(folder, 'console.log');
  closeSync(openSync(consoleFile, 'w'));
  const monitor = join(folder, 'monitor');
  const sockets = readers.map((_, at) => join(folder, `reader-${at}`));
  const options = [
    ['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '1024'],
    ['-display', 'none', '-nic', 'none', '-no-reboot', '-qmp', `unix:${monitor},server=on,wait=off`],
    ['-kernel', image.vmlinuz, '-initrd', image.initrd, '-append', 'console=ttyS0 quiet panic=-1'],
    ['-serial', `file:${consoleFile}`, '-serial', 'stdio', '-device', 'qemu-xhci'],
    ...(keyboard === undefined
      ? []
      : [['-device', `usb-kbd,id=typing,serial=${keyboard},port=${readers.length + 1}`]]),
    ...readers.flatMap((serial, at) => [
      ['-chardev', `socket,id=reader${at},path=${sockets[at]},server=on,wait=off`],
      ['-device', `usb-serial,chardev=reader${at},serial=${serial},port=${at + 1}`],
    ]),
  ];
  const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...options.flat()], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Line[] = [];
  const hearers: ((line: Line) => void)[] = [];
  let complaint = '';
  createInterface({ input: qemu.stdout }).on('line', (text) => {
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as Line;
    lines.push(line);
    for (const hear of hearers) hear(line);
  });
  qemu.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const ended = new Promise<void>((resolve) => qemu.once('close', () => resolve()));
  return {
    lines,
    cables: sockets.map(cable),
    typist: typist(monitor, 'typing'),
    onLine: (hear) => void hearers.push(hear),
    ended: () => ended,
    async kill() {
      qemu.kill('SIGKILL');
      await ended;
    },
    console: () => `${complaint}${readFileSync(consoleFile, 'utf8')}`,
  };
}

/** QEMU plugs the device in when somebody connects, and unplugs it when the connection ends. */
function cable(path: string): Cable {
  let socket: Socket | undefined;
  return {
    async plug() {
      await eventually(
        () =>
          new Promise<boolean>((resolve) => {
            const connecting = createConnection(path);
            connecting.once('connect', () => {
              socket = connecting;
              // What the terminal writes is of no interest here, but must not wait.
              connecting.resume();
              resolve(true);
            });
            connecting.on('error', () => resolve(false));
          }),
        { what: `the socket of ${path}` },
      );
    },
    send: (text) => void socket?.write(text, 'latin1'),
    unplug() {
      socket?.destroy();
      socket = undefined;
    },
  };
}

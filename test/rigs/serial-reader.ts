import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fail } from '#contracts/result.ts';
import { toError } from '#runtime/errors.ts';
import { eventually } from './eventually.ts';

/** A reader on a real pseudo-terminal: what is sent comes out of the device as a serial reader's bytes would. */
export interface SerialReader {
  /** Stable name of the device, as under /dev/serial/by-id. */
  readonly link: string;
  /** Sends bytes; where nothing is plugged in they are lost, as on a real cable. */
  send(bytes: string | Uint8Array): void;
  /** Pulls the cable: the device and its name go. */
  unplug(): Promise<void>;
  replug(): Promise<void>;
  close(): Promise<void>;
}

export interface SerialReaderOptions {
  readonly link: string;
  /** Speed of the line before the host sets another, where it is one that termios(3) has a name for. */
  readonly baudRate?: number;
  /** Bytes that the host has written to the device. */
  readonly heard?: (bytes: Uint8Array) => void;
}

/** Those of termios(3) that a reader may have. */
const namedSpeeds = [
  300, 600, 1200, 1800, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600,
];

export async function startSerialReader(options: SerialReaderOptions): Promise<SerialReader> {
  const { link, heard, baudRate = 38_400 } = options;
  const speed = namedSpeeds.includes(baudRate) ? `b${baudRate},` : '';
  let socat: ChildProcess | undefined;
  const replug = async (): Promise<void> => {
    if (socat !== undefined) return;
    rmSync(link, { force: true });
    const child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', '--', 'socat', 'STDIO', `pty,raw,echo=0,${speed}link=${link}`],
      {
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    );
    // A reader that is pulled out while it sends is no error of the rig.
    child.stdin?.on('error', () => {});
    // Read to the end also where nobody listens, so that a full pipe never holds the host up.
    child.stdout?.on('data', (bytes: Buffer) => heard?.(new Uint8Array(bytes)));
    socat = child;
    let failed: string | undefined;
    child.once('error', (error) => (failed = error.message));
    child.once('exit', (code) => (failed ??= `socat ended with ${code}`));
    await eventually(() => existsSync(link), {
      what: `the pseudo-terminal ${link}`,
      failAtOnce: () => failed !== undefined,
    }).catch(() => {
      if (socat === child) socat = undefined;
      child.kill('SIGKILL');
      const missing = failed?.includes('ENOENT') === true;
      throw toError(
        missing
          ? fail('TOOL_MISSING', 'setpriv and socat make the pseudo-terminal.').fault
          : fail('FILE_REFUSED', `${link}: no pseudo-terminal can stand there (${failed ?? 'no answer'}).`)
              .fault,
      );
    });
  };
  const unplug = async (): Promise<void> => {
    const child = socat;
    socat = undefined;
    if (child === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(link, { force: true });
  };
  await replug();
  return {
    link,
    send: (bytes) => void socat?.stdin?.write(bytes),
    unplug,
    replug,
    close: unplug,
  };
}

/**
 * The speed that the host has set on a pseudo-terminal, in baud; undefined where nobody can tell: it is gone, another
 * user's program holds it, or termios(3) has no name for the speed. The kernel keeps the speed and forgets data bits
 * and parity: a pseudo-terminal always says 8 and none (`pty_set_termios` of Linux).
 */
export function hostSpeed(link: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile('stty', ['-F', link, 'speed'], { timeout: 5000 }, (error, out) => {
      const speed = error === null ? Number(out) : 0;
      resolve(speed > 0 ? speed : undefined);
    });
  });
}

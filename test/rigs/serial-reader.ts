import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
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

export async function startSerialReader(options: { readonly link: string }): Promise<SerialReader> {
  const { link } = options;
  let socat: ChildProcess | undefined;
  const replug = async (): Promise<void> => {
    if (socat !== undefined) return;
    rmSync(link, { force: true });
    const child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', '--', 'socat', 'STDIO', `pty,raw,echo=0,link=${link}`],
      {
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    );
    // A reader that is pulled out while it sends is no error of the rig.
    child.stdin?.on('error', () => {});
    socat = child;
    await eventually(() => existsSync(link), { what: `the pseudo-terminal ${link}` });
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

import { statSync } from 'node:fs';
import { SerialPort } from 'serialport';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';

/** An open serial device. This file alone knows node-serialport. */
export interface SerialLink {
  /** Whether the device that was opened is still the one under its stable name. */
  present(): boolean;
  /** Resolves also where the device is gone and never answers. */
  close(): Promise<void>;
}

export interface LinkListener {
  data(chunk: Uint8Array): void;
  /** The device is gone or has failed; said once, and not for our own `close`. */
  lost(why: string): void;
}

/** Opens it with 8 data bits, no parity, 1 stop bit. Faults: READER_ABSENT, READER_REFUSED. */
export async function openSerialLink(
  settings: { readonly path: string; readonly baudRate: number },
  listener: LinkListener,
  clock: Clock,
): Promise<Result<SerialLink>> {
  const { path, baudRate } = settings;
  const device = deviceOf(path);
  if (device === undefined) return fail('READER_ABSENT', `${path} is not there.`);
  const port = new SerialPort({ path, baudRate, autoOpen: false, hupcl: false });
  const failed = await new Promise<Error | null>((resolve) => {
    port.open((error) => resolve(error ?? null));
  });
  if (failed !== null) {
    // Between the look and the opening it may have been unplugged.
    const absent = deviceOf(path) === undefined;
    return fail(absent ? 'READER_ABSENT' : 'READER_REFUSED', `${path}: ${reasonOf(failed)}.`, failed);
  }
  let over = false;
  const lost = (why: string): void => {
    if (over) return;
    over = true;
    listener.lost(why);
  };
  port.on('data', (chunk: Buffer) => {
    if (!over) listener.data(chunk);
  });
  port.on('error', (error) => lost(reasonOf(error)));
  port.on('close', (error?: Error | null) =>
    lost(error === null || error === undefined ? 'closed' : reasonOf(error)),
  );
  return ok({
    present: () => !over && deviceOf(path) === device,
    close() {
      over = true;
      return new Promise((resolve) => {
        // A driver of an unplugged device may never answer (node-serialport#115): then there is nothing to wait for.
        const cancel = clock.after(ms(500), resolve);
        const done = (): void => {
          cancel();
          resolve();
        };
        if (port.isOpen) port.close(done);
        else done();
      });
    },
  });
}

/** What the name leads to: a device node's number and place, so that another device under the same name is noticed. */
function deviceOf(path: string): string | undefined {
  try {
    const { dev, ino, rdev, ctimeMs } = statSync(path);
    return `${dev} ${ino} ${rdev} ${rdev === 0 ? ctimeMs : ''}`;
  } catch {
    return undefined;
  }
}

function reasonOf(error: Error): string {
  return systemCode(error) ?? error.message.replace(/^Error: /, '').replace(/, cannot open .*$/, '');
}

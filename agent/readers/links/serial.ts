import { SerialPort } from 'serialport';
import type { SerialLinkProfile } from '#contracts/readers.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Millis, ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { deviceOf } from './device-node.ts';
import type { Link, LinkListener } from './link.ts';

/** What the lines beside the data say: whether something is plugged in and powered. */
export interface ModemLines {
  readonly cts: boolean;
  readonly dsr: boolean;
  readonly dcd: boolean;
}

export interface SerialLink extends Link {
  /** Undefined where the device has no such lines. */
  lines(): Promise<ModemLines | undefined>;
}

/** Opens a serial device. This file alone knows node-serialport. Faults: READER_ABSENT, READER_REFUSED. */
export async function openSerialLink(
  path: string,
  profile: SerialLinkProfile,
  listener: LinkListener,
  clock: Clock,
): Promise<Result<SerialLink>> {
  const { baudRate, dataBits, parity, stopBits, dtr } = profile;
  const device = deviceOf(path);
  if (device === undefined) return fail('READER_ABSENT', `${path} is not there.`);
  const port = new SerialPort({
    path,
    baudRate,
    dataBits,
    parity,
    stopBits,
    autoOpen: false,
    hupcl: false,
  });
  const failed = await within<Error | null>(openMillis, clock, (done) =>
    port.open((error) => done(error ?? null)),
  );
  if (failed === 'late') {
    // A driver that hangs: should it answer after all, nobody waits for it any more.
    port.once('open', () => port.close(() => {}));
    port.on('error', () => {});
    return fail('READER_REFUSED', `${path}: its driver does not answer.`);
  }
  if (failed !== null) {
    // Between the look and the opening it may have been unplugged.
    const absent = deviceOf(path) === undefined;
    return fail(absent ? 'READER_ABSENT' : 'READER_REFUSED', `${path}: ${reasonOf(failed)}.`, failed);
  }
  // A pseudo-terminal and some adapters have no such lines: that is no reason to refuse them.
  await within<null>(openMillis, clock, (done) => port.set({ dtr, rts: true }, () => done(null)));
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
    write(bytes) {
      if (over || bytes.length === 0) return;
      port.write(Buffer.from(bytes), (error) => {
        if (error !== null && error !== undefined) lost(reasonOf(error));
      });
    },
    lines: () =>
      new Promise((resolve) => {
        port.get((error, status) => {
          if (error !== null && error !== undefined) return resolve(undefined);
          resolve(status === undefined ? undefined : { cts: status.cts, dsr: status.dsr, dcd: status.dcd });
        });
      }),
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

/** How long a driver may take to open a device and to set its lines. */
const openMillis = ms(5000);

function within<T>(
  limit: Millis,
  clock: Clock,
  act: (done: (value: T) => void) => void,
): Promise<T | 'late'> {
  return new Promise((resolve) => {
    const cancel = clock.after(limit, () => resolve('late'));
    act((value) => {
      cancel();
      resolve(value);
    });
  });
}

/** node-serialport has words for a port that another program has locked, and no code. */
function reasonOf(error: Error): string {
  if (/cannot lock port|resource busy/i.test(error.message)) return 'another program holds it';
  return systemCode(error) ?? error.message.replace(/^Error: /, '').replace(/, cannot open .*$/, '');
}

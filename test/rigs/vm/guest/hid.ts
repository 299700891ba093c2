import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../eventually.ts';
import { released } from './released.ts';
import { say } from './say.ts';
import { readerDescriptor, UhidDevice } from './uhid.ts';
import { becomes, reads, watch } from './watched.ts';

/** An Access-IS reader on hidraw: read, written to, pulled out in the middle of a frame, put back, read again. */
export async function checkHid(first: string, second: string): Promise<void> {
  const plug = (): UhidDevice =>
    new UhidDevice({ name: 'OCR reader', vendor: 0x0db5, product: 0x0138, descriptor: readerDescriptor });
  let device = plug();
  const name = await eventually(() => readdirSync('/sys/class/hidraw').find(isReader), {
    what: 'its hidraw device',
  });
  const [watched] = watch([
    { id: 'hid', device: `/dev/${name}`, profile: 'access-is-ocr31x-usb', kind: 'hid', idleMillis: 20_000 },
  ]);
  await becomes(watched, 'ready');
  send(device, framed(first));
  await reads(watched, 1);
  watched.reader.signal('read');
  const written = await eventually(() => device.written(), { what: 'a report to the reader' });
  send(device, framed(first).slice(0, 60));
  // Time for the reader to have the half, as it has where a hand pulls a cable.
  await pause(200);
  device.close();
  await becomes(watched, 'absent');
  // A played device has no identity but its node.
  await released(`/dev/${name}`);
  device = plug();
  await becomes(watched, 'ready');
  send(device, framed(second));
  await reads(watched, 2);
  await watched.reader.close();
  device.close();
  const { frames, faults } = watched;
  say({ check: 'hid', frames, faults, written: Buffer.from(written).toString('hex') });
}

/** By the place of the device, which has its USB ids; a keyboard is on hidraw too. */
const isReader = (name: string): boolean =>
  readlinkSync(`/sys/class/hidraw/${name}`).includes('/0003:0DB5:0138.');

const framed = (text: string): string => `\x1c\x02${text}\x03\x1d`;

/** Reports of 20 bytes, every other one with the flow flag, and one of zeros at the end. */
function send(device: UhidDevice, text: string): void {
  for (let at = 0; at < text.length; at += 20) {
    const piece = Buffer.from(text.slice(at, at + 20), 'latin1');
    const report = new Uint8Array(64);
    report[0] = piece.length | (at % 40 === 0 ? 0 : 0x80);
    report.set(piece, 1);
    device.report(report);
  }
  device.report(new Uint8Array(64));
}

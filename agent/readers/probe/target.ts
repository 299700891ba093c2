import { closeSync, constants, openSync, realpathSync, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { fail, ok, type Result } from '#contracts/result.ts';
import { assign } from '../devices/assign.ts';
import type { Device } from '../devices/device.ts';
import { identityOf, parseDeviceWord } from '../devices/identity.ts';

/** The device that an engineer names, and what goes into the settings for it. */
export interface Target {
  readonly device: Device;
  readonly identity: string;
}

/**
 * Finds a serial device by its path or its identity word among those that are plugged in. Faults: USAGE where the word
 * is none or the device is not serial, READER_ABSENT, READER_AMBIGUOUS.
 */
export function probeTarget(text: string, devices: readonly Device[]): Result<Target> {
  const word = parseDeviceWord(text);
  if (word === undefined) {
    return fail('USAGE', `${text} is no device: give a path or a word as \`checkpost readers\` prints it.`);
  }
  if (word.kind === 'path') return byPath(word.path, devices);
  const wanted = (kind: Device['kind']) => ({
    id: 'probe',
    device: text,
    kind,
    replacement: 'refuse' as const,
  });
  const found = assign([wanted('serial')], devices).get('probe');
  if (found?.kind === 'found')
    return ok({ device: found.device, identity: identityOf(found.device, devices) });
  if (found?.kind === 'ambiguous') {
    const words = found.devices.map((device) => identityOf(device, devices));
    return fail('READER_AMBIGUOUS', `${text} fits ${words.join(' and ')}.`);
  }
  for (const kind of ['hid', 'keyboard'] as const) {
    if (assign([wanted(kind)], devices).get('probe')?.kind !== 'absent') return notSerial(text, kind);
  }
  return fail('READER_ABSENT', `${text} is not plugged in.`);
}

/** A name under /dev/serial or of our own udev rules leads to the kernel's. */
function byPath(path: string, devices: readonly Device[]): Result<Target> {
  let node = path;
  try {
    node = realpathSync(path);
  } catch {
    return fail('READER_ABSENT', `${path} is not there.`);
  }
  const device = devices.find((one) => one.node === node || one.node === path);
  if (device === undefined) {
    return isSerial(node)
      ? ok({ device: { kind: 'serial', node: path }, identity: path })
      : fail('USAGE', `${path} is no serial device.`);
  }
  return device.kind === 'serial'
    ? ok({ device, identity: identityOf(device, devices) })
    : notSerial(path, device.kind);
}

/** False where it surely is none; what may not be opened is told when it is opened for good. */
function isSerial(node: string): boolean {
  if (!statSync(node).isCharacterDevice()) return false;
  try {
    const file = openSync(node, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
    const terminal = isatty(file);
    closeSync(file);
    return terminal;
  } catch {
    return true;
  }
}

function notSerial(text: string, kind: 'hid' | 'keyboard'): Result<Target> {
  return fail(
    'USAGE',
    `${text} is a ${kind} device: it has no line settings to be found; \`checkpost readers\` says which profile fits.`,
  );
}

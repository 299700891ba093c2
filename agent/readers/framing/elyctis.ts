import { type Found, isText } from './scanned.ts';

/**
 * Elyctis IDBOX, in both directions (maker's Scanner Command Set, version 1.7):
 *
 *     command   length high   length low   data
 *
 *     'I'  inquire           data: the lines of the zone, each ended by CR
 *     'L'  inquire 1 line    data: one line that is no travel document's
 *     'C'  continuous read   data: 01 on, 00 off
 *     'V'  version, 'R'  serial number
 *
 * Which command's letter a read in continuous mode bears, the command set does not say: both 'I' and 'C' are taken.
 */
export const elyctis = {
  inquire: 0x49,
  oneLine: 0x4c,
  continuous: 0x43,
  version: 0x56,
  serial: 0x52,
} as const;

const headerLength = 3;
/** Three lines of 30 with CR and LF are 96 bytes, two of 44 are 92. */
const longestZone = 128;
const longestText = 64;

const longestData: Readonly<Record<number, number>> = {
  [elyctis.inquire]: longestZone,
  [elyctis.oneLine]: longestText,
  [elyctis.continuous]: longestZone,
  [elyctis.version]: longestText,
  [elyctis.serial]: longestText,
};

/** A command as it is sent. */
export function elyctisCommand(command: number, data: readonly number[] = []): Uint8Array {
  return Uint8Array.from([command, data.length >> 8, data.length & 0xff, ...data]);
}

export function scanElyctis(bytes: Uint8Array): Found {
  const [command = 0, high, low] = bytes;
  const longest = longestData[command];
  if (longest === undefined || (high !== undefined && high !== 0)) return { kind: 'nothing' };
  if (low === undefined) return { kind: 'begun' };
  if (low > longest) return { kind: 'nothing' };
  const data = bytes.slice(headerLength, headerLength + low);
  const isState = command === elyctis.continuous && low === 1;
  const plausible = isState ? (data[0] ?? 0) <= 1 : isText(data);
  if (!plausible) return { kind: 'nothing' };
  if (data.length < low) return { kind: 'begun' };
  const whole = { kind: 'message', bytes: headerLength + low } as const;
  if (command === elyctis.oneLine && low > 0)
    return { ...whole, framed: { kind: 'other', what: 'one-line' } };
  if ((command === elyctis.inquire || command === elyctis.continuous) && low > 1) {
    return { ...whole, framed: { kind: 'frame', text: data, noisy: false, damaged: false } };
  }
  return { ...whole, framed: { kind: 'reply', command, data } };
}

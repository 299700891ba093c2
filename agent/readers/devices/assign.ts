import type { ReaderId } from '#contracts/names.ts';
import type { Device } from './device.ts';
import { parseDeviceWord, serialOf, type UsbWord } from './identity.ts';

/** A reader of the settings, as far as it matters for finding its device. */
export interface Wanted {
  readonly id: ReaderId;
  /** Its identity word. */
  readonly device: string;
  /** What its profile opens: a keyboard is also a hidraw device under the same identity. */
  readonly kind: Device['kind'];
  /** Whether another device of the same model may take its place. */
  readonly replacement: 'accept' | 'refuse';
}

export type Assignment =
  | {
      readonly kind: 'found';
      readonly device: Device;
      /** As the settings say; the same one in another port; or another one of the same model. */
      readonly how: 'exact' | 'moved' | 'replaced';
    }
  /** The settings name a path: found if it exists, which its owner must see. */
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'absent' }
  /** These fit, and none better than the others; or one fits several readers. */
  | { readonly kind: 'ambiguous'; readonly devices: readonly Device[] };

/** One way in which a device can be the one that is wanted. */
interface Tier {
  readonly how: 'exact' | 'moved' | 'replaced';
  /** Kind, vendor, product and, where one is named, interface fit already. */
  fits(word: UsbWord, device: Device, wanted: Wanted): boolean;
}

/** The surest first: who is found in one tier is out of reach for the next. */
const tiers: readonly Tier[] = [
  {
    how: 'exact',
    fits: (word, device) =>
      word.interface !== undefined && serialFits(word, device) && portFits(word, device),
  },
  {
    how: 'exact',
    fits: (word, device) => word.port !== undefined && serialFits(word, device) && portFits(word, device),
  },
  {
    how: 'exact',
    fits: (word, device) => word.port === undefined && word.serial !== undefined && serialFits(word, device),
  },
  { how: 'exact', fits: (word) => word.port === undefined && word.serial === undefined },
  // Its serial number, but not in the port that the word names.
  { how: 'moved', fits: (word, device) => word.serial !== undefined && serialFits(word, device) },
  { how: 'moved', fits: (word, device) => word.serial === undefined && serialOf(device) === undefined },
  {
    how: 'replaced',
    fits: (word, device, { replacement }) =>
      replacement === 'accept' && word.serial !== undefined && serialOf(device) !== undefined,
  },
];

/**
 * Which device is which reader. Two readers never get one device; where a choice would be a guess there is none. What
 * comes out depends neither on the order of devices and readers nor on the kernel's names for the devices.
 */
export function assign(
  wanted: readonly Wanted[],
  devices: readonly Device[],
): ReadonlyMap<ReaderId, Assignment> {
  const result = new Map<ReaderId, Assignment>();
  const open: { reader: Wanted; word: UsbWord }[] = [];
  const taken = new Set<Device>();
  for (const reader of wanted) {
    const word = parseDeviceWord(reader.device);
    if (word?.kind === 'usb') open.push({ reader, word });
    else if (word === undefined) result.set(reader.id, { kind: 'absent' });
    else {
      result.set(reader.id, { kind: 'path', path: word.path });
      for (const device of devices) if (device.node === word.path) taken.add(device);
    }
  }
  for (const tier of tiers) {
    const pools = open
      .filter(({ reader }) => !result.has(reader.id))
      .map(({ reader, word }) => ({
        reader,
        pool: devices.filter(
          (device) =>
            !taken.has(device) && modelFits(word, reader, device) && tier.fits(word, device, reader),
        ),
      }));
    for (const { reader, pool } of pools) {
      const [device] = pool;
      if (device === undefined) continue;
      const rivals = pools.filter((other) => other.pool.includes(device)).length > 1;
      result.set(
        reader.id,
        pool.length === 1 && !rivals
          ? { kind: 'found', device, how: tier.how }
          : { kind: 'ambiguous', devices: pool },
      );
    }
    // Also what two readers cannot agree on is out of reach for a reader that it fits less.
    for (const { pool } of pools) for (const device of pool) taken.add(device);
  }
  for (const { reader } of open) if (!result.has(reader.id)) result.set(reader.id, { kind: 'absent' });
  return result;
}

function modelFits(word: UsbWord, reader: Wanted, { kind, usb }: Device): boolean {
  return (
    kind === reader.kind &&
    usb !== undefined &&
    usb.vendor === word.vendor &&
    usb.product === word.product &&
    (word.interface === undefined || usb.interface === word.interface)
  );
}

const serialFits = (word: UsbWord, device: Device): boolean =>
  word.serial === undefined || word.serial === device.usb?.serial;

const portFits = (word: UsbWord, device: Device): boolean => word.port === device.usb?.port;

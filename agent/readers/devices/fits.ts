import type { ReaderProfile } from '#contracts/readers.ts';
import type { Device } from './device.ts';

/** Profiles that a device may be given, the most particular first. */
export interface Fits {
  /** Its vendor and product are named by them. */
  readonly byIds: readonly ReaderProfile[];
  /** They fit any device of its kind; only where none is named. */
  readonly byKind: readonly ReaderProfile[];
}

export function fitsOf(device: Device, profiles: readonly ReaderProfile[]): Fits {
  const ofKind = profiles.filter(({ link }) => link.kind === device.kind);
  const byIds = ofKind
    .filter((profile) => idsFit(profile, device))
    .sort((a, b) => Number(namesProduct(b, device)) - Number(namesProduct(a, device)));
  const byKind = byIds.length > 0 ? [] : ofKind.filter(({ usb }) => usb.length === 0);
  return { byIds, byKind };
}

/**
 * Whether it is worth showing: a keyboard is also a hidraw device, which is no reader unless a HID profile names its
 * vendor.
 */
export function isOffered(
  device: Device,
  all: readonly Device[],
  profiles: readonly ReaderProfile[],
): boolean {
  if (device.kind !== 'hid' || fitsOf(device, profiles).byIds.length > 0) return true;
  const { usb } = device;
  return !all.some(
    (other) =>
      other.kind === 'keyboard' &&
      usb !== undefined &&
      other.usb?.port === usb.port &&
      other.usb.interface === usb.interface,
  );
}

function idsFit({ usb }: ReaderProfile, device: Device): boolean {
  return usb.some(
    ({ vendor, product }) =>
      vendor === device.usb?.vendor && (product === undefined || product === device.usb.product),
  );
}

function namesProduct({ usb }: ReaderProfile, device: Device): boolean {
  return usb.some(({ vendor, product }) => vendor === device.usb?.vendor && product === device.usb.product);
}

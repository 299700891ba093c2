import { expect, test } from 'vitest';
import { builtInProfiles } from '../profiles.ts';
import type { Device } from './device.ts';
import { fitsOf, isOffered } from './fits.ts';

const device = (kind: Device['kind'], vendor: string, face = '1.0'): Device => ({
  kind,
  node: '/dev/x',
  usb: { vendor, product: '0138', port: '1-1', interface: face },
});
const names = (all: readonly { name: string }[]) => all.map(({ name }) => name);

test('The profiles that name its vendor fit a device, and only those that open its kind', () => {
  expect(names(fitsOf(device('hid', '0db5'), builtInProfiles).byIds)).toEqual(['access-is-ocr31x-usb']);
  expect(names(fitsOf(device('serial', '0db5'), builtInProfiles).byIds)).toEqual(['access-is-ocr31x-serial']);
});

test('An adapter that says nothing about what is behind it may be any reader on a serial line', () => {
  const { byIds, byKind } = fitsOf(device('serial', '0403'), builtInProfiles);
  expect(byIds).toEqual([]);
  expect(names(byKind)).toContain('swipe');
  expect(names(byKind)).not.toContain('elyctis-idbox');
});

test('A profile that names the product stands before one that names the vendor alone', () => {
  const [swipe] = builtInProfiles;
  if (swipe === undefined) throw new Error('there are no profiles');
  const vendor = { ...swipe, name: 'any', usb: [{ vendor: '1234' }] };
  const product = { ...swipe, name: 'this', usb: [{ vendor: '1234', product: '0138' }] };
  expect(names(fitsOf(device('serial', '1234'), [vendor, product]).byIds)).toEqual(['this', 'any']);
  const other = { ...swipe, name: 'other', usb: [{ vendor: '1234', product: '9999' }] };
  expect(fitsOf(device('serial', '1234'), [other]).byIds).toEqual([]);
});

test('The hidraw device of a keyboard is not offered, unless a HID profile names its vendor', () => {
  const keyboard = device('keyboard', '0c2e');
  const raw = device('hid', '0c2e');
  expect(isOffered(raw, [raw, keyboard], builtInProfiles)).toBe(false);
  expect(isOffered(keyboard, [raw, keyboard], builtInProfiles)).toBe(true);
  const other = device('hid', '0c2e', '1.1');
  expect(isOffered(other, [other, raw, keyboard], builtInProfiles)).toBe(true);
  const known = device('hid', '0db5');
  expect(isOffered(known, [known, device('keyboard', '0db5')], builtInProfiles)).toBe(true);
});

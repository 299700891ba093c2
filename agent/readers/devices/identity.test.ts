import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { devicePattern } from '#contracts/readers.ts';
import type { Device } from './device.ts';
import { identityOf, parseDeviceWord, printDeviceWord } from './identity.ts';

const serial = (port: string, given: Partial<NonNullable<Device['usb']>> = {}): Device => ({
  kind: 'serial',
  node: `/dev/of-${port}`,
  usb: { vendor: '0403', product: '6001', port, interface: '1.0', ...given },
});

describe('An identity word', () => {
  test.each([
    ['/dev/ttyS0', { kind: 'path', path: '/dev/ttyS0' }],
    ['usb:0db5:0138', { kind: 'usb', vendor: '0db5', product: '0138' }],
    ['usb:0403:6001:A50285BI', { kind: 'usb', vendor: '0403', product: '6001', serial: 'A50285BI' }],
    ['usb:067b:2303@1-1.2', { kind: 'usb', vendor: '067b', product: '2303', port: '1-1.2' }],
    [
      'usb:0403:6011:FT:12@1-1.2:1.1',
      { kind: 'usb', vendor: '0403', product: '6011', serial: 'FT:12', port: '1-1.2', interface: '1.1' },
    ],
  ])('%s is understood and printed as it was', (text, word) => {
    const parsed = parseDeviceWord(text);
    expect(parsed).toEqual(word);
    expect(parsed && printDeviceWord(parsed)).toBe(text);
  });

  test.each([
    'ttyUSB0',
    'usb:0403',
    'usb:0403:600',
    'USB:0403:6001',
    'usb:0403:6001:',
    'usb:0403:6001@',
    'usb:0403:6001@1',
    'usb:0403:6001:two words',
    'usb:0403:6001@1-1@1-2',
    '/dev/two words',
    '',
  ])('%s is none', (text) => expect(parseDeviceWord(text)).toBeUndefined());
});

describe('The shortest word that is unique and stable', () => {
  test('is the serial number without the port, where there is one', () => {
    expect(identityOf(serial('1-1', { serial: 'A1' }), [serial('1-1', { serial: 'A1' })])).toBe(
      'usb:0403:6001:A1',
    );
  });

  test('is the port, where there is none', () => {
    expect(identityOf(serial('1-1.2'), [serial('1-1.2')])).toBe('usb:0403:6001@1-1.2');
  });

  test('names the port too where two identical adapters share a serial number (node-serialport#329)', () => {
    const twins = [serial('1-1', { serial: '0001' }), serial('1-2', { serial: '0001' })];
    expect(twins.map((one) => identityOf(one, twins))).toEqual([
      'usb:0403:6001:0001@1-1',
      'usb:0403:6001:0001@1-2',
    ]);
  });

  test('names the interface where one adapter has several lines, and only there', () => {
    const lines = ['1.0', '1.1'].map((face) => serial('1-3', { serial: 'FT1', interface: face }));
    expect(lines.map((one) => identityOf(one, lines))).toEqual([
      'usb:0403:6001:FT1@1-3:1.0',
      'usb:0403:6001:FT1@1-3:1.1',
    ]);
    const raw: Device = { ...serial('1-3', { interface: '1.1' }), kind: 'hid' };
    expect(identityOf(serial('1-3'), [serial('1-3'), raw])).toBe('usb:0403:6001@1-3');
  });

  test.each(['two words', 'a@b', 'tab\tbed', 'nul\0', 'Zählwerk', '', 'x'.repeat(65)])(
    'falls back to the port where the serial number %j cannot stand in a word',
    (text) => {
      const device = serial('1-1', { serial: text });
      expect(identityOf(device, [device])).toBe('usb:0403:6001@1-1');
    },
  );

  test('is the path of a port of the machine itself', () => {
    expect(identityOf({ kind: 'serial', node: '/dev/ttyS0' }, [])).toBe('/dev/ttyS0');
  });

  test('is always of the form that the settings allow, whatever a device calls itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const device = serial('1-1.4', { serial: text });
        const word = identityOf(device, [device]);
        expect(word).toMatch(new RegExp(devicePattern));
        expect(parseDeviceWord(word)).toBeDefined();
      }),
    );
  });
});

import { Check } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { type FramingProfile, ReaderProfile } from '#contracts/readers.ts';
import type { Device } from '../devices/device.ts';
import { builtInProfiles } from '../profiles.ts';
import { type Line, line } from './line.ts';
import type { Conclusion } from './conclusion.ts';
import { propose } from './propose.ts';

const adapter: Device = {
  kind: 'serial',
  node: '/dev/ttyUSB0',
  usb: { vendor: '0403', product: '6001', serial: 'A1', port: '1-1', interface: '1.0' },
};
const identity = 'usb:0403:6001:A1';
const lines = { kind: 'lines', lastLineEnd: true, blockCheck: 'none' } as const;
const found = (at: Line, framing: FramingProfile): Conclusion => ({
  kind: 'found',
  line: at,
  wrapping: { framing, lineEnd: 'CR', lines: [44, 44], whole: true, repeats: false, unknownCheck: false },
  swipes: 2,
});
const proposed = (conclusion: Conclusion, device = adapter, profiles = builtInProfiles) =>
  propose(conclusion, device, identity, profiles);

describe('What is proposed', () => {
  test('is a profile that ships, where one fits', () => {
    expect(proposed(found(line(9600), lines))).toMatchObject({
      isNew: false,
      reader: { id: 'counter-1', device: identity, profile: 'swipe' },
    });
    expect(proposed(found(line(9600), { ...lines, blockCheck: 'text-etx' }))?.reader.profile).toBe(
      'swipe-stx-bcc',
    );
    expect(proposed(found(line(9600), { kind: 'ocr31x' }))?.reader.profile).toBe('access-is-ocr31x-serial');
  });

  test('is one that ships with another speed, where nothing else differs', () => {
    expect(proposed(found(line(19_200), lines))).toMatchObject({
      isNew: false,
      reader: { profile: 'swipe', baudRate: 19_200 },
    });
  });

  test.each<[Line, FramingProfile, string]>([
    [line(9600, 7, 'even'), lines, 'swipe-9600-7e1'],
    [line(38_400), { ...lines, blockCheck: 'text' }, 'swipe-38400-8n1-bcc'],
    [line(4800, 8, 'odd'), { kind: 'rte6701', blockCheck: 'text' }, 'rte6701-4800-8o1-bcc'],
    [line(9600, 8, 'none', 2), { kind: 'elyctis' }, 'elyctis-9600-8n2'],
  ])('is a new one, of the form of the settings, where none fits: %j %j', (at, framing, name) => {
    const proposal = proposed(found(at, framing));
    expect(proposal).toMatchObject({
      isNew: true,
      reader: { profile: name },
      profile: { name, framing, link: at },
    });
    expect(Check(ReaderProfile, proposal?.profile)).toBe(true);
  });

  test('is a profile of the site before one that ships, and never under a name that is taken', () => {
    const own = {
      ...(builtInProfiles[0] as ReaderProfile),
      name: 'swipe-9600-7e1',
      link: { kind: 'serial', dtr: true, ...line(1200) },
    } as const;
    expect(proposed(found(line(1200), lines), adapter, [own, ...builtInProfiles])?.reader.profile).toBe(
      own.name,
    );
    const taken = proposed(found(line(9600, 7, 'even'), lines), adapter, [own, ...builtInProfiles]);
    expect(taken?.profile.name).toBe('swipe-9600-7e1-2');
  });

  test('is one that sends commands only where the device is of its vendor', () => {
    const unended = found(line(9600), { ...lines, lastLineEnd: false });
    expect(proposed(unended)?.isNew).toBe(true);
    const imager: Device = {
      ...adapter,
      usb: { vendor: '0c2e', product: '0b61', port: '1-1', interface: '1.0' },
    };
    expect(proposed(unended, imager)?.reader.profile).toBe('honeywell-imager');
  });

  test('is the Elyctis profile where the reader answered as one', () => {
    expect(proposed({ kind: 'answers', line: line(115_200), about: '' })?.reader).toMatchObject({
      profile: 'elyctis-idbox',
      baudRate: 115_200,
    });
  });

  test('is nothing where nothing was found', () => {
    const seen = (['zone', 'part', 'text'] as const).map((kind): Conclusion => ({
      kind: 'unsure',
      line: line(9600),
      seen: kind,
      swipes: 1,
    }));
    for (const conclusion of [
      ...seen,
      { kind: 'looped' } as const,
      { kind: 'unknown', swipes: 3, tried: [] } as const,
      { kind: 'nothing', modem: undefined, spikes: 0, asked: [] } as const,
    ]) {
      expect(proposed(conclusion)).toBeUndefined();
    }
  });
});

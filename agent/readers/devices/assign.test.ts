import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Assignment, assign, type Wanted } from './assign.ts';
import type { Device, UsbIdentity } from './device.ts';
import { identityOf } from './identity.ts';

const plugged = (port: string, serial?: string, node = `/dev/of-${port}`): Device => ({
  kind: 'serial',
  node,
  usb: {
    vendor: '0403',
    product: '6001',
    port,
    interface: '1.0',
    ...(serial === undefined ? {} : { serial }),
  },
});

const want = (device: string, given: Partial<Wanted> = {}): Wanted => ({
  id: 'counter-1',
  device,
  kind: 'serial',
  replacement: 'refuse',
  ...given,
});

/** How the one reader of the settings is found among these devices. */
const only = (reader: Wanted, ...devices: Device[]) => assign([reader], devices).get(reader.id);
const found = (device: Device, how = 'exact') => ({ kind: 'found', device, how });
const absent = { kind: 'absent' };

describe('A reader with a serial number', () => {
  const reader = want('usb:0403:6001:A1');

  test('unplugged, is absent', () => expect(only(reader)).toEqual(absent));

  test('is found under whatever name the kernel gives it', () => {
    for (const node of ['/dev/ttyUSB0', '/dev/ttyUSB1']) {
      const device = plugged('1-1', 'A1', node);
      expect(only(reader, plugged('1-2', 'B2'), device)).toEqual(found(device));
    }
  });

  test('replugged into another port, is the same reader', () => {
    const device = plugged('2-3.1', 'A1');
    expect(only(reader, device)).toEqual(found(device));
  });

  test('replaced by the same model, is absent unless the settings accept a replacement', () => {
    const other = plugged('1-1', 'B2');
    expect(only(reader, other)).toEqual(absent);
    expect(only({ ...reader, replacement: 'accept' }, other)).toEqual(found(other, 'replaced'));
  });

  test('is not replaced while it is there itself, nor by a guess between two, nor by another model or one without a number', () => {
    const accepting = { ...reader, replacement: 'accept' } as const;
    const itself = plugged('1-1', 'A1');
    const [b, c] = [plugged('1-2', 'B2'), plugged('1-3', 'C3')];
    expect(only(accepting, b, itself)).toEqual(found(itself));
    expect(only(accepting, b, c)).toEqual({ kind: 'ambiguous', devices: [b, c] });
    expect(only(want('usb:0403:6015:A1', { replacement: 'accept' }), b)).toEqual(absent);
    expect(only(accepting, plugged('1-2'))).toEqual(absent);
  });
});

describe('A reader without a serial number', () => {
  const reader = want('usb:0403:6001@1-1');

  test('is the one in its port, whatever else is plugged in', () => {
    const device = plugged('1-1');
    expect(only(reader, plugged('1-2'), device, plugged('1-3'))).toEqual(found(device));
  });

  test('replugged into another port, is found there, if it alone can be meant', () => {
    const [b, c] = [plugged('1-2'), plugged('1-3')];
    expect(only(reader, b)).toEqual(found(b, 'moved'));
    expect(only(reader, b, c)).toEqual({ kind: 'ambiguous', devices: [b, c] });
  });

  test('is never looked for under a device that has a serial number, or that another reader names', () => {
    expect(only(reader, plugged('1-2', 'A1'))).toEqual(absent);
    const second = want('usb:0403:6001@1-2', { id: 'counter-2' });
    const device = plugged('1-2');
    const both = assign([reader, second], [device]);
    expect(both.get('counter-1')).toEqual(absent);
    expect(both.get('counter-2')).toEqual(found(device));
  });

  test('is ambiguous where two that are away could both be the one that came back', () => {
    const second = want('usb:0403:6001@1-2', { id: 'counter-2' });
    const device = plugged('1-7');
    expect([...assign([reader, second], [device]).values()]).toEqual([
      { kind: 'ambiguous', devices: [device] },
      { kind: 'ambiguous', devices: [device] },
    ]);
  });
});

describe('Two identical adapters that share a serial number (node-serialport#329)', () => {
  const [left, right] = [plugged('1-1', '0001'), plugged('1-2', '0001')];
  const first = want('usb:0403:6001:0001@1-1');
  const second = want('usb:0403:6001:0001@1-2', { id: 'counter-2' });

  test('are told apart by their ports', () => {
    const both = assign([first, second], [right, left]);
    expect(both.get('counter-1')).toEqual(found(left));
    expect(both.get('counter-2')).toEqual(found(right));
  });

  test('are never taken for each other when one is unplugged', () => {
    const both = assign([first, second], [right]);
    expect(both.get('counter-1')).toEqual(absent);
    expect(both.get('counter-2')).toEqual(found(right));
  });

  test('are ambiguous to a word without the port', () => {
    expect(only(want('usb:0403:6001:0001'), left, right)).toEqual({
      kind: 'ambiguous',
      devices: [left, right],
    });
  });

  test('moved together into other ports, are ambiguous; one of them moved is found', () => {
    const [x, y] = [plugged('1-5', '0001'), plugged('1-6', '0001')];
    expect([...assign([first, second], [x, y]).values()].map(({ kind }) => kind)).toEqual([
      'ambiguous',
      'ambiguous',
    ]);
    const one = assign([first, second], [x, right]);
    expect(one.get('counter-1')).toEqual(found(x, 'moved'));
    expect(one.get('counter-2')).toEqual(found(right));
  });
});

describe('Other words', () => {
  test('the model alone is enough where only one of it is plugged in, and ambiguous where two are', () => {
    const [a, b] = [plugged('1-1'), plugged('1-2', 'B2')];
    expect(only(want('usb:0403:6001'), a)).toEqual(found(a));
    expect(only(want('usb:0403:6001'), a, b)).toEqual({ kind: 'ambiguous', devices: [a, b] });
    const named = want('usb:0403:6001:B2', { id: 'counter-2' });
    expect(assign([want('usb:0403:6001'), named], [a, b]).get('counter-1')).toEqual(found(a));
  });

  test('a path is its owner’s to look for, and its device is nobody else’s', () => {
    const port = plugged('1-2', undefined, '/dev/ttyUSB0');
    const both = assign([want('/dev/ttyUSB0'), want('usb:0403:6001@1-1', { id: 'counter-2' })], [port]);
    expect(both.get('counter-1')).toEqual({ kind: 'path', path: '/dev/ttyUSB0' });
    expect(both.get('counter-2')).toEqual(absent);
  });

  test('a line of an adapter with several is the one of its interface, in another port too', () => {
    const line = (port: string, face: string, serial?: string): Device => {
      const device = plugged(port, serial);
      return { ...device, usb: { ...(device.usb as UsbIdentity), interface: face } };
    };
    const [zero, one] = [line('1-3', '1.0', 'FT1'), line('1-3', '1.1', 'FT1')];
    expect(only(want('usb:0403:6001:FT1@1-3:1.1'), zero, one)).toEqual(found(one));
    expect(only(want('usb:0403:6001:FT1@1-9:1.1'), zero, one)).toEqual(found(one, 'moved'));
    expect(only(want('usb:0403:6001@1-3:1.0'), line('1-4', '1.0'), line('1-4', '1.1'))).toMatchObject({
      how: 'moved',
      device: { usb: { port: '1-4', interface: '1.0' } },
    });
  });

  test('a keyboard and its hidraw are told apart by what the profile opens', () => {
    const keyboard: Device = { ...plugged('1-1', 'K1'), kind: 'keyboard', node: '/dev/input/event3' };
    const raw: Device = { ...plugged('1-1', 'K1'), kind: 'hid', node: '/dev/hidraw0' };
    expect(only(want('usb:0403:6001:K1', { kind: 'keyboard' }), raw, keyboard)).toEqual(found(keyboard));
    expect(only(want('usb:0403:6001:K1', { kind: 'hid' }), raw, keyboard)).toEqual(found(raw));
  });

  test('two readers of the settings under one word get nothing', () => {
    const device = plugged('1-1', 'A1');
    const twice = [want('usb:0403:6001:A1'), want('usb:0403:6001:A1', { id: 'counter-2' })];
    expect([...assign(twice, [device]).values()].map(({ kind }) => kind)).toEqual(['ambiguous', 'ambiguous']);
  });
});

describe('Whatever is plugged in, in whatever order', () => {
  const anyDevice = fc.record(
    {
      kind: fc.constantFrom<Device['kind']>('serial', 'serial', 'keyboard'),
      vendor: fc.constant('0403'),
      product: fc.constantFrom('6001', '6015'),
      port: fc.constantFrom('1-1', '1-2', '1-2.1', '2-4'),
      interface: fc.constantFrom('1.0', '1.0', '1.1'),
      serial: fc.option(fc.constantFrom('A1', 'B2', 'two words'), { nil: undefined }),
    },
    { noNullPrototype: true },
  );
  /** One kind at one interface of one port, as in the real world; the kernel's names by the order of plugging in. */
  const anyDevices = fc
    .uniqueArray(anyDevice, {
      maxLength: 6,
      selector: ({ kind, port, interface: face }) => `${kind} ${port} ${face}`,
    })
    .map((all) =>
      all.map(({ kind, serial, ...usb }, at): Device => ({
        kind,
        node: `/dev/node${at}`,
        usb: { ...usb, ...(serial === undefined ? {} : { serial }) },
      })),
    );
  const anyWanted = fc
    .array(
      fc.record({
        kind: fc.constantFrom<Device['kind']>('serial', 'serial', 'keyboard'),
        device: fc.constantFrom(
          'usb:0403:6001',
          'usb:0403:6001:A1',
          'usb:0403:6001:B2',
          'usb:0403:6001:A1@1-1',
          'usb:0403:6001@1-1',
          'usb:0403:6001@1-2:1.1',
          'usb:0403:6015@2-4',
          'usb:0403:6015:A1@2-4:1.0',
        ),
        replacement: fc.constantFrom<Wanted['replacement']>('accept', 'refuse'),
      }),
      { maxLength: 5 },
    )
    .map((all) => all.map((one, at): Wanted => ({ ...one, id: `counter-${at}` })));

  const foundIn = (result: ReadonlyMap<string, Assignment>) =>
    [...result.values()].flatMap((one) => (one.kind === 'found' ? [one.device] : []));

  test('no device is given to two readers, and every reader has an answer', () => {
    fc.assert(
      fc.property(anyWanted, anyDevices, (wanted, devices) => {
        const result = assign(wanted, devices);
        const given = foundIn(result);
        expect(new Set(given).size).toBe(given.length);
        expect([...result.keys()].sort()).toEqual(wanted.map(({ id }) => id).sort());
      }),
      { numRuns: 1000 },
    );
  });

  test('a reader under the word that its device is listed by gets that device, whoever else wants it', () => {
    fc.assert(
      fc.property(anyWanted, anyDevices, fc.nat(), (others, devices, pick) => {
        const device = devices[pick % Math.max(1, devices.length)];
        if (device === undefined) return;
        const word = identityOf(device, devices);
        const rivals = others.filter(
          (other) => other.kind !== device.kind || !sameOrSurer(other.device, word),
        );
        const reader = { id: 'mine', device: word, kind: device.kind, replacement: 'refuse' } as const;
        expect(assign([...rivals, reader], devices).get('mine')).toEqual(found(device));
      }),
      { numRuns: 1000 },
    );
  });

  /** A word that names the same device as exactly: what then comes out is `ambiguous`, or the surer one's. */
  const sameOrSurer = (other: string, word: string): boolean =>
    other.slice(0, 13) === word.slice(0, 13) &&
    (other.includes('@') || (!word.includes('@') && other.length >= word.length));

  test('the order of devices and readers and the names of the nodes change nothing', () => {
    fc.assert(
      fc.property(anyWanted, anyDevices, fc.infiniteStream(fc.nat()), (wanted, devices, chance) => {
        const mixed = <T>(items: readonly T[]): T[] =>
          items
            .map((item) => ({ item, key: chance.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        const renamed = mixed(devices).map((device, at) => ({ ...device, node: `/dev/other${at}` }));
        const plain = (result: ReadonlyMap<string, Assignment>) =>
          [...result]
            .map(([id, one]) => {
              const places =
                one.kind === 'ambiguous' ? one.devices : one.kind === 'found' ? [one.device] : [];
              const usbs = places.map(({ kind, usb }) => `${kind} ${JSON.stringify(usb)}`).sort();
              return `${id} ${one.kind} ${one.kind === 'found' ? one.how : ''} ${usbs.join()}`;
            })
            .sort();
        expect(plain(assign(mixed(wanted), renamed))).toEqual(plain(assign(wanted, devices)));
      }),
      { numRuns: 1000 },
    );
  });
});

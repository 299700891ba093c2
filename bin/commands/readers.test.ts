import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scanDevices } from '#agent/readers/index.ts';
import type { TerminalView } from '#contracts/officer.ts';
import { UsbTree } from '#test/rigs/usb-tree.ts';
import { execute } from '../command.ts';
import { conclusionWords } from '../readers/found.ts';
import { createReadersCommand } from './readers.ts';

let folder: string;
let usb: UsbTree;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-readers-'));
  usb = new UsbTree(folder);
});

afterEach(() => rmSync(folder, { recursive: true }));

async function run(...argv: readonly string[]) {
  let out = '';
  let err = '';
  const code = await execute(createReadersCommand({ scan: () => scanDevices(usb) }), argv, {
    stdin: process.stdin,
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: {},
    signal: new AbortController().signal,
  });
  return { code, out: out.replaceAll(usb.dev, '/dev'), err };
}

const ftdi = {
  vendor: '0403',
  product: '6001',
  kind: 'serial',
  maker: 'FTDI',
  name: 'FT232R USB UART',
} as const;

function settings(readers: readonly object[], { port = 1, profiles = [] as readonly object[] } = {}): string {
  const file = join(folder, 'agent.json');
  writeFileSync(
    file,
    JSON.stringify({
      terminal: 'UTO-0001-1',
      bureau: 'UTO',
      site: 'UTO-0001',
      state: 'state',
      readers,
      profiles,
      tls: { authority: 'a', certificate: 'b', key: 'c' },
      keys: 'keys',
      central: { url: 'https://[::1]:1' },
      fleet: { url: 'mqtts://[::1]:1' },
      edition: { folder: 'edition' },
      officer: { port },
    }),
  );
  return file;
}

describe('checkpost readers', () => {
  test('with nothing plugged in says so in words', async () => {
    const { code, out } = await run();
    expect(out).toContain('Nothing is plugged in');
    expect(code).toBe(0);
    expect(JSON.parse((await run('--json')).out)).toEqual({ devices: [] });
  });

  test('lists each device with its word for the settings, its name now, what it says and what fits', async () => {
    usb.plug({ ...ftdi, serial: 'A50285BI', port: '1-1.2' });
    usb.plug({ vendor: '0db5', product: '0138', kind: 'hid', port: '1-3' });
    usb.plug({ vendor: '0c2e', product: '0b61', kind: 'keyboard', port: '1-4' });
    usb.machinePort('ttyS0');
    const { code, out } = await run();
    expect(code).toBe(0);
    // The folder of the rig is longer than /dev, so that the columns are wider than on a terminal.
    expect(out.replaceAll(/ {2,}/g, ' | ')).toBe(
      `device | now | kind | says | profiles that fit
/dev/ttyS0 | /dev/ttyS0 | serial | - | any serial one
usb:0403:6001:A50285BI | /dev/ttyUSB0 | serial | FTDI, FT232R USB UART | any serial one
usb:0db5:0138@1-3 | /dev/hidraw0 | hid | - | access-is-ocr31x-usb
usb:0c2e:0b61@1-4 | /dev/input/event0 | keyboard | - | any keyboard one
`,
    );
  });

  test('with the settings says which reader each device is, and what the agent says of it', async () => {
    usb.plug({ ...ftdi, serial: 'A1', port: '1-1' });
    usb.plug({ ...ftdi, port: '1-7' });
    const view: TerminalView = {
      terminal: 'UTO-0001-1',
      site: 'UTO-0001',
      demo: false,
      clock: 'verified',
      time: '2026-11-24T08:15:30.125Z',
      link: 'up',
      readers: [{ id: 'counter-1', state: 'ready', trigger: false, about: 'version 2.10' }],
      edition: null,
      owed: 0,
    };
    const server = createServer((_, response) => response.end(JSON.stringify(view)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const file = settings(
      [
        { id: 'counter-1', device: 'usb:0403:6001:A1' },
        { id: 'counter-2', device: 'usb:0403:6001@1-2' },
        { id: 'counter-3', device: 'usb:0db5:0138', profile: 'access-is-ocr31x-usb' },
      ],
      { port: (server.address() as AddressInfo).port },
    );
    const words = await run('--config', file);
    const { out } = await run('--config', file, '--json');
    server.close();
    expect(JSON.parse(out)).toMatchObject({
      agent: true,
      devices: [{ reader: 'counter-1' }, { reader: 'counter-2' }],
      readers: [
        { id: 'counter-1', found: 'found', how: 'exact', state: 'ready', about: 'version 2.10' },
        { id: 'counter-2', found: 'found', how: 'moved', nodes: ['/dev/ttyUSB1'] },
        { id: 'counter-3', found: 'absent', nodes: [] },
      ],
    });
    expect(words.out).toMatch(/^counter-1 +swipe +ready +\/dev\/ttyUSB0 +version 2\.10$/m);
    expect(words.out).toMatch(/^counter-2 .* in another port than usb:0403:6001@1-2/m);
    expect(words.out).toMatch(/^counter-3 .* usb:0db5:0138 is not plugged in/m);
    expect(words.code).toBe(0);
  });

  test('where the agent does not answer, lists all the same and says that it does not', async () => {
    usb.plug({ ...ftdi, serial: 'A1', port: '1-1' });
    const { code, out } = await run('--config', settings([{ id: 'counter-1', device: 'usb:0403:6001:A1' }]));
    expect(out).toMatch(/^counter-1 +swipe +\? +\/dev\/ttyUSB0/m);
    expect(out).toContain('The state of the readers is not known');
    expect(code).toBe(0);
  });

  test('a profile that there is not is said', async () => {
    const { out } = await run(
      '--config',
      settings([{ id: 'counter-1', device: '/dev/ttyS9', profile: 'swype' }]),
    );
    expect(out).toMatch(/^counter-1 +swype \(there is none\)/m);
  });

  test('two that fit one word are both named', async () => {
    usb.plug({ ...ftdi, serial: '1', port: '1-1' });
    usb.plug({ ...ftdi, serial: '1', port: '1-2' });
    const file = settings([{ id: 'counter-1', device: 'usb:0403:6001:1' }]);
    const { out } = await run('--config', file);
    expect(out).toMatch(/fits \/dev\/ttyUSB0, \/dev\/ttyUSB1: name it by its port/);
    expect(out).toContain('usb:0403:6001:1@1-2');
  });
});

describe('checkpost readers profiles', () => {
  test('lists what ships, and those of the settings in their place', async () => {
    const plain = await run('profiles');
    const second = plain.out
      .split('\n')
      .slice(0, -1)
      .map((line) => line.search(/(?<= {2})\S/));
    expect(new Set(second).size, 'columns are aligned').toBe(1);
    expect(plain.out).toMatch(/^swipe +swipe +serial 9600 8N1/m);
    expect(plain.out).toMatch(/^keyboard-wedge +keyboard +keyboard, layout us/m);
    const own = {
      name: 'swipe',
      family: 'swipe',
      title: 'Ours',
      link: { kind: 'serial', baudRate: 2400 },
      framing: { kind: 'lines' },
      protocol: { kind: 'listen' },
    };
    const { out } = await run('profiles', '--json', '--config', settings([], { profiles: [own] }));
    const { profiles } = JSON.parse(out) as { profiles: { name: string; title: string }[] };
    expect(profiles.filter(({ name }) => name === 'swipe').map(({ title }) => title)).toEqual(['Ours']);
  });
});

describe('checkpost readers probe', () => {
  test.each([
    [['probe'], 2, 'USAGE'],
    [['probe', 'ttyUSB0'], 2, 'is no device'],
    [['probe', 'usb:0403:6001:A9'], 1, 'READER_ABSENT'],
    [['probe', '/dev/nothing-here'], 1, 'READER_ABSENT'],
    [['probe', '/dev/null'], 2, '/dev/null is no serial device'],
    [['probe', '/proc/version'], 2, 'is no serial device'],
    [['probe', '/proc'], 2, 'is no serial device'],
    [['probe', 'usb:0403:6001:A1', '--seconds', '0'], 2, 'USAGE'],
    [['probe', 'usb:0403:6001:A1', '--seconds', 'long'], 2, 'USAGE'],
    [['probe', 'usb:0db5:0138@1-3'], 2, 'hid device'],
    [['profiles', '--seconds', '3'], 2, 'takes no --seconds'],
    [['list', 'more'], 2, 'USAGE'],
    [['fly'], 2, 'USAGE'],
  ])('%j ends with %i and says why', async (argv, code, why) => {
    usb.plug({ ...ftdi, serial: 'A1', port: '1-1' });
    usb.plug({ vendor: '0db5', product: '0138', kind: 'hid', port: '1-3' });
    const { code: given, err } = await run(...argv);
    expect(err).toContain(why);
    expect(given).toBe(code);
  });

  test('one of two with the same serial number is refused, with the words that tell them apart', async () => {
    usb.plug({ ...ftdi, serial: '1', port: '1-1' });
    usb.plug({ ...ftdi, serial: '1', port: '1-2' });
    const { err, code } = await run('probe', 'usb:0403:6001:1');
    expect(err).toContain('READER_AMBIGUOUS');
    expect(err).toContain('usb:0403:6001:1@1-1 and usb:0403:6001:1@1-2');
    expect(code).toBe(1);
  });

  test('what it found is said in whole sentences, with what to paste', () => {
    const words = conclusionWords(
      {
        kind: 'found',
        line: { baudRate: 38_400, dataBits: 8, parity: 'none', stopBits: 1 },
        wrapping: {
          framing: { kind: 'lines', lastLineEnd: true, blockCheck: 'text-etx' },
          lineEnd: 'CRLF',
          lines: [44, 44],
          whole: true,
          repeats: true,
          unknownCheck: false,
        },
        swipes: 3,
      },
      undefined,
    );
    expect(words).toContain(
      'Found after 3 swipes: 38400 8N1, lines ended by CRLF, a block check over the text and ETX; 2 lines of 44 characters.',
    );
    expect(words).toContain('that is one read');
  });

  const nothing = { kind: 'nothing', spikes: 0, asked: [9600, 115_200] } as const;

  test('what is not sure is said to be so, with no profile', () => {
    const line = { baudRate: 4800, dataBits: 8, parity: 'none', stopBits: 1 } as const;
    const words = (seen: 'zone' | 'part' | 'text') =>
      conclusionWords({ kind: 'unsure', line, seen, swipes: 2 }, undefined);
    expect(words('zone')).toContain('no second one that agrees');
    expect(words('part')).toContain('Only parts of documents');
    expect(words('text')).toContain('no machine readable zone');
    for (const seen of ['zone', 'part', 'text'] as const) {
      expect(words(seen)).toContain('Nothing is sure after 2 swipes');
      expect(words(seen)).toContain('4800 8N1');
      expect(words(seen)).not.toContain('"profile"');
    }
  });

  test('where nothing was found, the speeds that were tried are said, and that it may talk at another', () => {
    const silent = conclusionWords({ ...nothing, modem: undefined }, undefined);
    expect(silent).toContain('asked for its version at 9600, 115200 baud');
    expect(silent).toContain('it talks at a speed outside of 1200 to 230400 baud');
    expect(conclusionWords({ ...nothing, spikes: 2, modem: undefined }, undefined)).toContain('but spikes');
    const garbled = conclusionWords(
      { kind: 'unknown', swipes: 1, tried: ['9600 8N1', '1200 8N1'] },
      undefined,
    );
    expect(garbled).toContain('Tried: 9600 8N1, 1200 8N1.');
    expect(garbled.replaceAll('\n', ' ')).toContain('it talks at a speed outside of 1200 to 230400 baud');
  });

  test('nothing at all is said with what to look at, and with what the port can tell', () => {
    const without = conclusionWords({ ...nothing, modem: undefined }, undefined);
    for (const cause of ['power', 'cable', 'crossed', 'keyboard mode', 'told to'])
      expect(without).toContain(cause);
    expect(without).toContain('cannot tell');
    const off = { cts: false, dsr: false, dcd: false };
    expect(conclusionWords({ ...nothing, modem: off }, undefined)).toContain('None of the lines');
    expect(conclusionWords({ ...nothing, modem: { ...off, dsr: true } }, undefined)).toContain(
      'DSR is raised: something with power is plugged in.',
    );
  });
});

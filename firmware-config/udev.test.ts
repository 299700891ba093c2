import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

// Debian 12's udevadm has no `verify` yet, so the grammar of udev(7) is checked here: every pair of every line.

const file = join(import.meta.dirname, 'udev/70-checkpost-readers.rules');
const text = readFileSync(file, 'utf8');

const matches = /^(ACTION|KERNEL|SUBSYSTEM|SUBSYSTEMS|ATTRS\{[\w/]+\}|ENV\{\w+\})(==|!=)"[^"]*"$/;
const assigns =
  /^(GROUP="[\w-]+"|MODE="0[0-7]{3}"|SYMLINK\+="[^"]+"|ENV\{\w+\}="[^"]*"|IMPORT\{builtin\}="(?:usb_id|path_id)"|GOTO="\w+"|LABEL="\w+")$/;

/** What is wrong with a file of rules, by line. */
function complaints(rules: string): string[] {
  const found: string[] = [];
  const labels = new Set([...rules.matchAll(/LABEL="(\w+)"/g)].map((match) => match[1]));
  for (const [index, line] of rules.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    for (const pair of line.split(/,\s*(?=[A-Z])/)) {
      if (!matches.test(pair) && !assigns.test(pair)) found.push(`line ${index + 1}: ${pair}`);
      const target = /^GOTO="(\w+)"$/.exec(pair)?.[1];
      if (target !== undefined && !labels.has(target)) found.push(`line ${index + 1}: no label ${target}`);
    }
  }
  return found;
}

describe('The rules for readers', () => {
  test('Every pair of every line is one that udev knows, and every jump has its label', () => {
    expect(complaints(text)).toEqual([]);
  });

  test.each([
    ['a single equals sign where a match is meant', text.replace('SUBSYSTEM=="tty"', 'SUBSYSTEM="tty"')],
    ['a missing quote', text.replace('MODE="0660"', 'MODE="0660')],
    ['an unknown key', text.replace('GROUP=', 'GRUOP=')],
    ['a jump to nowhere', text.replace('LABEL="checkpost_readers_end"', 'LABEL="end"')],
  ])('%s is caught', (_name, broken) => {
    expect(broken).not.toBe(text);
    expect(complaints(broken)).not.toEqual([]);
  });

  test('A reader gets our own group, a name by serial number and a name by port, and modem management keeps off it', () => {
    expect(text).toMatch(/GROUP="checkpost-reader", MODE="0660"/);
    expect(text).toContain('$env{ID_SERIAL_SHORT}');
    expect(text).toContain('by-path/$env{ID_PATH}');
    expect(text).toContain('ENV{ID_MM_DEVICE_IGNORE}="1"');
  });
});

/** What udev knows of a device: its own properties, and those of the USB device that it is on. */
interface Plugged {
  readonly kernel: string;
  readonly subsystem: 'tty' | 'hidraw' | 'input';
  readonly usb?: { readonly vendor: string; readonly product: string };
  /** As earlier rules and builtins have set them. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Goes through the rules as udev(7) says: a line applies if all its matches hold; a jump goes to its label. */
function apply({ kernel, subsystem, usb, env = {} }: Plugged): Readonly<Record<string, string>> {
  const set: Record<string, string> = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [`ENV{${name}}`, value]),
  );
  const known = (key: string): string => {
    const fixed: Readonly<Record<string, string | undefined>> = {
      ACTION: 'add',
      KERNEL: kernel,
      SUBSYSTEM: subsystem,
      SUBSYSTEMS: usb === undefined ? 'platform' : 'usb',
      'ATTRS{idVendor}': usb?.vendor ?? '',
      'ATTRS{idProduct}': usb?.product ?? '',
    };
    return fixed[key] ?? set[key] ?? '';
  };
  let jump: string | undefined;
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
    const pairs = [...line.matchAll(/([A-Z]+(?:\{\w+\})?)(==|!=|\+=|=)"([^"]*)"/g)];
    if (jump !== undefined && pairs[0]?.[1] === 'LABEL' && pairs[0][3] === jump) jump = undefined;
    if (jump !== undefined) continue;
    const holds = pairs.every(([, key = '', operator, pattern = '']) => {
      if (operator !== '==' && operator !== '!=') return true;
      const glob = pattern.replaceAll('*', '.*').replaceAll('?', '.');
      return new RegExp(`^(?:${glob})$`).test(known(key)) === (operator === '==');
    });
    if (!holds) continue;
    for (const [, key = '', operator, value = ''] of pairs) {
      if (key === 'GOTO') jump = value;
      else if (operator === '=') set[key] = value;
      else if (operator === '+=') set[key] = `${set[key] ?? ''} ${value}`;
    }
  }
  return set;
}

describe('What the rules do to a device', () => {
  const keyboard = { ID_INPUT: '1', ID_INPUT_KEY: '1', ID_INPUT_KEYBOARD: '1' };

  test.each<[string, Plugged, string]>([
    [
      'a USB serial adapter',
      { kernel: 'ttyUSB0', subsystem: 'tty', usb: { vendor: '0403', product: '6001' } },
      'ftdi',
    ],
    [
      'a CDC-ACM reader',
      { kernel: 'ttyACM0', subsystem: 'tty', usb: { vendor: '2b78', product: '0005' } },
      'elyctis',
    ],
    [
      'an Access-IS HID reader',
      { kernel: 'hidraw1', subsystem: 'hidraw', usb: { vendor: '0db5', product: '0138' } },
      'access-is',
    ],
    ['a port of the machine', { kernel: 'ttyS1', subsystem: 'tty' }, 'serial'],
  ])('%s belongs to our group', (_, device, name) => {
    expect(apply(device)).toMatchObject({
      GROUP: 'checkpost-reader',
      MODE: '0660',
      'ENV{CHECKPOST_READER}': name,
    });
  });

  test('a reader that types belongs to our group, and neither a desktop nor logind takes its keys', () => {
    const wedge = apply({
      kernel: 'event7',
      subsystem: 'input',
      usb: { vendor: '0c2e', product: '0b61' },
      env: keyboard,
    });
    expect(wedge).toMatchObject({
      GROUP: 'checkpost-reader',
      MODE: '0660',
      'ENV{LIBINPUT_IGNORE_DEVICE}': '1',
      'ENV{ID_INPUT_KEY}': '',
    });
  });

  test.each<[string, Plugged]>([
    [
      'the keyboard of the terminal',
      { kernel: 'event3', subsystem: 'input', usb: { vendor: '046d', product: 'c31c' }, env: keyboard },
    ],
    [
      'the buttons of a reader',
      {
        kernel: 'event4',
        subsystem: 'input',
        usb: { vendor: '0c2e', product: '0b61' },
        env: { ID_INPUT: '1' },
      },
    ],
    [
      'what is no event device',
      { kernel: 'mouse0', subsystem: 'input', usb: { vendor: '0c2e', product: '0b61' }, env: keyboard },
    ],
    [
      'a modem of the uplink',
      { kernel: 'ttyACM0', subsystem: 'tty', usb: { vendor: '1e2d', product: '0058' } },
    ],
    [
      'another HID device',
      { kernel: 'hidraw0', subsystem: 'hidraw', usb: { vendor: '046d', product: 'c31c' } },
    ],
    ['a console', { kernel: 'tty1', subsystem: 'tty' }],
  ])('%s is left alone', (_, device) => {
    const given = apply(device);
    expect(given).not.toHaveProperty('GROUP');
    expect(given).not.toHaveProperty(['ENV{ID_MM_DEVICE_IGNORE}']);
    expect(given).not.toHaveProperty(['ENV{LIBINPUT_IGNORE_DEVICE}']);
  });

  test('only a tty is kept from modem management', () => {
    const usb = { vendor: '0db5', product: '0138' };
    expect(apply({ kernel: 'ttyACM1', subsystem: 'tty', usb })['ENV{ID_MM_DEVICE_IGNORE}']).toBe('1');
    expect(
      apply({ kernel: 'hidraw1', subsystem: 'hidraw', usb })['ENV{ID_MM_DEVICE_IGNORE}'],
    ).toBeUndefined();
  });
});

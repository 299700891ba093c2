import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { SerialPort } from 'serialport';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stolenPassport } from '#test/rigs/documents.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { specimens } from '#test/rigs/specimens.ts';
import { execute } from '../command.ts';
import { command } from './simulate.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-simulate-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Running {
  out: string;
  err: string;
  readonly stdin: PassThrough & { isTTY?: boolean };
  readonly stop: () => void;
  readonly code: Promise<number>;
}

function run(argv: readonly string[], { console = false } = {}): Running {
  const stopping = new AbortController();
  const stdin: Running['stdin'] = new PassThrough();
  if (console) stdin.isTTY = true;
  const running = {
    out: '',
    err: '',
    stdin,
    stop: () => stopping.abort(),
    code: Promise.resolve(0),
  };
  running.code = execute(command, argv, {
    stdin,
    stdout: { write: (text) => (running.out += text) },
    stderr: { write: (text) => (running.err += text) },
    env: {},
    signal: stopping.signal,
  });
  return running;
}

async function deviceOf(running: Running): Promise<string> {
  await eventually(() => running.out.includes('\n'), { what: `the ready line (${running.err})` });
  const ready = JSON.parse(running.out.split('\n')[0] ?? '') as { event: string; device: string };
  expect(ready.event).toBe('ready');
  return ready.device;
}

async function hear(device: string): Promise<{ text: () => string; close: () => Promise<void> }> {
  let text = '';
  const port = new SerialPort({ path: device, baudRate: 9600, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error === null ? resolve() : reject(error)));
  });
  port.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  port.on('error', () => {});
  return {
    text: () => text,
    close: () => new Promise((resolve) => (port.isOpen ? port.close(() => resolve()) : resolve())),
  };
}

const read = (lines: readonly string[]): string => `${lines.join('\r')}\r`;

describe('checkpost simulate reader', () => {
  test('plays the documents of a file on a device that it names, in turn, and stops at --count', async () => {
    const file = join(folder, 'documents');
    writeFileSync(file, `${specimens.card.join('\n')}\n\n\n${stolenPassport.join('\r\n')}\r\n`);
    const link = join(folder, 'reader');
    const running = run([
      'reader',
      '--json',
      '--documents',
      file,
      '--link',
      link,
      '--every',
      '300',
      '--count',
      '3',
    ]);
    expect(await deviceOf(running)).toBe(link);
    const host = await hear(link);
    expect(await running.code).toBe(0);
    await eventually(() => host.text().length > 0);
    expect(host.text()).toBe(read(specimens.card) + read(stolenPassport) + read(specimens.card));
    await host.close();
    expect(existsSync(link)).toBe(false);
    expect(running.err).toMatch(/1: UTO \S+890 read\n.*2: UTO \S+2C3 read\n/);
    expect(running.err).not.toMatch(/D23145|L89890/);
  });

  test('at a console Enter puts the next document on it; stopped, it takes its device away', async () => {
    const running = run(['reader', '--json'], { console: true });
    const device = await deviceOf(running);
    const host = await hear(device);
    running.stdin.write('\n');
    await eventually(() => host.text() === read(specimens.passport));
    running.stdin.write('\n');
    await eventually(() => host.text() === read(specimens.passport) + read(specimens.card));
    running.stop();
    expect(await running.code).toBe(0);
    await host.close();
    expect(existsSync(device)).toBe(false);
  });

  test('says that a reader was not told to read, and what it was sent', async () => {
    const running = run(['reader', '--profile', 'elyctis-idbox', '--json', '--every', '20', '--count', '1']);
    expect(await running.code).toBe(0);
    expect(running.err).toContain('not told to read');
  });

  test('warns of what is no machine readable zone, and plays it', async () => {
    const file = join(folder, 'documents');
    writeFileSync(file, `hello\n\n${specimens.card.join('\n')}\n`);
    const running = run(['reader', '--json', '--documents', file, '--every', '300', '--count', '1']);
    const host = await hear(await deviceOf(running));
    expect(await running.code).toBe(0);
    await host.close();
    expect(host.text()).toBe('hello\r');
    expect(running.err.match(/warning: .*/g)).toEqual([
      'warning: document 1 is no machine readable zone; it is played all the same',
    ]);
  });

  test('says what its faults have made of a read', async () => {
    const running = run(['reader', '--fault', 'swapped', '--json', '--every', '20', '--count', '1']);
    expect(await running.code).toBe(0);
    expect(running.err).toContain('its wires are crossed: nothing reaches the terminal');
  });

  test('plays a profile of a file, and faults', async () => {
    const file = join(folder, 'profile.json');
    const own = {
      name: 'gate-7',
      family: 'swipe',
      title: 'Swipe reader of gate 7',
      link: { kind: 'serial' },
      framing: { kind: 'lines', blockCheck: 'text' },
      protocol: { kind: 'listen' },
    };
    writeFileSync(file, JSON.stringify(own));
    const argv = [
      'reader',
      '--profile-file',
      file,
      '--json',
      '--every',
      '300',
      '--count',
      '1',
      '--fault',
      'repeat',
    ];
    const running = run(argv);
    const host = await hear(await deviceOf(running));
    expect(await running.code).toBe(0);
    await host.close();
    expect(host.text().match(/\x02P<UTO[^\x03]*\x03./gs)).toHaveLength(2);
  });

  test.each([
    [['reader', '--profile', 'no-such'], 1, 'PROFILE_UNKNOWN'],
    [['reader', '--profile', 'keyboard-wedge'], 2, 'keyboard'],
    [['reader', '--profile', 'access-is-ocr31x-usb'], 2, 'HID'],
    [['reader', '--fault', 'no-such'], 2, 'There is no fault'],
    [['reader', '--fault', 'bad-check'], 2, 'no block check'],
    [['reader', '--documents', '/no such file'], 1, 'FILE_REFUSED'],
    [['reader', '--link', '/no such folder/reader'], 1, 'FILE_REFUSED'],
    [['reader', '--link', '/dev/null'], 1, 'FILE_REFUSED'],
    [['reader', '--profile-file', '/no such file'], 1, 'SETTINGS_UNREADABLE'],
    [['reader', '--count', '0'], 2, '--count'],
    [['reader', '--every', 'soon'], 2, '--every'],
    [['reader', '--seed', '1.5'], 2, '--seed'],
    [['reader', 'twice'], 2, 'USAGE'],
    [['scanner'], 2, 'USAGE'],
    [[], 2, 'USAGE'],
  ])('called as %j it exits %d and says why', async (argv, code, why) => {
    const running = run(argv);
    expect(await running.code).toBe(code);
    expect(running.err).toContain(why);
    expect(running.out).toBe('');
  });

  test.each([
    ['no documents', '\n\n', 'no document'],
    ['a document of four lines', 'A\nB\nC\nD\n', 'line 1 has 4 lines'],
    ['a line that no reader sends', 'P<UTO\n\nP<\x01\nX\n', 'line 3'],
  ])('a file with %s is refused with the place', async (_, text, why) => {
    const file = join(folder, 'documents');
    writeFileSync(file, text);
    const running = run(['reader', '--documents', file]);
    expect(await running.code).toBe(1);
    expect(running.err).toContain(why);
  });
});

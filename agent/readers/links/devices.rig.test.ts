import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stolenPassport } from '#test/rigs/documents.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { requires } from '#test/rigs/requirements.ts';
import { strokesOf } from '#test/rigs/typist.ts';

// The real links on device nodes that umockdev plays: reads and waiting are real, through the kernel's pseudo-terminals.
// What it cannot show is that a grab excludes others: umockdev lets every grab succeed. That is shown on a real kernel
// (test/rigs/vm).

const lines = [...stolenPassport];
const document = `${lines.join('\r')}\r`;
const because = requires({ test: 'HID and keyboard readers', tools: ['umockdev-run', 'strace', 'setpriv'] });

interface Said {
  readonly event: string;
  readonly text?: string;
  readonly [key: string]: unknown;
}

let folder: string;
let child: ChildProcessByStdio<Writable, Readable, null>;
let said: Said[];
let ended: Promise<number | null>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-link-'));
  said = [];
});

afterEach(async () => {
  child.stdin.end();
  // It is over by itself once the link is closed; the kill is for a test that has failed.
  const patience = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(patience);
  rmSync(folder, { recursive: true });
});

const has = (event: string): Promise<Said> =>
  eventually(() => said.find((line) => line.event === event), {
    what: `“${event}” in ${JSON.stringify(said)}`,
  });
const text = (): string => said.map((line) => line.text ?? '').join('');

/** Runs the link; what a device of the testbed does is in the files given, without which there is no testbed. */
function start(kind: 'hid' | 'keyboard', node: string, play?: readonly string[]): void {
  const testbed = ['umockdev-run', '--device', file('readers.umockdev', devices), ...(play ?? []), '--'];
  // Node asks the kernel for statx past the C library, where umockdev is; told that there is none, it asks for stat.
  const withoutStatx =
    'strace -f -qq --seccomp-bpf -o /dev/null -e trace=statx -e inject=statx:error=ENOSYS --';
  const around = play === undefined ? [] : [...testbed, ...withoutStatx.split(' ')];
  const program = [process.execPath, join(import.meta.dirname, 'fixtures/open-link.ts'), kind, node];
  child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...around, ...program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // With one thread in the pool, a read that waited in it would keep the link from ever being closed.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line) as Said));
  const running = child;
  ended = new Promise((resolve) => running.once('close', resolve));
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Two made-up USB devices, as umockdev describes them. */
const devices = `P: /devices/pci0000:00/0000:00:04.0/usb1/1-1/1-1:1.0/0003:0DB5:0138.0001/hidraw/hidraw0
N: hidraw0
E: DEVNAME=/dev/hidraw0
E: SUBSYSTEM=hidraw
A: dev=243:0\\n

P: /devices/pci0000:00/0000:00:04.0/usb1/1-2/1-2:1.0/0003:1209:0001.0002/input/input3/event3
N: input/event3
E: DEVNAME=/dev/input/event3
E: SUBSYSTEM=input
A: dev=13:67\\n
`;

/** A byte as umockdev's scripts write it. */
function scripted(bytes: Uint8Array): string {
  return [...bytes]
    .map((byte) =>
      byte === 0x5e
        ? '^`'
        : byte <= 0x20
          ? `^${String.fromCharCode(byte + 0x40)}`
          : String.fromCharCode(byte),
    )
    .join('');
}

/** A script of reports, each sent when the link has written its own: otherwise two of them could become one read. */
function hidScript(payloads: readonly string[]): string {
  const answer = scripted(Uint8Array.of(0, 1, 0x06, ...Array.from({ length: 62 }, () => 0)));
  const steps = payloads.flatMap((payload) => {
    const report = new Uint8Array(64);
    report[0] = payload.length;
    report.set(Buffer.from(payload), 1);
    return [`w 0 ${answer}`, `r 20 ${scripted(report)}`];
  });
  return file('hid.script', `${steps.join('\n')}\n`);
}

/** Key strokes in evemu's format: type, code, value; 2 ms from one to the next. */
function typist(strokes: readonly { code: number; down: boolean }[]): string {
  const events = strokes.flatMap(({ code, down }, at) => {
    const seconds = (at * 0.002).toFixed(6);
    const hex = code.toString(16).padStart(4, '0');
    return [`E: ${seconds} 0001 ${hex} ${down ? 1 : 0}`, `E: ${seconds} 0000 0000 0`];
  });
  return file('keys.events', `${events.join('\n')}\n`);
}

describe.skipIf(because !== undefined)('a HID reader', () => {
  test('Its reports are the bytes of the document, and what is written to it is a report', async () => {
    const bytes = `\x1c\x02${document}\x03\x1d`;
    const cut = [bytes.slice(0, 50), bytes.slice(50, 63), bytes.slice(63)];
    start('hid', '/dev/hidraw0', ['--script', `/dev/hidraw0=${hidScript(cut)}`]);
    expect(await has('open')).toMatchObject({ present: true });
    await eventually(() => text().length >= bytes.length, { what: 'all reports' });
    expect(said.filter(({ event }) => event === 'data').map((line) => line.text)).toEqual(cut);
  });

  test('While it waits it costs nothing; closed, it is closed at once and says nothing of a loss', async () => {
    start('hid', '/dev/hidraw0', ['--script', `/dev/hidraw0=${hidScript([])}`]);
    await has('open');
    const since = performance.now();
    await eventually(() => performance.now() - since > 500);
    child.stdin.end();
    const { present, millis, busy } = await has('closed');
    expect(present).toBe(false);
    expect(millis).toBeLessThan(500);
    // Milliseconds of processor time: it is 2 here, and asking again and again takes 190.
    expect(busy).toBeLessThan(60);
    expect(said.map(({ event }) => event)).toEqual(['open', 'closed']);
    expect(await ended).toBe(0);
  });

  test('A node that is not there is absent', async () => {
    start('hid', '/dev/hidraw77');
    expect(await has('refused')).toMatchObject({
      code: 'READER_ABSENT',
      detail: '/dev/hidraw77 is not there.',
    });
  });

  test('A name that leads to no device is refused', async () => {
    const path = file('no-device', 'bytes');
    start('hid', path);
    expect(await has('refused')).toMatchObject({
      code: 'READER_REFUSED',
      detail: expect.stringContaining(path),
    });
  });
});

describe.skipIf(because !== undefined)('a keyboard reader', () => {
  test('What it types is the document', async () => {
    start('keyboard', '/dev/input/event3', [
      '--evemu-events',
      `/dev/input/event3=${typist(strokesOf(document, 'us'))}`,
    ]);
    expect(await has('open')).toMatchObject({ present: true });
    await eventually(() => text().length >= document.length, { what: 'all keys' });
    expect(text()).toBe(document);
  });

  test('A device that cannot be taken exclusively is refused, so that it never types into the page', async () => {
    // It can be waited for and is no event device: the kernel refuses the grab.
    start('keyboard', '/dev/random');
    expect(await has('refused')).toMatchObject({
      code: 'READER_REFUSED',
      detail: expect.stringContaining('cannot be taken for this reader alone'),
    });
  });
});

import { closeSync, constants, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../eventually.ts';
import { say } from './say.ts';
import { keyboardDescriptor, keyReport, UhidDevice } from './uhid.ts';
import { becomes, reads, watch } from './watched.ts';

const model = 'Typing reader';

/**
 * A reader that types: what others hear of it before it is opened, while the agent has it, and afterwards. Others are a
 * program that reads the same event device, and the console's terminal. It also types faster than the kernel keeps, and
 * is pulled out in the middle of a frame.
 */
export async function checkKeyboard(document: string): Promise<void> {
  const device = new UhidDevice({
    name: model,
    vendor: 0x1209,
    product: 0x0001,
    descriptor: keyboardDescriptor,
  });
  const node = await eventNode();
  const others = { events: eavesdrop(node), terminal: eavesdrop('/dev/tty1') };
  const heard = () => ({ events: others.events.bytes(), terminal: others.terminal.bytes() });
  const anybodyHears = async (since: { events: number; terminal: number }) =>
    eventually(
      () => {
        const now = heard();
        return now.events > since.events && now.terminal > since.terminal && now;
      },
      { what: 'keys that others hear' },
    );

  await type(device, 'abc\r');
  const before = await anybodyHears({ events: 0, terminal: 0 });
  const options = { device: node, profile: 'keyboard-wedge', kind: 'keyboard', idleMillis: 3000 } as const;
  const [watched] = watch([{ id: 'first', ...options }]);
  await becomes(watched, 'ready');
  await type(device, document);
  await reads(watched, 1);
  const during = heard();
  const [late] = watch([{ id: 'second', ...options }]);
  await becomes(late, 'refused');
  await late.reader.close();

  typeAtOnce(device, document);
  // Little may be left of it, and that is a spike; or it is a frame with a hole.
  await eventually(() => watched.faults.includes('FRAME_NOISE'), { timeoutMs: 60_000, what: 'the hole' });
  const atOnce = heard();
  await watched.reader.close();
  await type(device, 'abc\r');
  await anybodyHears(atOnce);

  const [again] = watch([{ id: 'again', ...options, idleMillis: 20_000 }]);
  await becomes(again, 'ready');
  await type(device, document.slice(0, 60));
  // Time for the reader to have the half, as it has where a hand pulls a cable.
  await pause(200);
  device.close();
  await becomes(again, 'absent');
  await again.reader.close();
  others.events.stop();
  others.terminal.stop();
  const { frames, faults } = watched;
  say({ check: 'keyboard', frames, faults, heard: { before, during, atOnce }, unplugged: again.faults });
}

/** A keyboard on USB, found by its identity, which the world outside types on and pulls out. */
export async function checkUsbKeyboard(): Promise<void> {
  const device = 'usb:0627:0001:KB0001';
  const [watched] = watch([
    { id: 'usb', device, profile: 'keyboard-wedge', kind: 'keyboard', idleMillis: 3000 },
  ]);
  await becomes(watched, 'ready');
  // Few enough keys for the kernel to keep them, however slow this machine is at the moment.
  say({ please: 'type', text: 'P<UTO\r' });
  await reads(watched, 1);
  say({ please: 'unplug-keyboard' });
  await becomes(watched, 'absent');
  await watched.reader.close();
  say({ check: 'usb-keyboard', frames: watched.frames, nodes: watched.nodes });
}

function eventNode(): Promise<string> {
  return eventually(
    () =>
      readdirSync('/dev/input')
        .filter((name) => name.startsWith('event'))
        .filter((name) => readFileSync(`/sys/class/input/${name}/device/name`, 'latin1').trim() === model)
        .map((name) => `/dev/input/${name}`)[0],
    { what: 'the event device' },
  );
}

/** As fast as a reader types: the kernel keeps 64 events, three a report, for whoever reads them. */
async function type(device: UhidDevice, text: string): Promise<void> {
  for (const char of text) {
    typeAtOnce(device, char);
    await pause(2);
  }
}

function typeAtOnce(device: UhidDevice, text: string): void {
  for (const char of text) {
    device.report(keyReport(char));
    device.report(new Uint8Array(8));
  }
}

/** Counts the bytes that come out of a node, read as any other program would. */
function eavesdrop(node: string): { bytes(): number; stop(): void } {
  const fd = openSync(node, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  const buffer = Buffer.alloc(4096);
  let count = 0;
  return {
    bytes() {
      for (;;) {
        try {
          count += readSync(fd, buffer);
        } catch {
          return count;
        }
      }
    },
    stop: () => closeSync(fd),
  };
}

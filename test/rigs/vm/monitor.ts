import { createConnection, type Socket } from 'node:net';
import { eventually } from '../eventually.ts';

/** A real USB keyboard of the machine, and the hand that types on it and pulls it out. */
export interface Typist {
  type(text: string): Promise<void>;
  unplug(): Promise<void>;
}

/** Milliseconds from one key going down or up to the next. */
const pace = 10;

/** Through QEMU's monitor (QMP) at this socket; `device` is the keyboard's id. */
export function typist(path: string, device: string): Typist {
  let monitor: Promise<Socket> | undefined;
  const ask = async (execute: string, args: object = {}): Promise<void> => {
    monitor ??= connect(path);
    (await monitor).write(`${JSON.stringify({ execute, arguments: args })}\n`);
  };
  return {
    async type(text) {
      for (const char of text) {
        const keys = keysOf(char).map((data) => ({ type: 'qcode', data }));
        await ask('send-key', { keys, 'hold-time': pace });
      }
    },
    unplug: () => ask('device_del', { id: device }),
  };
}

async function connect(path: string): Promise<Socket> {
  const socket = await eventually(
    () =>
      new Promise<Socket | undefined>((resolve) => {
        const connecting = createConnection(path);
        connecting.once('connect', () => resolve(connecting));
        connecting.on('error', () => resolve(undefined));
      }),
    { what: `the monitor ${path}` },
  );
  socket.resume();
  socket.write(`${JSON.stringify({ execute: 'qmp_capabilities' })}\n`);
  return socket;
}

/** The keys of an American keyboard that type it, by QEMU's names. */
function keysOf(char: string): string[] {
  if (char === '\r') return ['ret'];
  if (char === '<') return ['shift', 'comma'];
  return /[A-Z]/.test(char) ? ['shift', char.toLowerCase()] : [char];
}

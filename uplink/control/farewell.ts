import type { Socket } from 'node:net';
import { ms } from '#contracts/units.ts';
import type { UplinkAnswer } from '#contracts/uplink.ts';
import type { Clock } from '#runtime/clock.ts';

/** So long the other end has to take the last answer. */
const grace = ms(1000);

/**
 * One last answer, and the end. What the other end still sends is read and dropped for a moment: closed at once with
 * something unread, the kernel would tell it of a reset, and the answer would be lost on the way.
 */
export function farewell(
  socket: Socket,
  { code, detail }: { code: string; detail: string },
  clock: Clock,
): void {
  socket.removeAllListeners('data');
  socket.on('data', () => {});
  socket.end(`${JSON.stringify({ id: 0, ok: false, code, detail } satisfies UplinkAnswer)}\n`);
  const cancel = clock.after(grace, () => socket.destroy());
  socket.on('close', cancel);
  socket.resume();
}

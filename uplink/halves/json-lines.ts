import type { Socket } from 'node:net';
import { LineCutter } from '#runtime/lines.ts';

/**
 * JSON lines over a stream socket, one direction: calls `onLine` for each whole line. A line longer than `limit` bytes
 * ends the connection: whoever sends it does not speak this protocol.
 */
export function readLines(socket: Socket, limit: number, onLine: (line: string) => void): void {
  const cutter = new LineCutter(limit);
  socket.on('data', (chunk: Buffer) => {
    for (const line of cutter.push(chunk)) onLine(line);
    if (cutter.overlong) socket.destroy();
  });
}

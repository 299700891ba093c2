import { createConnection, type Socket } from 'node:net';
import { ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import { readLines } from './json-lines.ts';
import { Order, type Report } from './orders.ts';

const orderLimit = 262_144;

/** The inner half's end: hears orders, says what came of them; comes back by itself when the outer half was away. */
export interface InnerEnd {
  say(report: Report): void;
  close(): void;
}

export function openInnerEnd(parts: {
  readonly path: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly onOrder: (order: Order) => void;
}): InnerEnd {
  const { path, clock, log } = parts;
  const backoff = new Backoff(ms(200), ms(5000), parts.random);
  let socket: Socket | undefined;
  let closed = false;
  let cancel = (): void => {};

  const connect = (): void => {
    const connecting = createConnection(path);
    socket = connecting;
    connecting.once('connect', () => log.info('The outer half is there'));
    readLines(connecting, orderLimit, (line) => {
      const order = parseJson(Order, line, 'UPLINK_REQUEST_INVALID');
      if (!order.ok) return log.error('An order was not understood', { code: order.fault.code });
      backoff.worked();
      parts.onOrder(order.value);
    });
    connecting.on('error', () => {});
    connecting.once('close', () => {
      if (closed) return;
      cancel = clock.after(backoff.next(), connect);
    });
  };
  connect();
  return {
    say(report) {
      if (socket?.writable === true && !socket.connecting) socket.write(`${JSON.stringify(report)}\n`);
    },
    close() {
      closed = true;
      cancel();
      socket?.destroy();
    },
  };
}

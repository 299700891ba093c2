import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { ok, type Result } from '#contracts/result.ts';
import { toFault } from '#runtime/errors.ts';
import type { Log } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import { readLines } from './json-lines.ts';
import { type Order, Report } from './orders.ts';

const reportLimit = 65_536;

/** The outer half's end: gives the newest order to the inner half, whenever that is there. */
export interface OuterEnd {
  give(order: Order): void;
  /** Whether the inner half is connected. */
  readonly connected: boolean;
  close(): Promise<void>;
}

export interface OuterEndParts {
  readonly path: string;
  readonly log: Log;
  /** Who is at the other end: only the own user and root are listened to. */
  readonly credentialsOf: (socket: Socket) => Result<{ readonly uid: number }>;
  readonly ownUid: number;
  readonly onReport: (report: Report) => void;
  /** Called when the inner half came or went. */
  readonly onPresence: (there: boolean) => void;
}

export async function openOuterEnd(parts: OuterEndParts): Promise<Result<OuterEnd>> {
  const { path, log } = parts;
  let inner: Socket | undefined;
  let newest: Order | undefined;
  const send = (): void => {
    if (newest !== undefined) inner?.write(`${JSON.stringify(newest)}\n`);
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const who = parts.credentialsOf(socket);
    if (!who.ok || (who.value.uid !== 0 && who.value.uid !== parts.ownUid)) {
      log.warn('Somebody else asked for the orders of the inner half', { code: 'UPLINK_DENIED' });
      socket.destroy();
      return;
    }
    // The newest one counts: an inner half that was killed may leave a connection that has not noticed yet.
    inner?.destroy();
    inner = socket;
    parts.onPresence(true);
    socket.once('close', () => {
      if (inner !== socket) return;
      inner = undefined;
      parts.onPresence(false);
    });
    readLines(socket, reportLimit, (line) => {
      const report = parseJson(Report, line, 'UPLINK_REQUEST_INVALID');
      if (report.ok) parts.onReport(report.value);
      else log.warn('The inner half said something that was not understood', { code: report.fault.code });
    });
    send();
  });
  const listening = await listen(server, path);
  if (!listening.ok) return listening;
  return ok({
    give(order) {
      newest = order;
      send();
    },
    get connected() {
      return inner !== undefined;
    },
    async close() {
      inner?.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

function listen(server: Server, path: string): Promise<Result<void>> {
  return new Promise((resolve) => {
    // Left by an outer half that was killed: two of them never run, since they share the interfaces.
    rmSync(path, { force: true });
    server.once('error', (error) => resolve({ ok: false, fault: toFault(error) }));
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve(ok(undefined));
    });
  });
}

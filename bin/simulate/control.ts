import { chmodSync, existsSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode, toFault } from '#runtime/errors.ts';
import { LineCutter } from '#runtime/lines.ts';
import { parseJson } from '#runtime/parse.ts';
import { FleetAnswer, type FleetHands, FleetOrder } from '#test/rigs/fleet/orders.ts';

/** Where a simulated fleet is told what to do when nothing else was said. */
export function defaultControl(env: Readonly<Record<string, string | undefined>>): string {
  return join(env['XDG_RUNTIME_DIR'] ?? tmpdir(), `checkpost-fleet-${userInfo().uid}.sock`);
}

/** An order is short; the list of 10,000 streams is what is long. */
const longestOrder = 4096;
const longestAnswer = 16_777_216;
const patienceMillis = 30_000;

export interface ControlSocket {
  close(): Promise<void>;
}

/**
 * Takes orders on a Unix socket that this user alone can reach: a line of JSON each (`FleetOrder`), answered with one
 * (`FleetAnswer`). What another process left behind is taken away. Fault: ADDRESS_REFUSED.
 */
export async function listenForOrders(path: string, hands: FleetHands): Promise<Result<ControlSocket>> {
  if (existsSync(path)) {
    if (await answers(path)) return fail('ADDRESS_REFUSED', `Another simulated fleet listens on ${path}.`);
    rmSync(path, { force: true });
  }
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, hands);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } catch (cause) {
    return fail(
      'ADDRESS_REFUSED',
      `${path} cannot be listened on (${systemCode(cause) ?? 'unknown'}).`,
      cause,
    );
  }
  chmodSync(path, 0o600);
  return ok({
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  });
}

function serve(socket: Socket, hands: FleetHands): void {
  const cutter = new LineCutter(longestOrder);
  let turn: Promise<void> = Promise.resolve();
  socket.on('error', () => {});
  socket.on('data', (piece: Buffer) => {
    for (const line of cutter.push(piece)) {
      turn = turn.then(async () => {
        const answer = await take(line, hands);
        if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`);
      });
    }
    if (cutter.overlong) socket.destroy();
  });
}

async function take(line: string, hands: FleetHands): Promise<FleetAnswer> {
  const order = parseJson(FleetOrder, line, 'USAGE');
  if (!order.ok) return { ok: false, detail: order.fault.detail };
  try {
    return await hands.obey(order.value);
  } catch (thrown) {
    return { ok: false, detail: toFault(thrown).detail };
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Gives an order to the fleet that listens there. Faults: SIMULATOR_SILENT, and USAGE with what it said. */
export async function order(
  path: string,
  what: FleetOrder,
): Promise<Result<Extract<FleetAnswer, { ok: true }>>> {
  const line = await new Promise<Result<string>>((resolve) => {
    const silent = (why: string, cause?: unknown): void => {
      socket.destroy();
      resolve(fail('SIMULATOR_SILENT', `Nothing answers at ${path} (${why}).`, cause));
    };
    const cutter = new LineCutter(longestAnswer);
    const socket = connect(path, () => socket.write(`${JSON.stringify(what)}\n`));
    socket.setTimeout(patienceMillis, () => silent('no answer in time'));
    socket.on('error', (cause) => silent(systemCode(cause) ?? cause.message, cause));
    socket.on('close', () => silent('it hung up'));
    socket.on('data', (piece: Buffer) => {
      const [answer] = cutter.push(piece);
      if (answer === undefined) return;
      resolve(ok(answer));
      socket.destroy();
    });
  });
  if (!line.ok) return line;
  const answer = parseJson(FleetAnswer, line.value, 'SIMULATOR_SILENT');
  if (!answer.ok) return answer;
  return answer.value.ok ? ok(answer.value) : fail('USAGE', answer.value.detail);
}

import { createServer, type Socket } from 'node:net';
import { HubRequest, type HubAnswer, hubLineLimit } from '#contracts/hub.ts';
import type { Fault, Result } from '#contracts/result.ts';
import { fail, ok } from '#contracts/result.ts';
import type { HubSettings } from '#contracts/settings/hub.ts';
import { ms } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { toFault } from '#runtime/errors.ts';
import { listen } from '#runtime/listen.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { parseValue } from '#runtime/parse.ts';
import { readLines } from '../halves/json-lines.ts';
import type { Keyring } from './keyring.ts';

export interface Service {
  close(): Promise<void>;
}

interface ServiceParts {
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when a new key was taken: somebody must look for its handshake. */
  readonly offered: () => void;
}

/** A terminal asks one thing and goes; these bounds are for one that has gone wrong, or is no terminal. */
const mostConnections = 512;
const mostOfOne = 4;
const patience = ms(10_000);

/**
 * The hub's service for terminals that change a key: JSON lines over TCP at the probe address. Who speaks is the
 * address that it comes from: WireGuard lets nobody else use it, and whoever forges it outside the tunnel gets no answer,
 * since the way back leads into the tunnel. Each speaks for its own terminal only.
 *
 * Faults: PORT_IN_USE, ADDRESS_REFUSED.
 */
export async function startService(
  { probeAddress, servicePort }: Pick<HubSettings, 'probeAddress' | 'servicePort'>,
  parts: ServiceParts,
): Promise<Result<Service>> {
  const sockets = new Map<Socket, string>();
  const server = createServer((socket) => {
    const from = socket.remoteAddress ?? '';
    socket.on('error', () => socket.destroy());
    const ofThis = [...sockets.values()].filter((one) => one === from).length;
    if (sockets.size >= mostConnections || ofThis >= mostOfOne) {
      socket.destroy();
      return;
    }
    sockets.set(socket, from);
    const cancel = parts.clock.after(patience, () => socket.destroy());
    socket.once('close', () => {
      cancel();
      sockets.delete(socket);
    });
    // One after the other, so that answers come in the order of the questions.
    let turn: Promise<void> = Promise.resolve();
    readLines(socket, hubLineLimit, (line) => {
      turn = turn
        .then(async () => {
          const said = await answerLine(line, from, parts);
          if (said === undefined) socket.destroy();
          else if (!socket.destroyed) socket.write(`${JSON.stringify(said)}\n`);
        })
        .catch((thrown: unknown) => {
          parts.log.error('A question could not be answered', faultFields(toFault(thrown)));
          socket.destroy();
        });
    });
  });
  const listening = await listen(
    {
      listen: ({ host, port }) =>
        new Promise<void>((resolve, reject) => {
          server.once('error', reject);
          server.listen({ host, port }, () => {
            server.off('error', reject);
            server.on('error', () => {});
            resolve();
          });
        }),
      addresses: () => [],
    },
    { host: probeAddress, port: servicePort },
  );
  if (!listening.ok) return listening;
  return ok({
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets.keys()) socket.destroy();
        server.close(() => resolve());
      }),
  });
}

/** The answer to one line, or undefined where there is none to give: it has no number to answer to. */
export async function answerLine(
  line: string,
  from: string,
  parts: ServiceParts,
): Promise<HubAnswer | undefined> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const id = (value as { id?: unknown } | null)?.id;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1) return undefined;
  const done = await act(value, from, parts);
  const time = instant(parts.clock.wall());
  if (done.ok) return { id, ok: true, time, keys: parts.keyring.keys(done.value) };
  const { code, detail } = tellable(done.fault);
  return { id, ok: false, time, code, detail: detail.slice(0, 500) };
}

/** Does what is asked; the answer is the terminal that it was done for. */
async function act(value: unknown, from: string, parts: ServiceParts): Promise<Result<string>> {
  const { keyring, log } = parts;
  const speaker = keyring.registry.speaker(from);
  if (speaker === undefined) return fail('TERMINAL_UNKNOWN', 'No terminal has this address here.');
  const { terminal } = speaker;
  const request = parseValue(HubRequest, value, 'REQUEST_INVALID');
  if (!request.ok) return request;
  let done: Result<void> = ok(undefined);
  if (request.value.verb === 'offer') {
    done = await keyring.offer(terminal, request.value);
    parts.offered();
  } else if (request.value.verb === 'path') {
    done = await keyring.limit(terminal, request.value.mtu);
  }
  if (done.ok) return ok(terminal);
  log.warn('A terminal was refused', { terminal, verb: request.value.verb, ...faultFields(done.fault) });
  return done;
}

/** What a terminal need not know of the hub's machine stays here: it is in the log. */
function tellable({ code, detail }: Fault): { code: string; detail: string } {
  const own = ['REQUEST_INVALID', 'TERMINAL_UNKNOWN'].includes(code);
  return { code, detail: own ? detail : 'See the log of the hub.' };
}

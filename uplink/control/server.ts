import { createServer, type Socket } from 'node:net';
import { ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log, LogFields } from '#runtime/log.ts';
import { Connection } from './connection.ts';
import { farewell } from './farewell.ts';
import type { Handlers } from './handlers.ts';
import { type Caller, callerOf, type KnownUsers } from './rights.ts';
import { listenAt } from './socket-file.ts';

/** Most connections at once, and how many of them others than root and the helper's own user may hold. */
const mostConnections = 32;
const mostOfOthers = 24;
/** Complaints about what others send are logged no more often than this. */
const complaintEvery = ms(10_000);

export interface ControlParts {
  /** Path of the socket. */
  readonly path: string;
  readonly handlers: Handlers;
  /** Who is at the other end, by the kernel's word. */
  readonly credentialsOf: (socket: Socket) => Result<{ readonly uid: number }>;
  /** Asked for at every connection: the agent's user may be made later. */
  readonly users: () => KnownUsers;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Control {
  close(): Promise<void>;
}

/**
 * Opens the control socket: JSON lines, the verbs of `contracts/uplink.ts` and no others. Nobody who connects can make
 * it stop, block others or hold memory without bound; whoever has no right to ask is told so and put out.
 *
 * Faults: ADDRESS_REFUSED where another process answers there, FILE_REFUSED where the socket cannot be made.
 */
export async function openControl(parts: ControlParts): Promise<Result<Control>> {
  const { log } = parts;
  const connections = new Map<Socket, Caller>();
  const complain = sparingly(parts.clock, (text, fields) => log.warn(text, fields));
  const ofOthers = (): number =>
    [...connections.values()].filter((caller) => caller !== 'root' && caller !== 'own').length;

  const leaving = new Set<Socket>();
  const leave = (socket: Socket, code: string, detail: string): void => {
    // Where very many come at once, the later ones are not even told why.
    if (leaving.size >= mostConnections) return void socket.destroy();
    leaving.add(socket);
    socket.on('close', () => leaving.delete(socket));
    farewell(socket, { code, detail }, parts.clock);
  };

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // What goes wrong with one connection is the end of that connection and no more.
    socket.on('error', () => socket.destroy());
    const who = parts.credentialsOf(socket);
    const caller = who.ok ? callerOf(who.value.uid, parts.users()) : 'other';
    if (caller === 'other') {
      complain('Somebody without the right to it has come to the control socket', {
        code: 'UPLINK_DENIED',
        ...(who.ok ? { uid: who.value.uid } : { detail: who.fault.detail }),
      });
      leave(socket, 'UPLINK_DENIED', 'This user may not ask anything of the uplink.');
      return;
    }
    const full = connections.size >= mostConnections || (caller === 'agent' && ofOthers() >= mostOfOthers);
    if (full) {
      complain('The control socket has as many connections as it takes', { caller });
      leave(socket, 'UPLINK_ABSENT', 'The uplink has as many connections as it takes; try again later.');
      return;
    }
    connections.set(socket, caller);
    socket.on('close', () => connections.delete(socket));
    new Connection(socket, {
      caller,
      handlers: parts.handlers,
      clock: parts.clock,
      note: (text, fields) => log.info(text, fields),
      complain,
    }).listen();
  });
  const listening = await listenAt(server, parts.path, parts.clock);
  if (!listening.ok) return listening;
  server.on('error', (error) => log.error('The control socket failed', { detail: error.message }));
  return ok({
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of [...connections.keys(), ...leaving]) socket.destroy();
      });
    },
  });
}

/** Passes on one of what may be very many, with how many were left out before it. */
function sparingly(
  clock: Clock,
  say: (text: string, fields: LogFields) => void,
): (text: string, fields: LogFields) => void {
  let next = 0;
  let withheld = 0;
  return (text, fields) => {
    const now = clock.monotonic();
    if (now < next) {
      withheld++;
      return;
    }
    next = now + complaintEvery;
    say(text, withheld === 0 ? fields : { ...fields, withheld });
    withheld = 0;
  };
}

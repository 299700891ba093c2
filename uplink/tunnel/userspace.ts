import { existsSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Children } from '#runtime/child.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { step, wg, wireguardGo } from '../tools/tools.ts';

/** Where wireguard-go has its sockets: wireguard.com/xplatform. */
export const wireguardSockets = '/var/run/wireguard';

/**
 * A wireguard-go that runs on its own, in no need of us: it was made by this run or by an earlier one, and its
 * interface may be in another namespace than we are. It is reached through its socket, which is a file.
 */
export interface Program {
  /** Settles when it has ended, however. */
  readonly gone: Promise<void>;
  /** Ends it in order, and its interface with it, five seconds at most; whether it has ended. */
  end(): Promise<boolean>;
}

/** Whether there is a socket by this name. It may be one that a program left which was killed. */
export function hasSocket(name: string, sockets: string): boolean {
  return existsSync(join(sockets, `${name}.sock`));
}

/** Holds a connection to the program: it breaks when the program ends, so that nothing need be asked again and again. */
export function holdProgram(name: string, clock: Clock, sockets: string): Program {
  const path = join(sockets, `${name}.sock`);
  const socket = connect(path);
  const gone = new Promise<void>((resolve) => {
    // An error is followed by `close`: nobody is there.
    socket.on('error', () => {});
    socket.once('close', () => resolve());
  });
  socket.resume();
  socket.unref();
  return {
    gone,
    async end() {
      socket.ref();
      const over = new AbortController();
      // wireguard-go watches its socket, and ends in order when that is taken away.
      try {
        rmSync(path, { force: true });
      } catch {
        // It then does not hear of it, and is waited for in vain.
      }
      const ended = await Promise.race([
        gone.then(() => true),
        pause(clock, ms(5000), over.signal).then(() => false),
      ]);
      over.abort();
      socket.destroy();
      return ended;
    },
  };
}

/**
 * Starts wireguard-go for a new interface in this namespace. It goes on by itself in a session of its own, so that it
 * outlives us: a crash of this process is no reason for the tunnel to fall.
 */
export async function startProgram(name: string, children: Children): Promise<Result<void>> {
  // With a level of its own, its output would stay tied to ours: it would hold us up now, and die of it later.
  const options = { detached: true, env: { LOG_LEVEL: '' } };
  const started = await step(children, 'TUNNEL_FAILED', `creating ${name}`, wireguardGo, [name], options);
  return started.ok ? ok(undefined) : started;
}

/** Whether somebody does WireGuard for the interface. Faults where that cannot be known. */
export async function answers(name: string, children: Children): Promise<Result<boolean>> {
  const shown = await step(children, 'TUNNEL_FAILED', `asking ${name}`, wg, ['show', name, 'peers']);
  if (shown.ok) return ok(true);
  // One that may not be asked is alive all the same, and somebody else's.
  const { code, detail } = shown.fault;
  return code === 'TOOL_MISSING' || /not permitted|permission denied/i.test(detail) ? shown : ok(false);
}

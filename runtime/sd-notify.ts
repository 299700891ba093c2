import { type Millis, ms } from '#contracts/units.ts';
import type { Children } from './child.ts';

/**
 * What a process says of itself to the service manager (sd_notify(3)). Each is harmless where no service manager
 * listens. A message that cannot be sent is dropped: the manager's own timeouts then decide.
 */
export interface Notifier {
  ready(status: string): Promise<void>;
  status(text: string): Promise<void>;
  stopping(): Promise<void>;
  /** One sign of progress. Called by the loop that is to be watched, never by a timer of its own. */
  alive(): Promise<void>;
  /** How often `alive` must be called: half of the unit's WatchdogSec; undefined where nobody watches. */
  readonly watchdogEvery: Millis | undefined;
}

const tool = { name: 'systemd-notify', package: 'systemd' };

/**
 * The notifier of this process, by the variables that the service manager set (NOTIFY_SOCKET, WATCHDOG_USEC,
 * WATCHDOG_PID).
 *
 * Node has no datagram sockets of the Unix family, so each message is sent by `systemd-notify`. That is a process of
 * its own, so the unit needs `NotifyAccess=all` (sd_notify(3)); the program waits until the manager has taken the
 * message (its barrier, systemd 246 and newer), so that the sender cannot be gone before it was matched to the unit.
 * It costs some milliseconds, so the watchdog should be tens of seconds.
 */
export function notifier(env: Readonly<Record<string, string | undefined>>, children: Children): Notifier {
  const socket = env['NOTIFY_SOCKET'];
  const send = async (...messages: string[]): Promise<void> => {
    if (socket === undefined || socket === '') return;
    await children.run(tool, messages, { env: { NOTIFY_SOCKET: socket }, timeout: ms(5000) });
  };
  return {
    ready: (status) => send('--ready', `--status=${status}`),
    status: (text) => send(`--status=${text}`),
    stopping: () => send('STOPPING=1'),
    alive: () => send('WATCHDOG=1'),
    watchdogEvery: watchdogEvery(env),
  };
}

function watchdogEvery(env: Readonly<Record<string, string | undefined>>): Millis | undefined {
  const micros = Number(env['WATCHDOG_USEC']);
  if (!Number.isSafeInteger(micros) || micros <= 0) return undefined;
  // Meant for another process: sd_watchdog_enabled(3).
  const pid = env['WATCHDOG_PID'];
  if (pid !== undefined && pid !== String(process.pid)) return undefined;
  return ms(micros / 2000);
}

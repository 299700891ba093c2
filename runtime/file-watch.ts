import { stat } from 'node:fs/promises';
import type { Millis } from '#contracts/units.ts';
import type { Clock } from './clock.ts';
import { systemCode } from './errors.ts';

/**
 * Which file stands at a path right now: a file that was replaced, rewritten, or removed has another stamp. Nanoseconds
 * of the change time are in it, since a file may be replaced twice within a millisecond.
 */
export async function fileStamp(file: string): Promise<string> {
  try {
    const { dev, ino, size, ctimeNs, mtimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, ctimeNs, mtimeNs].join(':');
  } catch (thrown) {
    const code = systemCode(thrown) ?? 'unknown';
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'absent' : code;
  }
}

export interface FileWatch {
  /** Ends the watch; waits for a `changed` that is running. */
  close(): Promise<void>;
}

/**
 * Looks at a file every so often and calls `changed` whenever another one stands there than at the last look. Polling
 * instead of the kernel's notices: those are lost when a folder is replaced or mounted over, and one stat is cheap.
 *
 * `from` is the stamp taken before the caller first read the file, so that no change in between is missed. With `still`,
 * a file counts as changed only when two looks in a row saw it alike: one that is being written is not read half.
 */
export function watchFile(options: {
  readonly file: string;
  readonly from: string;
  readonly every: Millis;
  readonly clock: Clock;
  readonly still?: boolean;
  /** False asks for another call at the next look: the file could not be read for a reason that may pass. */
  readonly changed: () => Promise<boolean>;
}): FileWatch {
  const { file, every, clock, still = false, changed } = options;
  let taken: string | undefined = options.from;
  let seen = options.from;
  let closed = false;
  let running: Promise<void> = Promise.resolve();
  let cancel = (): void => {};
  const look = async (): Promise<void> => {
    const now = await fileStamp(file);
    const settled = !still || now === seen;
    seen = now;
    if (closed || now === taken || !settled) return;
    taken = now;
    if (!(await changed())) taken = undefined;
  };
  const wait = (): void => {
    if (closed) return;
    cancel = clock.after(every, () => {
      running = look().finally(wait);
    });
  };
  wait();
  return {
    async close() {
      closed = true;
      cancel();
      await running;
    },
  };
}

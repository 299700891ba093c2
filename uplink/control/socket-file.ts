import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';

/**
 * Listens at a Unix socket of mode 0660 in a folder of mode 0750, which is made where there is none. The file of a
 * process that has ended is replaced.
 *
 * Faults: ADDRESS_REFUSED where somebody answers there; FILE_REFUSED where something else lies there, or it cannot be
 * made.
 */
export async function listenAt(server: Server, path: string, clock: Clock): Promise<Result<void>> {
  try {
    // Once more where it was made here: the umask of the service takes the rights of the group away.
    if (mkdirSync(dirname(path), { recursive: true }) !== undefined) chmodSync(dirname(path), 0o750);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found !== undefined) {
      if (!found.isSocket())
        return fail('FILE_REFUSED', `${path}: something that is not a socket lies there`);
      if (await answers(path, clock))
        return fail('ADDRESS_REFUSED', `${path}: another process answers there; only one uplink can run.`);
      unlinkSync(path);
    }
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
    // Until here only the folder kept others out; credentials are looked at in any case.
    chmodSync(path, 0o660);
    return ok(undefined);
  } catch (cause) {
    return fail('FILE_REFUSED', `${path}: ${systemCode(cause) ?? 'it cannot be listened at'}`, cause);
  }
}

/** Whether a process listens there. One that is too busy to answer at once is alive too. */
function answers(path: string, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (alive: boolean): void => {
      cancel();
      socket.destroy();
      resolve(alive);
    };
    const cancel = clock.after(ms(2000), () => end(true));
    socket.once('connect', () => end(true));
    socket.once('error', (cause) =>
      end(systemCode(cause) !== 'ECONNREFUSED' && systemCode(cause) !== 'ENOENT'),
    );
  });
}

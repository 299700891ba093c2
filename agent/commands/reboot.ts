import { unlink, writeFile } from 'node:fs/promises';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { fileStamp } from '#runtime/file-watch.ts';
import { systemCode } from '#runtime/errors.ts';

/** systemd starts the unit within moments of seeing the file. */
const patience = ms(15_000);
const lookEvery = ms(250);

/**
 * The agent may not restart the machine: it leaves a file, which `checkpost-reboot.path` sees and
 * `checkpost-reboot.service` takes away before it restarts the machine. Where nobody takes it, there is no such unit.
 * Faults: COMMAND_UNSUPPORTED, FILE_REFUSED.
 */
export async function askForReboot({
  file,
  clock,
  signal,
}: {
  readonly file: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<Result<string>> {
  try {
    // Not synced: a wish for a restart must not survive a power cut, which is one.
    await writeFile(file, '', { mode: 0o600 });
  } catch (cause) {
    return fail('FILE_REFUSED', `${file} cannot be written (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
  const until = clock.monotonic() + patience;
  while (clock.monotonic() < until && !signal.aborted) {
    if ((await fileStamp(file)) === 'absent') return ok('The terminal starts again.');
    await pause(clock, lookEvery, signal);
  }
  await unlink(file).catch(() => {});
  return fail(
    'COMMAND_UNSUPPORTED',
    `Nothing takes ${file}: is checkpost-reboot.path installed and started on this terminal?`,
  );
}

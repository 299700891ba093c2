import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode } from '#runtime/errors.ts';

/**
 * Writes a file durably: beside its place, synced, renamed over it, and the folder synced. Whoever reads it meanwhile
 * sees the old one or the new one, and so does a machine that loses power.
 */
export async function replaceFile(file: string, bytes: Uint8Array, mode: number): Promise<Result<void>> {
  // Two at once write two files; the later rename wins, and both were whole.
  const beside = join(dirname(file), `.${basename(file)}.${process.pid}.new`);
  try {
    await rm(beside, { force: true });
    const handle = await open(beside, 'wx', mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
    await syncFolder(dirname(file));
    return ok(undefined);
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => {});
    return fail('FILE_REFUSED', `${file} cannot be written (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
}

/** Makes what was created, renamed or removed in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (thrown) {
    // File systems of memory sticks cannot sync a folder and say so; any other failure is one.
    if (systemCode(thrown) !== 'EINVAL' && systemCode(thrown) !== 'ENOTSUP') throw thrown;
  } finally {
    await handle.close();
  }
}

import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode } from '#runtime/errors.ts';

// Not node:fs/promises: it brings Node's reader of lines and more, 1 MiB in a process that has no other use for them.
const open = promisify(fs.open);
const write = promisify(fs.writeFile);
const sync = promisify(fs.fsync);
const close = promisify(fs.close);
const rename = promisify(fs.rename);
const unlink = promisify(fs.unlink);

/**
 * Writes a file durably: beside its place, synced, renamed over it, and the folder synced. Whoever reads it meanwhile
 * sees the old one or the new one, and so does a machine that loses power.
 */
export async function replaceFile(file: string, bytes: Uint8Array, mode: number): Promise<Result<void>> {
  // Two at once write two files; the later rename wins, and both were whole.
  const beside = join(dirname(file), `.${basename(file)}.${process.pid}.new`);
  try {
    await removed(beside);
    const fd = await open(beside, 'wx', mode);
    try {
      await write(fd, bytes);
      await sync(fd);
    } finally {
      await close(fd);
    }
    await rename(beside, file);
    await syncFolder(dirname(file));
    return ok(undefined);
  } catch (cause) {
    await removed(beside).catch(() => {});
    return fail('FILE_REFUSED', `${file} cannot be written (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
}

/** Makes what was created, renamed or removed in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const fd = await open(folder, 'r');
  try {
    await sync(fd);
  } catch (thrown) {
    // File systems of memory sticks cannot sync a folder and say so; any other failure is one.
    if (systemCode(thrown) !== 'EINVAL' && systemCode(thrown) !== 'ENOTSUP') throw thrown;
  } finally {
    await close(fd);
  }
}

async function removed(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
  }
}

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode } from '#runtime/errors.ts';
import { onDisk } from './part-file.ts';

/** Removes what was begun or fetched and is of none of these files; the answer is how many files went. */
export async function tidyDownloads(folder: string, keep: ReadonlySet<string>): Promise<Result<number>> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return ok(0);
    return fail('FILE_REFUSED', `${folder} (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
  const old = names.filter((name) => {
    const [, sha256] = /^([0-9a-f]{64})\.(?:part|leaves)$/.exec(name) ?? [];
    return sha256 !== undefined && !keep.has(sha256);
  });
  for (const name of old) {
    const gone = await onDisk(join(folder, name), () => rm(join(folder, name), { force: true }));
    if (!gone.ok) return gone;
  }
  return ok(old.length);
}

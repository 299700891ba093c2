import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprintKeysFolder } from '#contracts/fingerprint-keys.ts';
import { ok, type Result } from '#contracts/result.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import type { Repository } from './repository.ts';
import { isKeysName } from './repository-path.ts';

/**
 * Brings the fingerprint keys that the authority has handed out, each wrapped to one terminal, onto a stick, and takes
 * away those of terminals that get none any more. The fault is FILE_REFUSED; what the system refuses to read is thrown.
 */
export async function writeStickKeys(repository: Repository, out: string): Promise<Result<void>> {
  const from = repository.at(fingerprintKeysFolder);
  const to = join(out, fingerprintKeysFolder);
  const names = await keysIn(from);
  if (names.length > 0) await mkdir(to, { recursive: true });
  for (const name of names) {
    const written = await replaceFile(join(to, name), await readFile(join(from, name)), 0o644);
    if (!written.ok) return written;
  }
  for (const name of await keysIn(to)) if (!names.includes(name)) await rm(join(to, name));
  return ok(undefined);
}

/** None before the first rotation. */
async function keysIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(isKeysName);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}

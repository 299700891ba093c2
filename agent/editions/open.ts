import { readFile } from 'node:fs/promises';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Edition, openEdition as openBytes } from '#formats/edition.ts';
import type { TrustedKey } from '#formats/envelope.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import { systemCode } from '#runtime/errors.ts';

export interface EditionKeys {
  /** Only those of the role `editions` are believed. */
  readonly trusted: readonly TrustedKey[];
  readonly fingerprint: NamedSecret;
}

/**
 * Opens the edition in this file, whole or not at all. Faults: EDITION_ABSENT (no such file), FILE_REFUSED (it cannot
 * be read), and those of formats/edition.ts; each names the file.
 */
export async function openEdition(file: string, keys: EditionKeys): Promise<Result<Edition>> {
  const bytes = await readEditionFile(file);
  if (!bytes.ok) return bytes;
  const opened = openBytes(bytes.value, keys);
  return opened.ok ? opened : fail(opened.fault.code, `${file}: ${opened.fault.detail}`, opened.fault.cause);
}

async function readEditionFile(file: string): Promise<Result<Buffer>> {
  try {
    return ok(await readFile(file));
  } catch (cause) {
    const code = systemCode(cause) ?? 'unknown';
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return fail('EDITION_ABSENT', `${file} is not there.`, cause);
    return fail('FILE_REFUSED', `${file} cannot be read (${code}).`, cause);
  }
}

import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { readFingerprintKey, readSigningKey } from '#central/publisher/index.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import { authorityFiles } from '#provisioning/index.ts';
import { systemCode } from '#runtime/errors.ts';
import type { CommandArguments } from './command.ts';

/** Keys of `checkpost edition`, out of the authority's folder. */
type SigningKeyName = 'editions' | 'editions-snapshot' | 'editions-timestamp';

/** The private keys of these names, in their order. Faults: CREDENTIAL_UNREADABLE, PASSPHRASE_WRONG. */
export async function readEditionKeys<const N extends readonly SigningKeyName[]>(
  args: CommandArguments,
  names: N,
): Promise<Result<{ readonly [I in keyof N]: KeyObject }>> {
  const files = authorityFiles(args.text('authority') ?? '');
  const passphrase = await readPassphrase(args.text('passphrase-file'));
  if (!passphrase.ok) return passphrase;
  const keys: KeyObject[] = [];
  for (const name of names) {
    const key = await readSigningKey(files.key(name), passphrase.value);
    if (!key.ok) return key;
    keys.push(key.value);
  }
  return ok(keys as unknown as { readonly [I in keyof N]: KeyObject });
}

/** The present fingerprint key, or the one of this id before it: editions may be of that until the next is published. */
export async function readFingerprintKeyOf(id: string, authority: string): Promise<Result<NamedSecret>> {
  const files = authorityFiles(authority);
  const present = await readFingerprintKey(files.fingerprint);
  if (!present.ok || present.value.id === id || !/^\d+$/.test(id)) return present;
  const before = await readFingerprintKey(files.fingerprintOf(id));
  return before.ok ? before : present;
}

/** The root of trust for a repository that is begun. The fault is CREDENTIAL_UNREADABLE. */
export async function readEditionsRoot(file: string): Promise<Result<Buffer>> {
  try {
    return ok(await readFile(file));
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `${file} (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
}

/** A passphrase is never an argument, which every user of the machine can see: it stands in a file, on its first line. */
async function readPassphrase(file: string | undefined): Promise<Result<string | undefined>> {
  if (file === undefined) return ok(undefined);
  try {
    return ok((await readFile(file, 'utf8')).split(/\r?\n/)[0] ?? '');
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `${file} (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
}

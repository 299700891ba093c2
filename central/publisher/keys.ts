import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import Type from 'typebox';
import { fail, ok, type Result } from '#contracts/result.ts';
import { readPrivateKey } from '#formats/envelope.ts';
import { type NamedSecret, readNamedSecret } from '#formats/keyed.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';

/** The publisher's keys from their files; a fault names the file and never what is in it. */

const SecretFile = Type.Object({
  // As long as the header of an edition has room for.
  id: Type.String({ pattern: '^[A-Za-z0-9._-]{1,62}$' }),
  secret: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});

/** The bureau's fingerprint key (formats/keyed.ts, NamedSecretFile). */
export async function readFingerprintKey(file: string): Promise<Result<NamedSecret>> {
  const text = await readText(file);
  if (!text.ok) return text;
  const parsed = parseJson(SecretFile, text.value, 'CREDENTIAL_UNREADABLE');
  return parsed.ok ? ok(readNamedSecret(parsed.value)) : named(file, parsed.fault.detail);
}

/** An Ed25519 private key in PEM. */
export async function readSigningKey(file: string, passphrase?: string): Promise<Result<KeyObject>> {
  const text = await readText(file);
  if (!text.ok) return text;
  const key = readPrivateKey(text.value, passphrase);
  if (!key.ok) return fail(key.fault.code, `${file}: ${key.fault.detail}`, key.fault.cause);
  return key.value.asymmetricKeyType === 'ed25519' ? key : named(file, 'It is not an Ed25519 key.');
}

async function readText(file: string): Promise<Result<string>> {
  try {
    return ok(await readFile(file, 'utf8'));
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `${file} (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
}

function named(file: string, detail: string) {
  return fail('CREDENTIAL_UNREADABLE', `${file}: ${detail}`);
}

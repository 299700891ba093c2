import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fail, ok, type Result } from '#contracts/result.ts';
import { TrustedKeys } from '#contracts/trusted-keys.ts';
import { readPrivateKey, readTrustedKey, type TrustedKey } from '#formats/envelope.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';
import type { Signer } from './ports.ts';

export interface OrderKeys {
  readonly signer: Signer;
  readonly trusted: readonly TrustedKey[];
}

/**
 * Reads the online key and the keys that uploads are checked with. Faults: CREDENTIAL_UNREADABLE, also where terminals
 * would not believe the key: each of them would refuse whatever it signed.
 */
export function readOrderKeys(files: {
  readonly key: string;
  readonly keyId: string;
  readonly trusted: string;
}): Result<OrderKeys> {
  const texts = { key: '', trusted: '' };
  for (const name of ['key', 'trusted'] as const) {
    try {
      texts[name] = readFileSync(files[name], 'utf8');
    } catch (cause) {
      return fail('CREDENTIAL_UNREADABLE', `${files[name]} (${systemCode(cause) ?? 'unknown'}).`, cause);
    }
  }
  const key = readPrivateKey(texts.key);
  if (!key.ok)
    return fail('CREDENTIAL_UNREADABLE', `${files.key} is not a private key without a passphrase, in PEM.`);
  const file = parseJson(TrustedKeys, texts.trusted, 'CREDENTIAL_UNREADABLE');
  if (!file.ok) return fail('CREDENTIAL_UNREADABLE', `${files.trusted}: ${file.fault.detail}`);
  let trusted: TrustedKey[];
  try {
    trusted = file.value.keys.map(readTrustedKey);
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `${files.trusted} holds what is not a public key.`, cause);
  }
  const known = trusted.find((one) => one.id === files.keyId && one.role === 'commands');
  if (known === undefined || !known.key.equals(createPublicKey(key.value)))
    return fail(
      'CREDENTIAL_UNREADABLE',
      `${files.key} is not the key ${files.keyId} of the role commands in ${files.trusted}.`,
    );
  return ok({ signer: { id: files.keyId, key: key.value }, trusted });
}

import type { KeyObject } from 'node:crypto';
import type { Static } from 'typebox';
import { NamedSecretText } from '#contracts/enrolment.ts';
import { fingerprintKeyContext, FingerprintKeys, fingerprintKeysType } from '#contracts/fingerprint-keys.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { openEnvelope, type TrustedKey } from '#formats/envelope.ts';
import { unwrap } from '#formats/sealed.ts';
import { parseJson } from '#runtime/parse.ts';

/**
 * The fingerprint keys in a file of the repository (contracts/fingerprint-keys.ts), where it is signed by the bureau's
 * key for editions, made for this terminal, and wrapped to its key; `file` is undefined where there is none. The faults'
 * details say which of these does not hold: NOT_FOUND, ENVELOPE_INVALID, SIGNATURE_REFUSED, REQUEST_FOREIGN, SEAL_BROKEN.
 */
export function openFingerprintKeys(
  file: Buffer | undefined,
  own: {
    readonly terminal: string;
    readonly wrapping: KeyObject;
    readonly trusted: readonly TrustedKey[];
  },
): Result<Static<typeof NamedSecretText>[]> {
  if (file === undefined) return fail('NOT_FOUND', 'There is none.');
  let envelope: unknown;
  try {
    envelope = JSON.parse(file.toString('utf8'));
  } catch (cause) {
    return fail('ENVELOPE_INVALID', 'It is not JSON.', cause);
  }
  const signed = openEnvelope(envelope, {
    payloadType: fingerprintKeysType,
    role: 'editions',
    trusted: own.trusted,
  });
  if (!signed.ok) return signed;
  const parsed = parseJson(FingerprintKeys, signed.value.payload.toString('utf8'), 'ENVELOPE_INVALID');
  if (!parsed.ok) return parsed;
  const { terminal, keys } = parsed.value;
  if (terminal !== own.terminal) return fail('REQUEST_FOREIGN', `It was made for ${terminal}.`);
  const secrets: Static<typeof NamedSecretText>[] = [];
  for (const { id, wrapped } of keys) {
    const plain = unwrap(own.wrapping, fingerprintKeyContext(terminal, id), wrapped);
    if (!plain.ok)
      return fail('SEAL_BROKEN', 'It was wrapped to another key than this terminal has.', plain.fault);
    const secret = parseJson(NamedSecretText, plain.value.toString('utf8'), 'ENVELOPE_INVALID');
    if (!secret.ok) return secret;
    if (secret.value.id !== id) return fail('ENVELOPE_INVALID', 'A key in it has another id than it says.');
    secrets.push(secret.value);
  }
  return ok(secrets);
}

import type { Static, TSchema } from 'typebox';
import type { ErrorCode } from '#contracts/errors.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Envelope, openEnvelope, type TrustedKey } from '#formats/envelope.ts';
import { parseJson } from '#runtime/parse.ts';
import { sha256 } from './keys.ts';

/** A signed file of the stick: its parsed payload, the digest of the payload's exact bytes, and the envelope. */
export interface SignedFile<T> {
  readonly payload: T;
  readonly digest: string;
  readonly envelope: Envelope;
}

/**
 * Parses a signed file without believing it: to find out which key must have signed it. `code` is the fault where it is
 * damaged or something else.
 */
export function peek<S extends TSchema>(
  schema: S,
  text: string,
  payloadType: string,
  code: ErrorCode,
): Result<SignedFile<Static<S>>> {
  let envelope: Partial<Envelope> | null;
  try {
    envelope = JSON.parse(text) as Partial<Envelope> | null;
  } catch {
    return fail(code, 'It is not JSON: it was damaged or only half written.');
  }
  if (typeof envelope?.payload !== 'string' || envelope.payloadType !== payloadType) {
    return fail(code, `It is not a signed file of the type ${payloadType}.`);
  }
  const bytes = Buffer.from(envelope.payload, 'base64');
  const payload = parseJson(schema, bytes.toString('utf8'), code);
  if (!payload.ok) return payload;
  return ok({ payload: payload.value, digest: sha256(bytes), envelope: envelope as Envelope });
}

/** Whether one of the keys has signed it for enrolment or configuration; each key is believed in its own role only. */
export function signedBy(
  file: SignedFile<unknown>,
  keys: readonly TrustedKey[],
  role: TrustedKey['role'],
): Result<void> {
  const opened = openEnvelope(file.envelope, { payloadType: file.envelope.payloadType, role, trusted: keys });
  return opened.ok ? ok(undefined) : opened;
}

/** The key that an enrolment code gives, as the envelope of a bundle or request names it. */
export function codeKeyId(token: string): string {
  return `code-${token}`;
}

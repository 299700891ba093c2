import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { fail, ok, type Result } from '#contracts/result.ts';

/**
 * Signed envelopes after DSSE (Dead Simple Signing Envelope, protocol 1.0.0): what is signed is the type and the exact
 * bytes of the payload, so that nothing needs to be made canonical. Signatures are Ed25519 (RFC 8032).
 */
export interface Envelope {
  readonly payloadType: string;
  /** Base64 of the payload. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** What a key may sign; a key of one role is never believed in another. */
export type SigningRole = 'configuration' | 'commands' | 'editions' | 'releases' | 'enrolment';

/** A public key that is trusted for one role. */
export interface TrustedKey {
  readonly id: string;
  readonly role: SigningRole;
  readonly key: KeyObject;
}

/** A trusted key as it is written to a file. */
export interface TrustedKeyFile {
  readonly id: string;
  readonly role: SigningRole;
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKey: string;
}

export function readTrustedKey(file: TrustedKeyFile): TrustedKey {
  return { id: file.id, role: file.role, key: createPublicKey(file.publicKey) };
}

/** The exact bytes that are signed: `DSSEv1 <length of type> <type> <length of payload> <payload>`. */
function preAuthentication(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}

export function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  signer: { readonly id: string; readonly key: KeyObject },
): Envelope {
  const sig = sign(null, preAuthentication(payloadType, payload), signer.key).toString('base64');
  return {
    payloadType,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: signer.id, sig }],
  };
}

/** The payload, if a trusted key of the role has signed it as this type. */
export function openEnvelope(
  value: unknown,
  expected: {
    readonly payloadType: string;
    readonly role: SigningRole;
    readonly trusted: readonly TrustedKey[];
  },
): Result<{ payload: Buffer; signedBy: string }> {
  const envelope = asEnvelope(value);
  if (envelope === undefined) return fail('ENVELOPE_INVALID', 'It has no type, payload and signatures.');
  if (envelope.payloadType !== expected.payloadType) {
    return fail('ENVELOPE_INVALID', `It is a ${envelope.payloadType}, not a ${expected.payloadType}.`);
  }
  const payload = Buffer.from(envelope.payload, 'base64');
  const signed = preAuthentication(envelope.payloadType, payload);
  for (const signature of envelope.signatures) {
    const trusted = expected.trusted.find((key) => key.id === signature.keyid && key.role === expected.role);
    if (trusted !== undefined && verify(null, signed, trusted.key, Buffer.from(signature.sig, 'base64'))) {
      return ok({ payload, signedBy: trusted.id });
    }
  }
  return fail('SIGNATURE_REFUSED', `None of its signatures is by a key trusted for ${expected.role}.`);
}

function asEnvelope(value: unknown): Envelope | undefined {
  const candidate = value as Partial<Envelope> | null | undefined;
  if (typeof candidate !== 'object' || candidate === null) return undefined;
  const { payloadType, payload, signatures } = candidate;
  if (typeof payloadType !== 'string' || typeof payload !== 'string' || !Array.isArray(signatures))
    return undefined;
  const whole = signatures.every(
    (entry: unknown) =>
      typeof (entry as { keyid?: unknown } | null)?.keyid === 'string' &&
      typeof (entry as { sig?: unknown } | null)?.sig === 'string',
  );
  return whole ? { payloadType, payload, signatures } : undefined;
}

/** An Ed25519 private key from PEM, encrypted or not. */
export function readPrivateKey(pem: string, passphrase?: string): Result<KeyObject> {
  try {
    return ok(createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase }));
  } catch (cause) {
    return fail('PASSPHRASE_WRONG', 'The private key could not be opened.', cause);
  }
}

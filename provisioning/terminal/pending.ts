import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import {
  type Bundle,
  type EnrolmentRequest,
  NamedSecretText,
  requestType,
  type WireguardKeys,
} from '#contracts/enrolment.ts';
import { ok, type Result } from '#contracts/result.ts';
import { signEnvelope } from '#formats/envelope.ts';
import { parseJson } from '#runtime/parse.ts';
import { codeKeyId, type SignedFile } from '../envelopes.ts';
import { makeFolder, readOptional, remove, writeWhole } from '../files.ts';
import { newSecret, privatePem, sha256 } from '../keys.ts';
import type { Parts } from '../ports.ts';
import { makeRequest, makeTlsKeys } from '../x509.ts';

/**
 * What the terminal keeps between the two halves of its enrolment, in `enrolment/pending.json` of its state folder: the
 * keys that it has made, and the request that was signed with the code. It is gone when the terminal is enrolled.
 */
const Pending = Type.Object(
  {
    token: Type.String(),
    /** SHA-256 of the payload of the bundle that the code has vouched for. */
    bundle: Type.String(),
    tlsKey: Type.String(),
    wrappingKey: Type.String(),
    seal: NamedSecretText,
    auditSeal: NamedSecretText,
    /** `request.json` as it is written to the stick, and the SHA-256 of its payload. */
    request: Type.String(),
    requestDigest: Type.String(),
  },
  { additionalProperties: false },
);
export type Pending = Static<typeof Pending>;

/** The kept one, or undefined where there is none or a damaged one: then enrolment begins anew. */
export function readPending(state: string): Pending | undefined {
  const text = readOptional(pendingFile(state));
  const parsed = text === undefined ? undefined : parseJson(Pending, text, 'CREDENTIAL_UNREADABLE');
  return parsed?.ok === true ? parsed.value : undefined;
}

/** Makes the terminal's keys and its request, and keeps them durably before anything leaves the terminal. */
export async function makePending(
  state: string,
  bundle: SignedFile<Bundle>,
  codeKey: KeyObject,
  wireguard: WireguardKeys | undefined,
  parts: Parts,
): Promise<Result<Pending>> {
  const tls = makeTlsKeys();
  const wrapping = generateKeyPairSync('x25519');
  const { token, terminal } = bundle.payload;
  const request: EnrolmentRequest = {
    v: 1,
    token: token.id,
    bundle: bundle.digest,
    terminal,
    certificateRequest: await makeRequest(terminal, tls),
    wrappingKey: wrapping.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    ...(wireguard !== undefined && { wireguard }),
  };
  const payload = Buffer.from(JSON.stringify(request));
  const envelope = signEnvelope(requestType, payload, { id: codeKeyId(token.id), key: codeKey });
  const ownSecret = (): Static<typeof NamedSecretText> => JSON.parse(newSecret(parts.random)) as never;
  const pending: Pending = {
    token: token.id,
    bundle: bundle.digest,
    tlsKey: privatePem(tls.privateKey),
    wrappingKey: privatePem(wrapping.privateKey),
    seal: ownSecret(),
    auditSeal: ownSecret(),
    request: `${JSON.stringify(envelope)}\n`,
    requestDigest: sha256(payload),
  };
  makeFolder(join(state, 'enrolment'));
  writeWhole(pendingFile(state), JSON.stringify(pending));
  return ok(pending);
}

export function pendingKeys(pending: Pending): { readonly tls: KeyObject; readonly wrapping: KeyObject } {
  return { tls: createPrivateKey(pending.tlsKey), wrapping: createPrivateKey(pending.wrappingKey) };
}

/** Done with: its copies of the keys go. */
export function removePending(state: string): void {
  remove(pendingFile(state));
}

function pendingFile(state: string): string {
  return join(state, 'enrolment', 'pending.json');
}

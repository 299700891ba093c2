import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Static, TSchema } from 'typebox';
import {
  answerType,
  type Bundle,
  EnrolmentAnswer,
  type EnrolmentSecret,
  NamedSecretText,
  PresharedKeys,
  wrapContext,
} from '#contracts/enrolment.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { readTrustedKey } from '#formats/envelope.ts';
import { unwrap, type Wrapped } from '#formats/sealed.ts';
import { parseJson } from '#runtime/parse.ts';
import { peek, signedBy } from '../envelopes.ts';
import { type Pending, pendingKeys } from './pending.ts';

/** What the authority gave: the certificate and the one that issued it in PEM, and the bureau's secrets. */
export interface Given {
  readonly certificate: string;
  readonly fingerprint: Static<typeof NamedSecretText>;
  /** The key before, where the editions that are published were made with that one. */
  readonly fingerprintBefore?: Static<typeof NamedSecretText>;
  readonly auditDigest: Static<typeof NamedSecretText>;
  /** Where the bundle has a network. */
  readonly presharedKeys?: PresharedKeys;
}

/**
 * Opens `answer.json`: it must be signed by the enrolment key of the bundle, made for this very request, and its
 * certificate must be for this terminal's own key and come from the bundle's authority. Whether the certificate's time
 * has come is not asked: the clock of a terminal that is being enrolled may be wrong.
 */
export function openAnswer(text: string, bundle: Bundle, pending: Pending): Result<Given> {
  const file = peek(EnrolmentAnswer, text, answerType, 'ENVELOPE_INVALID');
  if (!file.ok) return file;
  const signed = signedBy(file.value, bundle.trusted.map(readTrustedKey), 'enrolment');
  if (!signed.ok) return signed;
  const answer = file.value.payload;
  if (answer.request !== pending.requestDigest || answer.terminal !== bundle.terminal) {
    return fail('REQUEST_FOREIGN', 'The answer on the stick was not made for the request of this terminal.');
  }
  const keys = pendingKeys(pending);
  const wrong = certificateComplaint(answer.certificate, bundle, keys.tls);
  if (wrong !== undefined) return fail('CERTIFICATE_REFUSED', wrong);
  const open = <S extends TSchema>(schema: S, name: EnrolmentSecret, wrapped: Wrapped): Result<Static<S>> =>
    openSecret(schema, name, wrapped, pending, keys.wrapping);
  const fingerprint = open(NamedSecretText, 'fingerprint', answer.fingerprint);
  if (!fingerprint.ok) return fingerprint;
  const before =
    answer.fingerprintBefore === undefined
      ? undefined
      : open(NamedSecretText, 'fingerprint-before', answer.fingerprintBefore);
  if (before?.ok === false) return before;
  const auditDigest = open(NamedSecretText, 'audit-digest', answer.auditDigest);
  if (!auditDigest.ok) return auditDigest;
  const preshared =
    answer.presharedKeys === undefined
      ? undefined
      : open(PresharedKeys, 'preshared-keys', answer.presharedKeys);
  if (preshared?.ok === false) return preshared;
  if (bundle.network?.hubs.some(({ name }) => preshared?.value[name] === undefined) === true)
    return fail('ENVELOPE_INVALID', 'The answer lacks the preshared key of a hub.');
  return ok({
    certificate: answer.certificate,
    fingerprint: fingerprint.value,
    ...(before !== undefined && { fingerprintBefore: before.value }),
    auditDigest: auditDigest.value,
    ...(preshared !== undefined && { presharedKeys: preshared.value }),
  });
}

function certificateComplaint(pem: string, bundle: Bundle, own: KeyObject): string | undefined {
  try {
    const [leaf, issuing] = (
      pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    ).map((text) => new X509Certificate(text));
    if (leaf === undefined || issuing === undefined) return 'The certificate in the answer lacks its issuer.';
    const root = new X509Certificate(bundle.authority);
    const chained =
      leaf.checkIssued(issuing) &&
      leaf.verify(issuing.publicKey) &&
      issuing.ca &&
      issuing.checkIssued(root) &&
      issuing.verify(root.publicKey);
    if (!chained) return 'The certificate in the answer does not come from the authority of the bundle.';
    if (!leaf.publicKey.equals(createPublicKey(own)))
      return 'The certificate in the answer is for another key.';
    const names = leaf.subject.split('\n');
    return names.includes(`CN=${bundle.terminal}`)
      ? undefined
      : 'The certificate in the answer is for another name.';
  } catch {
    return 'The certificate in the answer cannot be read.';
  }
}

function openSecret<S extends TSchema>(
  schema: S,
  name: EnrolmentSecret,
  wrapped: Wrapped,
  pending: Pending,
  wrappingKey: KeyObject,
): Result<Static<S>> {
  const plain = unwrap(wrappingKey, wrapContext(name, pending.requestDigest), wrapped);
  return plain.ok ? parseJson(schema, plain.value.toString('utf8'), 'SEAL_BROKEN') : plain;
}

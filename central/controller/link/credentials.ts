import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { wall } from '#contracts/units.ts';
import { systemCode } from '#runtime/errors.ts';

export interface CredentialFiles {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export interface NamedCredentials extends CredentialFiles {
  /** The common name of the certificate: who we are for the broker. */
  readonly name: string;
}

/**
 * Reads the controller's certificate and key (PEM). Faults: CREDENTIAL_UNREADABLE, and CERTIFICATE_EXPIRED for its own,
 * of which a broker would only say that it does not like it.
 */
export function readCredentials(files: CredentialFiles, clock: Clock): Result<NamedCredentials> {
  const texts = { authority: '', certificate: '', key: '' };
  for (const name of ['authority', 'certificate', 'key'] as const) {
    try {
      texts[name] = readFileSync(files[name], 'utf8');
    } catch (cause) {
      return fail('CREDENTIAL_UNREADABLE', `${files[name]} (${systemCode(cause) ?? 'unknown'}).`, cause);
    }
  }
  try {
    const certificate = new X509Certificate(texts.certificate);
    const end = wall(certificate.validToDate.getTime());
    if (end < clock.wall()) return fail('CERTIFICATE_EXPIRED', `${files.certificate} ended ${instant(end)}.`);
    const name = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
    if (name === undefined) return fail('CREDENTIAL_UNREADABLE', `${files.certificate} names nobody.`);
    return ok({ ...texts, name });
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `${files.certificate} is not a certificate in PEM.`, cause);
  }
}

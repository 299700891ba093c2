import { fail, type Result } from '#contracts/result.ts';
import { systemCode } from './errors.ts';

/** What OpenSSL and Node call a certificate that has run out, on this side and on the other. */
const expired = new Set([
  'CERT_HAS_EXPIRED',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
  'ERR_SSL_TLSV1_ALERT_CERTIFICATE_EXPIRED',
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED',
]);

/**
 * The fault of a failed TLS connection where it is about a certificate, so that it is told apart from a dead line;
 * undefined where it is not. `where` ends the sentence: `the centre`, `the broker`.
 */
export function certificateFault(cause: unknown, where: string): Result<never> | undefined {
  const code = systemCode(cause) ?? '';
  if (expired.has(code)) return fail('CERTIFICATE_EXPIRED', `At the connection to ${where}.`, cause);
  if (code === 'CERT_NOT_YET_VALID')
    return fail('CERTIFICATE_NOT_YET_VALID', `At the connection to ${where}.`, cause);
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|ALERT/.test(code))
    return fail('CERTIFICATE_REFUSED', `At the connection to ${where} (${code}).`, cause);
  return undefined;
}

import type { TLSSocket } from 'node:tls';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';

/** Who a connection belongs to, by the certificate that it was made with. */
export interface Identity {
  readonly terminal: string;
  /** SHA-256 of the certificate in DER, hexadecimal. */
  readonly certificate: string;
  readonly validUntil: WallTime;
}

/**
 * Reads the other side's certificate, which TLS has checked against the authority already. The fault is
 * CERTIFICATE_REFUSED where it carries no single name.
 */
export function identityOf(socket: TLSSocket): Result<Identity> {
  const { subject, fingerprint256, valid_to: validTo } = socket.getPeerCertificate();
  // With several common names the library gives a list, whatever its type says.
  const name: unknown = subject?.CN;
  if (typeof name !== 'string' || !socket.authorized) {
    return fail('CERTIFICATE_REFUSED', 'It does not name one terminal.');
  }
  return ok({
    terminal: name,
    certificate: fingerprint256.replaceAll(':', '').toLowerCase(),
    validUntil: Date.parse(validTo) as WallTime,
  });
}

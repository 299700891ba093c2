import type { KeyObject } from 'node:crypto';
import { wall } from '#contracts/units.ts';
import { instant } from '#runtime/clock.ts';
import type { Parts } from '../ports.ts';
import { certificateDigest, type CertificateUse, issueCertificate, type Issuer } from '../x509.ts';
import { lifetimes } from './layout.ts';
import type { AuthorityStore } from './store.ts';

/** Issues a certificate and enters it in the authority's ledger, inside the caller's transaction. PEM, and its digest. */
export async function issueAndEnter(
  order: {
    readonly use: CertificateUse & { readonly kind: 'server' | 'terminal' };
    readonly commonName: string;
    readonly organisation: string;
    readonly publicKey: KeyObject;
  },
  issuer: Issuer,
  store: AuthorityStore,
  parts: Parts,
): Promise<{ certificate: string; digest: string }> {
  const now = parts.clock.wall();
  const serial = newSerial(parts);
  const notAfter = wall(now + lifetimes[order.use.kind]);
  const certificate = await issueCertificate(
    { ...order, serial, notBefore: wall(now - lifetimes.backdate), notAfter },
    issuer,
  );
  const digest = certificateDigest(certificate);
  store.run(
    'INSERT INTO certificates (serial, kind, subject, sha256, not_after, issued_at) VALUES (?, ?, ?, ?, ?, ?)',
    serial,
    order.use.kind,
    order.commonName,
    digest,
    instant(notAfter),
    instant(now),
  );
  return { certificate, digest };
}

/** 16 random octets, positive and without a leading zero, hexadecimal (RFC 5280 § 4.1.2.2). */
export function newSerial(parts: Parts): string {
  const bytes = parts.random(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

// The library's dependency injection needs this before anything of it is loaded.
import 'reflect-metadata';
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as LibraryCertificate,
  X509CertificateGenerator,
  X509CrlGenerator,
  X509CrlReason,
} from '@peculiar/x509';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';

/**
 * Certificates (RFC 5280), certificate requests (RFC 2986) and revocation lists, all ECDSA on P-256 with SHA-256. This
 * file alone knows the library; the rest sees PEM text and `KeyObject`.
 */
const curve = { name: 'ECDSA', namedCurve: 'P-256' };
const signing = { name: 'ECDSA', hash: 'SHA-256' };

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function makeTlsKeys(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** What the certificate is for: the authority's own two, a server of the centre, a terminal. */
export type CertificateUse =
  | { readonly kind: 'root' }
  | { readonly kind: 'issuing' }
  | { readonly kind: 'server'; readonly dns: readonly string[]; readonly ip: readonly string[] }
  | { readonly kind: 'terminal' };

export interface Issuer {
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: KeyObject;
}

export interface CertificateOrder {
  readonly use: CertificateUse;
  readonly commonName: string;
  readonly organisation: string;
  readonly publicKey: KeyObject;
  /** Hexadecimal, at most 20 octets, first bit 0 (RFC 5280 § 4.1.2.2). */
  readonly serial: string;
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
}

/** Issues a certificate; a root is its own issuer and gives its private key alone. PEM. */
export async function issueCertificate(order: CertificateOrder, issuer: Issuer | KeyPair): Promise<string> {
  const name = [{ CN: [order.commonName] }, { O: [order.organisation] }];
  const publicKey = await importPublic(order.publicKey);
  const above = 'certificate' in issuer ? new LibraryCertificate(issuer.certificate) : undefined;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: order.serial,
    subject: name,
    issuer: above === undefined ? name : above.subjectName,
    notBefore: new Date(order.notBefore),
    notAfter: new Date(order.notAfter),
    publicKey,
    signingKey: await importPrivate(issuer.privateKey),
    signingAlgorithm: signing,
    extensions: [
      ...extensions(order.use),
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(above?.publicKey ?? publicKey),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

function extensions(use: CertificateUse): Extension[] {
  if (use.kind === 'root' || use.kind === 'issuing') {
    return [
      // One issuing level stands below the root, and nothing below that.
      new BasicConstraintsExtension(true, use.kind === 'root' ? 1 : 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ];
  }
  const common = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
  ];
  if (use.kind === 'terminal')
    return [...common, new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])];
  return [
    ...common,
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    new SubjectAlternativeNameExtension([
      ...use.dns.map((value) => ({ type: 'dns' as const, value })),
      ...use.ip.map((value) => ({ type: 'ip' as const, value })),
    ]),
  ];
}

/** A certificate request, PEM: proves possession of the private key, asks for nothing but a name. */
export async function makeRequest(commonName: string, keys: KeyPair): Promise<string> {
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys: { privateKey: await importPrivate(keys.privateKey), publicKey: await importPublic(keys.publicKey) },
    signingAlgorithm: signing,
  });
  return `${request.toString('pem')}\n`;
}

/** The name and key of a request whose own signature holds and whose key is on P-256; whatever else it asks is ignored. */
export async function readRequest(
  pem: string,
): Promise<Result<{ commonName: string; publicKey: KeyObject }>> {
  try {
    const request = new Pkcs10CertificateRequest(pem);
    const publicKey = createPublicKey({
      key: Buffer.from(request.publicKey.rawData),
      type: 'spki',
      format: 'der',
    });
    if (publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
      return fail('REQUEST_INVALID', 'The key of the certificate request is not ECDSA on P-256.');
    }
    if (!(await request.verify()))
      return fail('SIGNATURE_REFUSED', 'The certificate request is not signed by its own key.');
    return ok({ commonName: request.subjectName.getField('CN')[0] ?? '', publicKey });
  } catch (cause) {
    return fail('REQUEST_INVALID', 'The certificate request cannot be read.', cause);
  }
}

export interface Revoked {
  readonly serial: string;
  readonly at: WallTime;
}

/**
 * The issuing certificate's revocation list, PEM. It names no next update on purpose: a list that ran out would make the
 * broker refuse every terminal at once, so a list stands until a newer one replaces it.
 */
export async function makeRevocationList(
  issuer: Issuer,
  list: { readonly number: number; readonly thisUpdate: WallTime; readonly revoked: readonly Revoked[] },
): Promise<string> {
  const certificate = new LibraryCertificate(issuer.certificate);
  const crl = await X509CrlGenerator.create({
    issuer: certificate.subjectName,
    thisUpdate: new Date(list.thisUpdate),
    entries: list.revoked.map(({ serial, at }) => ({
      serialNumber: serial,
      revocationDate: new Date(at),
      reason: X509CrlReason.unspecified,
    })),
    extensions: [
      await AuthorityKeyIdentifierExtension.create(certificate.publicKey),
      new Extension('2.5.29.20', false, derInteger(list.number)),
    ],
    signingAlgorithm: signing,
    signingKey: await importPrivate(issuer.privateKey),
  });
  // The library writes the label CRL; OpenSSL, and so the broker, knows X509 CRL alone (RFC 7468 § 6).
  return `${crl.toString('pem').replace(/(BEGIN|END) CRL/g, '$1 X509 CRL')}\n`;
}

/** SHA-256 of a certificate in DER, hexadecimal, as the registry has it; of the first one where the text has several. */
export function certificateDigest(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
}

/** A small non-negative integer in DER (X.690 § 8.3), for the list's number. */
function derInteger(value: number): Uint8Array<ArrayBuffer> {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const body = (bytes[0] ?? 0) >= 0x80 ? [0, ...bytes] : [...bytes];
  return new Uint8Array([0x02, body.length, ...body]);
}

function importPrivate(key: KeyObject): Promise<CryptoKey> {
  const der = key.export({ type: 'pkcs8', format: 'der' });
  return crypto.subtle.importKey('pkcs8', new Uint8Array(der), curve, true, ['sign']);
}

function importPublic(key: KeyObject): Promise<CryptoKey> {
  const der = key.export({ type: 'spki', format: 'der' });
  return crypto.subtle.importKey('spki', new Uint8Array(der), curve, true, ['verify']);
}

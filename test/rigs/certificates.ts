// The library's dependency injection needs this before anything of it is loaded.
import 'reflect-metadata';
import { createHash } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/**
 * Real certificates for tests: an authority made on the spot, and what it issues to servers and terminals. ECDSA on
 * P-256, as the authority of provisioning/ uses.
 */
const curve = { name: 'ECDSA', namedCurve: 'P-256' };
const signing = { name: 'ECDSA', hash: 'SHA-256' };
const day = 86_400_000;

export interface Order {
  /** Common name: a terminal's id, or any name for a server. */
  readonly name: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  /** Days from now that it holds; 1 where nothing is said. */
  readonly days?: number;
  /** Instead of `days`: the end itself, which may lie in the past. */
  readonly notAfter?: Date;
  /** An hour ago, or a day before an end that lies in the past, where nothing is said. */
  readonly notBefore?: Date;
}

/** PEM texts, and the certificate's SHA-256 in hexadecimal as the registry has it. */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
  readonly digest: string;
}

export interface TestAuthority {
  /** The root certificate, PEM. */
  readonly certificate: string;
  issue(order: Order): Promise<Credentials>;
}

export async function makeAuthority(name = 'Test authority'): Promise<TestAuthority> {
  const keys = await crypto.subtle.generateKey(curve, true, ['sign', 'verify']);
  const now = Date.now();
  const root = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: [name] }],
    // Early enough for certificates that have expired long ago.
    notBefore: new Date(now - 3650 * day),
    notAfter: new Date(now + 3650 * day),
    keys,
    signingAlgorithm: signing,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    certificate: root.toString('pem'),
    issue: (order) => issue(root, keys.privateKey, order),
  };
}

async function issue(root: X509Certificate, rootKey: CryptoKey, order: Order): Promise<Credentials> {
  const keys = await crypto.subtle.generateKey(curve, true, ['sign', 'verify']);
  const now = Date.now();
  const notAfter = order.notAfter ?? new Date(now + (order.days ?? 1) * day);
  const notBefore = order.notBefore ?? new Date(Math.min(now - day / 24, notAfter.getTime() - day));
  const names = [
    ...(order.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(order.ip ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [order.name] }],
    issuer: root.subjectName,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey: rootKey,
    signingAlgorithm: signing,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
    ],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const lines = pkcs8.match(/.{1,64}/g) ?? [];
  return {
    certificate: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`,
    digest: createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex'),
  };
}

/** 16 random octets, the first bit 0 (RFC 5280 § 4.1.2.2). */
function serial(): string {
  const bytes = Buffer.from(crypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

import { join } from 'node:path';
import type { SigningRole } from '#formats/envelope.ts';
import { ms } from '#contracts/units.ts';

/** Where an authority keeps what; the same names for whoever reads them (publisher, controller, lookup service). */
export interface AuthorityFiles {
  readonly database: string;
  /** Root certificate, PEM: what everybody trusts. */
  readonly root: string;
  /** Issuing certificate, PEM: sent along by whoever has a certificate from it. */
  readonly issuing: string;
  /** Revocation list of the issuing certificate, PEM: for the broker. */
  readonly revoked: string;
  /** Public keys, each for one role. */
  readonly trusted: string;
  /** contracts/registry.ts: for the lookup service and the controller. */
  readonly registry: string;
  /** Private key, PKCS#8 in PEM. */
  readonly key: (name: KeyName) => string;
  /** Root of trust of the editions (formats/trust): public, for the repository and the terminals. */
  readonly editionsRoot: string;
  /** The bureau's fingerprint key (formats/keyed.ts, NamedSecretFile): for the publisher and, wrapped, the terminals. */
  readonly fingerprint: string;
  /** The key that comes next, while it is being handed out: nothing is made with it yet. */
  readonly fingerprintNext: string;
  /** The key that the published editions were made with when the present one was made. */
  readonly fingerprintBefore: string;
  /** A key that was the present one before. */
  readonly fingerprintOf: (id: string) => string;
  /** The bureau's audit-digest key (NamedSecretFile): for its auditors and, wrapped, the terminals. */
  readonly auditDigest: string;
  /** What the preshared keys of the tunnels are made from (NamedSecretFile): stays here. */
  readonly preshared: string;
}

export type KeyName = 'root' | 'issuing' | SigningRole | EditionKey;

/**
 * Keys that describe editions beside that of the role `editions`, which signs which files an edition is made of: three
 * of which two sign who may sign at all, one for what belongs together, and one, online, for what is the newest.
 */
export const editionKeys = [
  'editions-root-1',
  'editions-root-2',
  'editions-root-3',
  'editions-snapshot',
  'editions-timestamp',
] as const;
export type EditionKey = (typeof editionKeys)[number];

export const signingRoles = ['configuration', 'commands', 'editions', 'releases', 'enrolment'] as const;

export function authorityFiles(dir: string): AuthorityFiles {
  return {
    database: join(dir, 'authority.db'),
    root: join(dir, 'authority.pem'),
    issuing: join(dir, 'issuing.pem'),
    revoked: join(dir, 'revoked.pem'),
    trusted: join(dir, 'trusted.json'),
    registry: join(dir, 'registry.json'),
    key: (name) => join(dir, 'keys', `${name}.pem`),
    editionsRoot: join(dir, 'editions-root.json'),
    fingerprint: join(dir, 'keys', 'fingerprint.json'),
    fingerprintNext: join(dir, 'keys', 'fingerprint-next.json'),
    fingerprintBefore: join(dir, 'keys', 'fingerprint-before.json'),
    fingerprintOf: (id) => join(dir, 'keys', `fingerprint-${id}.json`),
    auditDigest: join(dir, 'keys', 'audit-digest.json'),
    preshared: join(dir, 'keys', 'preshared.json'),
  };
}

/** Id of the first key of a role; rotation will count on from 1. */
export function keyId(role: SigningRole): string {
  return `${role}-1`;
}

const day = 86_400_000;

/** How long certificates hold. */
export const lifetimes = {
  root: ms(20 * 365 * day),
  issuing: ms(10 * 365 * day),
  server: ms(2 * 365 * day),
  terminal: ms(365 * day),
  /** Until then the root of trust of the editions must be signed anew. */
  editionsRoot: ms(5 * 365 * day),
  /** A server's certificate is made anew when less than this is left. */
  renewBefore: ms(30 * day),
  /** Certificates begin this much earlier than they are made: clocks of terminals and servers differ. */
  backdate: ms(3_600_000),
} as const;

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
  /** The bureau's fingerprint key (formats/keyed.ts, NamedSecretFile): for the publisher and, wrapped, the terminals. */
  readonly fingerprint: string;
  /** The bureau's audit-digest key (NamedSecretFile): for its auditors and, wrapped, the terminals. */
  readonly auditDigest: string;
}

export type KeyName = 'root' | 'issuing' | SigningRole;

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
    fingerprint: join(dir, 'keys', 'fingerprint.json'),
    auditDigest: join(dir, 'keys', 'audit-digest.json'),
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
  /** A server's certificate is made anew when less than this is left. */
  renewBefore: ms(30 * day),
  /** Certificates begin this much earlier than they are made: clocks of terminals and servers differ. */
  backdate: ms(3_600_000),
} as const;

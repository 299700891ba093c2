import { createHmac } from 'node:crypto';
import type { PresharedKeys } from '#contracts/enrolment.ts';
import { newSecret } from '../keys.ts';
import { readOptional, writeWhole } from '../files.ts';
import type { Parts } from '../ports.ts';
import { readSecret, type Secret } from './fingerprint-files.ts';
import type { AuthorityFiles } from './layout.ts';

/** The secret that preshared keys come from; made at its first use, since older authorities have none. */
export function presharedSecret(files: AuthorityFiles, { random }: Parts): Secret {
  if (readOptional(files.preshared) === undefined) writeWhole(files.preshared, newSecret(random));
  return readSecret(files.preshared);
}

/**
 * The preshared key of a terminal at a hub, for the enrolment whose request has this digest (SHA-256, hexadecimal): made
 * from the secret each time, so that no database holds one. 32 bytes in base64, as WireGuard takes them.
 */
export function presharedKey({ secret }: Secret, terminal: string, hub: string, request: string): string {
  const what = ['checkpost wireguard preshared 1', terminal, hub, request].join('\n');
  return createHmac('sha256', Buffer.from(secret, 'hex')).update(what).digest('base64');
}

export function presharedKeys(
  secret: Secret,
  terminal: string,
  hubs: readonly string[],
  request: string,
): PresharedKeys {
  return Object.fromEntries(hubs.map((hub) => [hub, presharedKey(secret, terminal, hub, request)]));
}

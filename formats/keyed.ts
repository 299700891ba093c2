import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { SearchKey } from '#contracts/search-key.ts';

/**
 * Keyed values of a search key. A `KeyObject` is made once and passed in: with raw bytes Node 24 takes six times as
 * long for every HMAC.
 */

/** A secret with an id, so that what was made with it says which one it was. */
export interface NamedSecret {
  readonly id: string;
  readonly key: KeyObject;
}

/** 32 random bytes that were kept as hexadecimal in a file `{"id":…,"secret":…}`. */
export interface NamedSecretFile {
  readonly id: string;
  readonly secret: string;
}

export function readNamedSecret(file: NamedSecretFile): NamedSecret {
  return { id: file.id, key: createSecretKey(Buffer.from(file.secret, 'hex')) };
}

/** Digest of a search key in the audit: the key's version, a colon and 128 bits in hexadecimal. */
export function auditDigest(secret: NamedSecret, key: SearchKey): string {
  return `${secret.id}:${createHmac('sha256', secret.key).update(key).digest('hex').slice(0, 32)}`;
}

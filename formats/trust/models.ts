import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { Metadata, MetadataKind, Signature } from '@tufjs/models';
import { keyId, type RoleFile, type RoleJson, type RoleName } from './roles.ts';

/**
 * The one file that knows the library `@tufjs/models`. It is used for what must agree with other implementations of
 * The Update Framework to the last byte: canonical JSON, what is signed, and the counting of signatures.
 *
 * The client of its sister package `tuf-js` is not used: it takes the time from the process, and needs a fresh timestamp
 * where a terminal is seeded from a stick.
 */

/** A private Ed25519 key that signs; its id follows from it. */
export interface Signer {
  readonly key: KeyObject;
}

type Json = Parameters<typeof Metadata.fromJSON>[1];

function load(role: RoleName, json: Json) {
  switch (role) {
    case 'root':
      return Metadata.fromJSON(MetadataKind.Root, json);
    case 'timestamp':
      return Metadata.fromJSON(MetadataKind.Timestamp, json);
    case 'snapshot':
      return Metadata.fromJSON(MetadataKind.Snapshot, json);
    default:
      return Metadata.fromJSON(MetadataKind.Targets, json);
  }
}

/** The 32 bytes of the public half of an Ed25519 key, hexadecimal; of any other key nothing, which no reader accepts. */
export function publicKeyHex(key: KeyObject): string {
  if (key.asymmetricKeyType !== 'ed25519') return '';
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  return Buffer.from(x ?? '', 'base64url').toString('hex');
}

/** The id by which metadata names the key; the same for both halves. */
export function keyIdOf(key: KeyObject): string {
  return keyId(publicKeyHex(key));
}

/** The file of a role with one signature of each signer; compact, since it crosses a slow line. */
export function signRole<R extends RoleName>(
  role: R,
  signed: RoleJson[R],
  signers: readonly Signer[],
): Buffer {
  const metadata = load(role, { signatures: [], signed });
  for (const { key } of signers) {
    const keyID = keyIdOf(key);
    metadata.sign((data) => new Signature({ keyID, sig: sign(null, data, key).toString('hex') }));
  }
  return Buffer.from(JSON.stringify(metadata.toJSON()));
}

/** Undefined if enough different keys that the root trusts for its role have signed the file, or else what is wrong. */
export function findUnsigned(root: RoleFile<'root'>, file: RoleFile): unknown {
  try {
    load('root', root.json as Json).verifyDelegate(file.role, load(file.role, file.json as Json));
    return undefined;
  } catch (cause) {
    return cause;
  }
}

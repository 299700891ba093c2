import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { fail, ok, type Result } from '#contracts/result.ts';

/** Sealed values: AES-256-GCM with a random 96-bit nonce in front and the 128-bit tag behind (NIST SP 800-38D). */
const nonceLength = 12;
const tagLength = 16;

/** `context` binds the value to its place: a sealed outbox item is not a sealed re-check. */
export function seal(key: KeyObject, context: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

export function unseal(key: KeyObject, context: string, sealed: Uint8Array): Result<Buffer> {
  if (sealed.length < nonceLength + tagLength) return fail('SEAL_BROKEN', 'The sealed value is too short.');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceLength))
      .setAAD(Buffer.from(context))
      .setAuthTag(sealed.subarray(sealed.length - tagLength));
    const plain = decipher.update(sealed.subarray(nonceLength, sealed.length - tagLength));
    return ok(Buffer.concat([plain, decipher.final()]));
  } catch (cause) {
    return fail('SEAL_BROKEN', 'The seal does not match.', cause);
  }
}

/** A secret wrapped to one terminal's X25519 key: an ephemeral key (RFC 7748), HKDF-SHA-256 (RFC 5869), then a seal. */
export interface Wrapped {
  /** The ephemeral public key, SubjectPublicKeyInfo in DER, base64. */
  readonly ephemeral: string;
  readonly sealed: string;
}

export function wrap(recipient: KeyObject, context: string, plain: Uint8Array): Wrapped {
  const ephemeral = generateKeyPairSync('x25519');
  const key = agree(ephemeral.privateKey, recipient, context);
  return {
    ephemeral: ephemeral.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    sealed: seal(key, context, plain).toString('base64'),
  };
}

export function unwrap(own: KeyObject, context: string, wrapped: Wrapped): Result<Buffer> {
  let key: KeyObject;
  try {
    const other = createPublicKey({
      key: Buffer.from(wrapped.ephemeral, 'base64'),
      type: 'spki',
      format: 'der',
    });
    key = agree(own, other, context);
  } catch (cause) {
    return fail('SEAL_BROKEN', 'The wrapped value holds no usable key.', cause);
  }
  return unseal(key, context, Buffer.from(wrapped.sealed, 'base64'));
}

function agree(privateKey: KeyObject, publicKey: KeyObject, context: string): KeyObject {
  const shared = diffieHellman({ privateKey, publicKey });
  return createSecretKey(
    Buffer.from(hkdfSync('sha256', shared, Buffer.alloc(0), `checkpost ${context}`, 32)),
  );
}

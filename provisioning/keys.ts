import { createHash, type KeyObject } from 'node:crypto';

/** A private key as PKCS#8 in PEM, encrypted where a passphrase is given. */
export function privatePem(key: KeyObject, passphrase: string | null = null): string {
  const form = { type: 'pkcs8', format: 'pem' } as const;
  return String(
    passphrase === null ? key.export(form) : key.export({ ...form, cipher: 'aes-256-cbc', passphrase }),
  );
}

/** A public key as SubjectPublicKeyInfo in PEM. */
export function publicPem(key: KeyObject): string {
  return String(key.export({ type: 'spki', format: 'pem' }));
}

/** SHA-256, hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A new secret as its file (formats/keyed.ts, NamedSecretFile): 32 random bytes. */
export function newSecret(random: (bytes: Uint8Array) => Uint8Array, id = '1'): string {
  return `${JSON.stringify({ id, secret: Buffer.from(random(new Uint8Array(32))).toString('hex') })}\n`;
}

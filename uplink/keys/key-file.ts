import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { wireguardKeyPattern } from '#contracts/settings/uplink.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode } from '#runtime/errors.ts';

/** A WireGuard key pair on disk: where the private half is, and the public half in text. */
export interface KeyFile {
  readonly file: string;
  readonly publicKey: string;
  /** True where it was made by this call: the hubs do not know it yet. */
  readonly made: boolean;
}

/** What stands before the 32 bytes in a PKCS #8 file of an X25519 key: RFC 8410 section 7. */
const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/**
 * Opens the private key file, or makes it where there is none: on this machine, mode 0600, whole on disk before it has
 * its name. The private key itself is never returned: `wg` reads the file.
 *
 * Faults: CREDENTIAL_UNREADABLE where it cannot be read, others may read it, or it is not a key; FILE_REFUSED where it
 * cannot be made.
 */
export function openKey(file: string): Result<KeyFile> {
  const found = readKey(file);
  if (found !== undefined) return found;
  const made = makeKey(file);
  if (!made.ok) return made;
  const read = readKey(file) ?? fail('FILE_REFUSED', `${file}: it was made, and is gone again`);
  return read.ok ? ok({ ...read.value, made: made.value }) : read;
}

/** The key in the file as it is, or undefined where there is none. Faults: CREDENTIAL_UNREADABLE. */
export function readKey(file: string): Result<KeyFile> | undefined {
  const key = readSecret(file);
  if (key === undefined || !key.ok) return key;
  return ok({ file, publicKey: publicKeyOf(key.value), made: false });
}

/**
 * The text of a file that holds a private key or a preshared one, or undefined where there is none.
 *
 * Faults: CREDENTIAL_UNREADABLE where it cannot be read, others may read it, or it is no key; none says what stands in it.
 */
export function readSecret(file: string): Result<string> | undefined {
  let text: string;
  let mode: number;
  try {
    // A link could lead to the key of somebody else.
    const handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      mode = fstatSync(handle).mode;
      text = readFileSync(handle, 'utf8');
    } finally {
      closeSync(handle);
    }
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT') return undefined;
    return fail('CREDENTIAL_UNREADABLE', `${file}: ${code === 'ELOOP' ? 'is a link' : code}`, cause);
  }
  if ((mode & 0o077) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    return fail(
      'CREDENTIAL_UNREADABLE',
      `${file}: others may read it (mode ${octal}), so it must be taken for known. Move it away and tell the bureau: a new key is made in its place.`,
    );
  }
  const key = text.trim();
  if (!new RegExp(wireguardKeyPattern).test(key))
    return fail('CREDENTIAL_UNREADABLE', `${file}: is not a WireGuard private key`);
  return ok(key);
}

/** True where it was made, false where another process was faster. */
function makeKey(file: string): Result<boolean> {
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(draft, `${newPrivateKey()}\n`, { mode: 0o600, flag: 'wx', flush: true });
    try {
      // A link and not a rename: it fails where there is a key by now, and so never replaces one.
      linkSync(draft, file);
    } catch (cause) {
      if (systemCode(cause) !== 'EEXIST') throw cause;
      return ok(false);
    } finally {
      unlinkSync(draft);
    }
    syncFolder(dirname(file));
    return ok(true);
  } catch (cause) {
    return fail('FILE_REFUSED', `${file}: ${systemCode(cause) ?? 'the key cannot be written'}`, cause);
  }
}

/** A new private key in text. */
export function newPrivateKey(): string {
  const { privateKey } = generateKeyPairSync('x25519');
  const { d } = privateKey.export({ format: 'jwk' });
  const raw = Buffer.from(d ?? '', 'base64url');
  // Clamped as `wg genkey` does (RFC 7748 section 5), so that the text is the same as what the interface reports.
  raw[0] = (raw[0] ?? 0) & 248;
  raw[31] = ((raw[31] ?? 0) & 127) | 64;
  return raw.toString('base64');
}

/** The public half of a private key in text. */
export function publicKeyOf(privateKey: string): string {
  const der = Buffer.concat([pkcs8, Buffer.from(privateKey, 'base64')]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return Buffer.from(x ?? '', 'base64url').toString('base64');
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

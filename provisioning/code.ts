import { createPrivateKey, createPublicKey, type KeyObject, scrypt } from 'node:crypto';
import { fail, ok, type Result } from '#contracts/result.ts';

/**
 * The enrolment code: 100 random bits in five groups of four, told to the engineer by other means than the stick. Its
 * letters and digits are Crockford's base 32 (no I, L, O, U), which survive being read over a telephone.
 *
 * The code gives a key pair: scrypt (RFC 7914) of code and salt is the seed of an Ed25519 key (RFC 8032). Its private
 * half signs the bundle at the authority and the request at the terminal; the authority keeps the public half only. So
 * neither the stick nor the authority's database holds anything that could stand in for the code.
 */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const groups = 5;
const groupLength = 4;

/** A new code, for example `7K3M-0QZT-…`. */
export function makeCode(random: (bytes: Uint8Array) => Uint8Array): string {
  // 256 is a multiple of 32: the low five bits of a random byte are uniform.
  const letters = [...random(new Uint8Array(groups * groupLength))]
    .map((byte) => alphabet[byte % 32])
    .join('');
  return (letters.match(new RegExp(`.{${groupLength}}`, 'g')) ?? []).join('-');
}

/** What was typed, made canonical: case, blanks and hyphens do not matter, and O, I and L are the digits they look like. */
export function readCode(typed: string): Result<string> {
  const plain = typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  if (plain.length !== groups * groupLength || !/^[0-9A-HJKMNP-TV-Z]+$/.test(plain)) {
    return fail('CODE_WRONG', 'A code has five groups of four letters and digits.');
  }
  return ok(plain);
}

/** The key pair of a canonical code; takes tens of milliseconds and 16 MiB on purpose. `salt` is hexadecimal. */
export async function codeKeys(
  code: string,
  salt: string,
): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  const seed = await new Promise<Buffer>((resolve, reject) => {
    const cost = { N: 16_384, r: 8, p: 1 };
    scrypt(`checkpost enrolment ${code}`, Buffer.from(salt, 'hex'), 32, cost, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
  // PKCS#8 of an Ed25519 seed (RFC 8410 § 7): a fixed prefix and the 32 bytes.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

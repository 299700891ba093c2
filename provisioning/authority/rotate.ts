import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import { readText, remove, writeWhole } from '../files.ts';
import { newSecret } from '../keys.ts';
import type { AuthorityAt, Parts } from '../ports.ts';
import { readOptionalSecret, readSecret, type Secret } from './fingerprint-files.ts';
import { handOut, type HandedOut } from './hand-out.ts';
import type { AuthorityFiles } from './layout.ts';
import { withAuthority } from './open.ts';

export interface RotateOrder extends AuthorityAt {
  /** The repository of the bureau's editions; terminals find their keys in its folder `keys`. */
  readonly repository: string;
  /** Id of the key that the newest edition in the repository was made with. */
  readonly publishedWith: string;
  /** Makes no key, but hands out the present one again. */
  readonly again: boolean;
}

export interface Rotated extends HandedOut {
  /** Id of the key that editions are made with from now on. */
  readonly key: string;
  /** Whether an earlier command had begun with this key and was interrupted. */
  readonly continued: boolean;
}

/**
 * Makes the bureau's next fingerprint key and hands it out: first the key is kept, then each terminal's copy of it is
 * written into the repository, and only then is it the one that editions are made with. Interrupted anywhere before
 * that, editions go on being made with the key before, and the same command goes on with the same new key; after that,
 * it makes the next one.
 *
 * Faults: AUTHORITY_ABSENT, AUTHORITY_BUSY, PASSPHRASE_WRONG, REPOSITORY_ABSENT (it is another bureau's),
 * CREDENTIAL_UNREADABLE; FILE_REFUSED is thrown.
 */
export function rotateFingerprint(order: RotateOrder, parts: Parts): Promise<Result<Rotated>> {
  return withAuthority(order, async (authority) => {
    const { files, store } = authority;
    if (!isOwn(order.repository, files)) {
      return fail(
        'REPOSITORY_ABSENT',
        `${order.repository} does not have the root of trust of this authority.`,
      );
    }
    const signer = authority.signer('editions');
    if (!signer.ok) return signer;
    // Nobody is enrolled meanwhile: whoever were would get the old key and stand in no list for the new one.
    return store.exclusively(async () => {
      const present = readSecret(files.fingerprint);
      const published = keyOf(order.publishedWith, present, files);
      const next = order.again
        ? ok({ secret: present, continued: false })
        : nextKey(order.publishedWith, present, files, parts);
      if (!next.ok) return next;
      const { secret, continued } = next.value;
      // A terminal that was away may need the key of the newest edition before it needs the new one.
      const keys = [secret, present, ...(published === undefined ? [] : [published])];
      const handed = handOut(store, order.repository, keys, signer.value);
      if (!order.again) makePresent(secret, present, published ?? present, files);
      return ok({ key: secret.id, continued, ...handed });
    });
  });
}

/** The key of the interrupted command, or a new one; its number is higher than any that an edition was made with. */
function nextKey(
  publishedWith: string,
  present: Secret,
  files: AuthorityFiles,
  { random }: Parts,
): Result<{ secret: Secret; continued: boolean }> {
  const number = numberOf(present.id);
  if (number === undefined)
    return fail('CREDENTIAL_UNREADABLE', `${files.fingerprint}: its id is no number.`);
  // An authority out of a backup may be behind its repository: two keys of one number would never be told apart.
  const id = String(Math.max(number, numberOf(publishedWith) ?? 0) + 1);
  const begun = readOptionalSecret(files.fingerprintNext);
  if (begun?.id === id) return ok({ secret: begun, continued: true });
  writeWhole(files.fingerprintNext, newSecret(random, id));
  return ok({ secret: readSecret(files.fingerprintNext), continued: false });
}

function makePresent(next: Secret, present: Secret, published: Secret, files: AuthorityFiles): void {
  const json = (secret: Secret): string => `${JSON.stringify(secret)}\n`;
  writeWhole(files.fingerprintOf(present.id), json(present));
  writeWhole(files.fingerprintBefore, json(published));
  writeWhole(files.fingerprint, json(next));
  remove(files.fingerprintNext);
}

/** The key of this id where the authority has it. */
function keyOf(id: string, present: Secret, files: AuthorityFiles): Secret | undefined {
  if (id === present.id) return present;
  return numberOf(id) === undefined ? undefined : readOptionalSecret(files.fingerprintOf(id));
}

function numberOf(id: string): number | undefined {
  return /^[1-9][0-9]{0,8}$/.test(id) ? Number(id) : undefined;
}

/** A mistyped path must not hand out one bureau's keys in the repository of another, where no terminal of it looks. */
function isOwn(repository: string, files: AuthorityFiles): boolean {
  const metadata = join(repository, 'metadata');
  if (!existsSync(metadata)) return false;
  const root = readText(files.editionsRoot);
  const roots = readdirSync(metadata).filter((name) => /^\d+\.root\.json$/.test(name));
  return roots.some((name) => readText(join(metadata, name)) === root);
}

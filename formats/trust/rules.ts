import { createHash } from 'node:crypto';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';
import { findUnsigned } from './models.ts';
import { date, type Listing, readRole, type RoleFile, type RoleName } from './roles.ts';

/** The single questions that the client's workflow (§ 5) asks of a file. */

/** How faults name a file: `snapshot 7`. */
export function label(file: Pick<RoleFile, 'role' | 'version'>): string {
  return `${file.role} ${file.version}`;
}

/** Whether enough of the keys that the root trusts for the file's role have signed it. Fault: TRUST_UNSIGNED. */
export function checkSigned(root: RoleFile<'root'>, file: RoleFile): Result<void> {
  const cause = findUnsigned(root, file);
  if (cause === undefined) return ok(undefined);
  const { threshold, keyids } = root.says.roles[file.role];
  const needed = `${threshold} of the ${keyids.length} keys that ${label(root)} trusts for it`;
  return fail('TRUST_UNSIGNED', `The ${label(file)} is not signed by ${needed}.`, cause);
}

/** Whether all of these may still be believed at `now`. Fault: TRUST_EXPIRED. */
export function checkAlive(files: readonly RoleFile[], now: WallTime): Result<void> {
  const dead = files.find((file) => now >= file.expires);
  if (dead === undefined) return ok(undefined);
  return fail(
    'TRUST_EXPIRED',
    `The ${label(dead)} expired at ${date(dead.expires)}; now it is ${date(now)}.`,
  );
}

export function older(file: RoleFile, believed: RoleFile): Result<never> {
  return fail('TRUST_OLDER', `This is ${label(file)}; ${label(believed)} was believed before.`);
}

export function olderListed(by: RoleFile, role: RoleName, listing: Listing, believed: number): Result<never> {
  const lists = `The ${label(by)} lists ${role} ${listing.version}`;
  return fail('TRUST_OLDER', `${lists}; ${role} ${believed} was believed before.`);
}

/** Two different files of one version: someone signed both, so a version does not say which of them is meant. */
export function forked(role: RoleName, version: number): Result<never> {
  return fail(
    'TRUST_MIXED',
    `This is about another ${role} ${version} than the one that was believed before.`,
  );
}

/** Whether these are the very bytes that the listing names. */
export function isListed(listing: Listing, bytes: Buffer): boolean {
  return (
    bytes.length === listing.bytes && createHash('sha256').update(bytes).digest('hex') === listing.sha256
  );
}

/** Reads a file and checks its signatures. Faults: TRUST_DAMAGED, TRUST_UNSIGNED. */
export function readSigned<R extends RoleName>(
  root: RoleFile<'root'>,
  role: R,
  bytes: Buffer,
): Result<RoleFile<R>> {
  const file = readRole(role, bytes);
  if (!file.ok) return file;
  const signed = checkSigned(root, file.value);
  return signed.ok ? file : signed;
}

/** Reads a file that another one lists, no signature. Faults: TRUST_DAMAGED, TRUST_MIXED. */
export function readListed<R extends RoleName>(
  by: RoleFile,
  listing: Listing,
  role: R,
  bytes: Buffer,
): Result<RoleFile<R>> {
  const file = readRole(role, bytes);
  // A file that is none at all was damaged on the way; one that is whole, but another, was not.
  if (!file.ok) return file;
  const { version } = file.value;
  if (version !== listing.version) {
    return fail(
      'TRUST_MIXED',
      `The ${label(by)} lists ${role} ${listing.version}; this is ${role} ${version}.`,
    );
  }
  if (isListed(listing, bytes)) return file;
  return fail(
    'TRUST_MIXED',
    `This ${role} ${version} is not the one that ${label(by)} lists: it has ${bytes.length} bytes and ` +
      `${listing.bytes} are listed, or another SHA-256.`,
  );
}

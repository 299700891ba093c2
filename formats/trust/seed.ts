import { ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';
import { readRole, type RoleFile } from './roles.ts';
import { forked, isListed, readSigned } from './rules.ts';
import { type Trusted, without } from './trusted.ts';
import { acceptRoot, acceptTargets, believeSnapshot } from './verify.ts';

/** A copy of a repository on a stick: no timestamp, since a fresh one is not to be had without a link. */
export interface Seed {
  /** Any roots of the repository, in any order; those not newer than the believed one are passed over. */
  readonly roots: readonly Buffer[];
  readonly snapshot: Buffer;
  readonly targets: Buffer;
}

/**
 * Believes a stick by the same rules, all of it or nothing: the chain of roots, a snapshot that is signed, not expired
 * and not older than the believed one, and the targets that it lists. What a stick cannot show is that there is nothing
 * newer; so the age of the edition is what counts. A timestamp that lists an older snapshot is given up with it: any
 * that may follow must list this snapshot or a newer one. Faults: all of TRUST_*.
 */
export function acceptSeed(trusted: Trusted, seed: Seed, now: WallTime): Result<Trusted> {
  const rooted = climb(trusted, seed.roots);
  if (!rooted.ok) return rooted;
  const { root, timestamp } = rooted.value;
  const snapshot = readSigned(root, 'snapshot', seed.snapshot);
  if (!snapshot.ok) return snapshot;
  const { version } = snapshot.value;
  const listing = timestamp?.says.snapshot;
  if (listing?.version === version && !isListed(listing, seed.snapshot)) {
    return forked('snapshot', version);
  }
  const overtaken = listing !== undefined && version > listing.version;
  const base = overtaken ? without(rooted.value, ['timestamp']) : rooted.value;
  const believed = believeSnapshot(base, snapshot.value, now);
  if (!believed.ok) return believed;
  // This looks at the root's expiry too.
  const whole = acceptTargets(believed.value, seed.targets, now);
  return whole.ok && isSame(trusted, whole.value) ? ok(trusted) : whole;
}

/** Whether both believe the very same files. */
function isSame(one: Trusted, other: Trusted): boolean {
  return (['root', 'timestamp', 'snapshot', 'targets'] as const).every((role) => {
    const [left, right] = [one[role], other[role]];
    return left === undefined || right === undefined ? left === right : left.bytes.equals(right.bytes);
  });
}

/** Goes up the chain of roots as far as these lead. */
function climb(trusted: Trusted, roots: readonly Buffer[]): Result<Trusted> {
  const chain: RoleFile<'root'>[] = [];
  for (const bytes of roots) {
    const root = readRole('root', bytes);
    if (!root.ok) return root;
    chain.push(root.value);
  }
  let believed = trusted;
  for (const { version, bytes } of chain.sort((a, b) => a.version - b.version)) {
    if (version <= believed.root.version) continue;
    const next = acceptRoot(believed, bytes);
    if (!next.ok) return next;
    believed = next.value;
  }
  return ok(believed);
}

import { fail, ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';
import type { RoleFile, RoleName } from './roles.ts';
import {
  checkAlive,
  checkSigned,
  forked,
  label,
  older,
  olderListed,
  readListed,
  readSigned,
} from './rules.ts';
import { isAhead, type Trusted, without } from './trusted.ts';

/**
 * The terminal's end: the client's workflow of The Update Framework (§ 5.3 to 5.6), one step for each file. A step gives
 * what is believed after it, or a fault, and then what was believed before still is. A step that changes nothing gives
 * the same object back.
 *
 * `now` is the caller's word. Where the clock was not verified it may be a lower bound: then TRUST_EXPIRED is certain,
 * and its absence says only that nothing is known to have expired.
 */

/**
 * The next root, exactly one version on, signed by enough keys of the old root and of its own (§ 5.3.3 to 5.3.8). It may
 * have expired: only the last of a chain must not have. Faults: TRUST_DAMAGED, TRUST_UNSIGNED, TRUST_OLDER, TRUST_MIXED.
 */
export function acceptRoot(trusted: Trusted, bytes: Buffer): Result<Trusted> {
  const before = trusted.root;
  const read = readSigned(before, 'root', bytes);
  if (!read.ok) return read;
  const root = read.value;
  const signed = checkSigned(root, root);
  if (!signed.ok) return signed;
  if (root.version <= before.version) return older(root, before);
  if (root.version > before.version + 1) {
    return fail(
      'TRUST_MIXED',
      `The ${label(root)} does not follow ${label(before)}: roots between are missing.`,
    );
  }
  return ok(underNewRoot(trusted, root));
}

/**
 * What is still believed under a new root. If a key of the timestamp or of the snapshot is trusted no longer, both are
 * given up (§ 5.3.11): whoever had the key may have signed versions so high that no honest one could ever follow. A key
 * that is only added gives nothing up, since that would allow an older snapshot for nothing. What the new root's keys
 * have not signed is given up too.
 */
function underNewRoot(trusted: Trusted, root: RoleFile<'root'>): Trusted {
  const revoked = (role: RoleName): boolean =>
    trusted.root.says.roles[role].keyids.some((id) => !root.says.roles[role].keyids.includes(id));
  const rotated = revoked('timestamp') || revoked('snapshot');
  const gone = (['timestamp', 'snapshot', 'targets'] as const).filter((role) => {
    const file = trusted[role];
    return (rotated && role !== 'targets') || (file !== undefined && !checkSigned(root, file).ok);
  });
  return { ...without(trusted, gone), root };
}

/**
 * A timestamp (§ 5.4). One of the version that is believed already changes nothing, whatever it says. Faults:
 * TRUST_DAMAGED, TRUST_UNSIGNED, TRUST_OLDER (it, or the snapshot it lists), TRUST_MIXED (another snapshot of the same
 * version as the believed one), TRUST_EXPIRED (it, or the root).
 */
export function acceptTimestamp(trusted: Trusted, bytes: Buffer, now: WallTime): Result<Trusted> {
  const { root, timestamp: before, snapshot } = trusted;
  const rooted = checkAlive([root], now);
  if (!rooted.ok) return rooted;
  const read = readSigned(root, 'timestamp', bytes);
  if (!read.ok) return read;
  const timestamp = read.value;
  if (before !== undefined) {
    if (timestamp.version < before.version) return older(timestamp, before);
    if (timestamp.version === before.version) {
      // Nothing new for ever is how a freeze looks.
      const alive = checkAlive([before], now);
      return alive.ok ? ok(trusted) : alive;
    }
  }
  const listing = timestamp.says.snapshot;
  const believed = Math.max(before?.says.snapshot.version ?? 0, snapshot?.version ?? 0);
  if (listing.version < believed) return olderListed(timestamp, 'snapshot', listing, believed);
  if (isAhead(listing, snapshot)) return forked('snapshot', listing.version);
  const alive = checkAlive([timestamp], now);
  return alive.ok ? ok({ ...trusted, timestamp }) : alive;
}

/**
 * The snapshot that the believed timestamp lists (§ 5.5). Faults: TRUST_DAMAGED, TRUST_UNSIGNED, TRUST_MIXED (not the one
 * listed), TRUST_OLDER (the targets it lists), TRUST_EXPIRED (it, or what it rests on).
 */
export function acceptSnapshot(trusted: Trusted, bytes: Buffer, now: WallTime): Result<Trusted> {
  const { root, timestamp } = trusted;
  if (timestamp === undefined) return fail('TRUST_MIXED', 'There is no timestamp that lists a snapshot.');
  const fresh = checkAlive([root, timestamp], now);
  if (!fresh.ok) return fresh;
  const read = readListed(timestamp, timestamp.says.snapshot, 'snapshot', bytes);
  if (!read.ok) return read;
  const signed = checkSigned(root, read.value);
  return signed.ok ? believeSnapshot(trusted, read.value, now) : signed;
}

/** The rules of a signed snapshot with a timestamp and without one: not older than what is believed, not expired. */
export function believeSnapshot(
  trusted: Trusted,
  snapshot: RoleFile<'snapshot'>,
  now: WallTime,
): Result<Trusted> {
  const { snapshot: before, targets } = trusted;
  const listing = snapshot.says.targets;
  if (before !== undefined) {
    if (snapshot.version < before.version) return older(snapshot, before);
    if (snapshot.version === before.version && !snapshot.bytes.equals(before.bytes)) {
      return forked('snapshot', snapshot.version);
    }
    const { version, sha256 } = before.says.targets;
    if (listing.version < version) return olderListed(snapshot, 'targets', listing, version);
    if (listing.version === version && listing.sha256 !== sha256) return forked('targets', version);
  }
  const alive = checkAlive([snapshot], now);
  if (!alive.ok) return alive;
  // Targets newer than listed can only be left over from before a rotation of keys gave up the snapshot (§ 5.3.11).
  return ok({ ...(isAhead(listing, targets) ? without(trusted, ['targets']) : trusted), snapshot });
}

/**
 * The targets that the believed snapshot lists (§ 5.6). Faults: TRUST_DAMAGED (also: it names a file that is none of an
 * edition), TRUST_UNSIGNED, TRUST_MIXED (not those listed), TRUST_EXPIRED (they, or what they rest on).
 */
export function acceptTargets(trusted: Trusted, bytes: Buffer, now: WallTime): Result<Trusted> {
  const { root, snapshot } = trusted;
  if (snapshot === undefined) return fail('TRUST_MIXED', 'There is no snapshot that lists targets.');
  const read = readListed(snapshot, snapshot.says.targets, 'targets', bytes);
  if (!read.ok) return read;
  const signed = checkSigned(root, read.value);
  if (!signed.ok) return signed;
  const alive = checkAlive([root, snapshot, read.value], now);
  return alive.ok ? ok({ ...trusted, targets: read.value }) : alive;
}

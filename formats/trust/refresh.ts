import { fail, ok, type Result } from '#contracts/result.ts';
import { type Bytes, bytes, type WallTime } from '#contracts/units.ts';
import { maxBytes } from './roles.ts';
import { checkAlive, isListed, label } from './rules.ts';
import type { Trusted } from './trusted.ts';
import { acceptRoot, acceptSnapshot, acceptTargets, acceptTimestamp } from './verify.ts';

/** How many new roots one update follows; the next one goes on from there (§ 5.3.3 asks for a bound). */
const maxRoots = 64;

/**
 * Gets one file of the repository, by its path below the repository's address. Undefined is a file that is not there; one
 * longer than `most` should not be read to its end.
 */
export type FetchFile = (path: string, most: Bytes) => Promise<Result<Buffer | undefined>>;

/**
 * Keeps what is believed. It must be one durable step (one transaction, or one file that is renamed into place): a new
 * root beside a timestamp that was given up for it would be refused at the next start.
 */
export type KeepTrust = (trusted: Trusted) => Promise<Result<void>>;

/**
 * One update from the repository (§ 5.3 to 5.6). Each accepted step is kept before the next is taken, so after a fault
 * what is believed is what `keep` was given last. `changed` is true for a fresh timestamp too, not for new targets only.
 *
 * The specification looks for a new root first, always. Over a satellite that is a round trip of 600 ms for an answer
 * that is nearly always "not there", so the timestamp is asked for first. If it is, to the byte, the one that is believed,
 * and nothing that is believed has expired or lags behind, the update ends after that one request: nothing new is
 * believed, so no revoked key can have a say in it, and whoever could hide a new root by repeating the old timestamp
 * could have hidden the root itself; for both the end comes when the timestamp expires. In every other case (it changed,
 * it is not signed, it has expired) the roots come first, and only then is the timestamp looked at, under the newest.
 *
 * Faults: all of TRUST_* (a timestamp that is not there is TRUST_DAMAGED, a listed file that is not there TRUST_MIXED),
 * and those of `fetchFile` and `keep` as they are.
 */
export async function refreshTrust(
  trusted: Trusted,
  fetchFile: FetchFile,
  now: WallTime,
  keep: KeepTrust,
): Promise<Result<{ readonly trusted: Trusted; readonly changed: boolean }>> {
  const newest = await fetchTimestamp(fetchFile);
  if (!newest.ok) return newest;
  if (trusted.timestamp?.bytes.equals(newest.value) === true && isSettled(trusted, now)) {
    return ok({ trusted, changed: false });
  }
  const rooted = await followRoots(trusted, fetchFile, keep);
  if (!rooted.ok) return rooted;
  // The timestamp in hand may be older than a root that was published since, and signed by a key that it revokes.
  const timestamp = rooted.value === trusted ? newest : await fetchTimestamp(fetchFile);
  if (!timestamp.ok) return timestamp;
  const stamped = await keepNew(rooted.value, acceptTimestamp(rooted.value, timestamp.value, now), keep);
  if (!stamped.ok) return stamped;
  const snapped = await followSnapshot(stamped.value, fetchFile, now, keep);
  if (!snapped.ok) return snapped;
  const done = await followTargets(snapped.value, fetchFile, now, keep);
  return done.ok ? ok({ trusted: done.value, changed: done.value !== trusted }) : done;
}

async function fetchTimestamp(fetchFile: FetchFile): Promise<Result<Buffer>> {
  const path = 'metadata/timestamp.json';
  const fetched = await fetchFile(path, maxBytes.timestamp);
  if (!fetched.ok) return fetched;
  return fetched.value === undefined
    ? fail('TRUST_DAMAGED', `There is no ${path} in the repository.`)
    : ok(fetched.value);
}

/** Whether there is nothing to wait for: all four files are here, belong together, and have not expired. */
function isSettled({ root, timestamp, snapshot, targets }: Trusted, now: WallTime): boolean {
  if (timestamp === undefined || snapshot === undefined || targets === undefined) return false;
  if (!checkAlive([root, timestamp, snapshot, targets], now).ok) return false;
  return isListed(timestamp.says.snapshot, snapshot.bytes) && isListed(snapshot.says.targets, targets.bytes);
}

async function keepNew(before: Trusted, step: Result<Trusted>, keep: KeepTrust): Promise<Result<Trusted>> {
  if (!step.ok || step.value === before) return step;
  const kept = await keep(step.value);
  return kept.ok ? step : kept;
}

async function followRoots(
  trusted: Trusted,
  fetchFile: FetchFile,
  keep: KeepTrust,
): Promise<Result<Trusted>> {
  let believed = trusted;
  for (let count = 0; count < maxRoots; count++) {
    const path = `metadata/${believed.root.version + 1}.root.json`;
    const fetched = await fetchFile(path, maxBytes.root);
    if (!fetched.ok) return fetched;
    if (fetched.value === undefined) break;
    const next = await keepNew(believed, acceptRoot(believed, fetched.value), keep);
    if (!next.ok) return next;
    believed = next.value;
  }
  return ok(believed);
}

async function followSnapshot(
  trusted: Trusted,
  fetchFile: FetchFile,
  now: WallTime,
  keep: KeepTrust,
): Promise<Result<Trusted>> {
  const { timestamp, snapshot } = trusted;
  if (timestamp === undefined) return ok(trusted);
  const listing = timestamp.says.snapshot;
  if (snapshot !== undefined && isListed(listing, snapshot.bytes)) {
    const alive = checkAlive([snapshot], now);
    return alive.ok ? ok(trusted) : alive;
  }
  const path = `metadata/${listing.version}.snapshot.json`;
  const fetched = await fetchFile(path, bytes(listing.bytes));
  if (!fetched.ok) return fetched;
  if (fetched.value === undefined) return absent(path, label(timestamp));
  return keepNew(trusted, acceptSnapshot(trusted, fetched.value, now), keep);
}

async function followTargets(
  trusted: Trusted,
  fetchFile: FetchFile,
  now: WallTime,
  keep: KeepTrust,
): Promise<Result<Trusted>> {
  const { snapshot, targets } = trusted;
  if (snapshot === undefined) return ok(trusted);
  const listing = snapshot.says.targets;
  if (targets !== undefined && isListed(listing, targets.bytes)) {
    const alive = checkAlive([targets], now);
    return alive.ok ? ok(trusted) : alive;
  }
  const path = `metadata/${listing.version}.targets.json`;
  const fetched = await fetchFile(path, bytes(listing.bytes));
  if (!fetched.ok) return fetched;
  if (fetched.value === undefined) return absent(path, label(snapshot));
  return keepNew(trusted, acceptTargets(trusted, fetched.value, now), keep);
}

function absent(path: string, by: string): Result<never> {
  return fail('TRUST_MIXED', `The ${by} lists ${path}, which is not in the repository.`);
}

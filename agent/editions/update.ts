import { access } from 'node:fs/promises';
import type { DeltaTarget, NamedTarget } from '#contracts/edition-target.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { editionOf } from './generation.ts';
import { type Held, installBase, installDelta, type InstallParts } from './install.ts';
import { openGeneration } from './open.ts';
import { type BasePair, planUpdate } from './plan.ts';
import type { Repository } from './ports.ts';

export interface UpdateParts extends InstallParts {
  readonly repository: Repository;
  /** Makes sure that the fingerprint key of this id is held. */
  readonly obtainKey: (id: string) => Promise<Result<void>>;
  /** What is in use is damaged: it is fetched again from a base on, and stays until that has come as far. */
  readonly replace: boolean;
  /** Puts an edition in use: durably, then for every look-up that follows. */
  readonly take: (held: Held) => Promise<Result<void>>;
}

/**
 * Brings the offline copy from what is in use to the newest edition described: fetches, verifies, installs. Each edition
 * on the way is put in use as soon as it is the newest that the terminal has; without any, the base is at once. After a
 * fault what was taken before is in use, and what was fetched is kept for the next attempt.
 */
export async function update(
  targets: readonly NamedTarget[],
  inUse: Held | undefined,
  parts: UpdateParts,
): Promise<Result<void>> {
  const plan = planUpdate(
    targets,
    inUse && !parts.replace
      ? { edition: editionOf(inUse.generation), fingerprintKey: inUse.edition.header.fingerprintKey }
      : undefined,
  );
  if (!plan.ok) return plan;
  if (plan.value === undefined) return ok(undefined);
  const { base, deltas } = plan.value;
  if (base === undefined) {
    if (inUse === undefined)
      return fail('INTERNAL', 'Deltas were planned without an edition to apply them to.');
    return applyAll(inUse, deltas, inUse, parts);
  }
  if (inUse !== undefined) {
    // The base alone may be older than what is in use: it is not unpacked before all that has to follow it is here, so
    // that a line that breaks does not cost the base again.
    for (const target of deltas) {
      const fetched = await parts.repository.fetch(target, parts.signal);
      if (!fetched.ok) return fetched;
    }
  }
  const fresh = await fetchBase(base, parts);
  if (!fresh.ok) return fresh;
  // Every edition on the way shares the base that was fetched: it is given back where none of them is in use.
  let isTaken = false;
  const take = async (held: Held): Promise<Result<void>> => {
    const taken = await parts.take(held);
    isTaken ||= taken.ok;
    return taken;
  };
  const noting = { ...parts, take };
  const taken = await takeIfNewest(fresh.value, inUse, noting);
  const done = taken.ok ? await applyAll(fresh.value, deltas, inUse, noting) : taken;
  if (!isTaken) fresh.value.edition.close();
  return done;
}

/** Applies one delta after the other, and puts each edition in use that is not older than what was. */
async function applyAll(
  from: Held,
  deltas: readonly NamedTarget<DeltaTarget>[],
  inUse: Held | undefined,
  parts: UpdateParts,
): Promise<Result<void>> {
  let held = from;
  for (const target of deltas) {
    const next = await fetchDelta(held, target, parts);
    if (!next.ok) return next;
    held = next.value;
    const taken = await takeIfNewest(held, inUse, parts);
    if (!taken.ok) return taken;
  }
  return ok(undefined);
}

async function fetchBase(base: BasePair, parts: UpdateParts): Promise<Result<Held>> {
  // Without its key a base is of no use, and it may take hours to come.
  const key = await parts.obtainKey(base.fingerprints.about.fingerprintKey);
  if (!key.ok) return key;
  const fingerprints = await parts.repository.fetch(base.fingerprints, parts.signal);
  if (!fingerprints.ok) return fingerprints;
  const payload = await parts.repository.fetch(base.payload, parts.signal);
  if (!payload.ok) return payload;
  const fetched = { fingerprints: fingerprints.value, payload: payload.value };
  const generation = await installBase(base, fetched, parts);
  if (!generation.ok) return generation;
  const opened = await openGeneration(parts.folder, generation.value, parts.secrets());
  return opened.ok ? ok({ generation: generation.value, edition: opened.value.edition }) : opened;
}

async function fetchDelta(
  held: Held,
  target: NamedTarget<DeltaTarget>,
  parts: UpdateParts,
): Promise<Result<Held>> {
  // One that was applied before, to a base that had to be replaced, is still there.
  const there = parts.folder.delta(target.about.edition);
  if (await isThere(there)) {
    const again = await installDelta(held, target, there, parts);
    if (again.ok) return again;
  }
  const fetched = await parts.repository.fetch(target, parts.signal);
  return fetched.ok ? installDelta(held, target, fetched.value, parts) : fetched;
}

/** A base that replaces a damaged one may be older than what is in use, until its deltas have come. */
async function takeIfNewest(held: Held, inUse: Held | undefined, parts: UpdateParts): Promise<Result<void>> {
  return isNewest(held, inUse) ? parts.take(held) : ok(undefined);
}

function isNewest(held: Held, inUse: Held | undefined): boolean {
  return inUse === undefined || editionOf(held.generation) >= editionOf(inUse.generation);
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

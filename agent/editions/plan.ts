import type { BasePartTarget, DeltaTarget, NamedTarget } from '#contracts/edition-target.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';

/** Both files of a base. */
export interface BasePair {
  readonly fingerprints: NamedTarget<BasePartTarget>;
  readonly payload: NamedTarget<BasePartTarget>;
}

/** What has to be fetched to have the newest edition. */
export interface Plan {
  /** Where a whole base is needed. */
  readonly base?: BasePair;
  /** In the order in which they are applied. */
  readonly deltas: readonly NamedTarget<DeltaTarget>[];
  readonly edition: number;
}

/**
 * The least that has to be fetched to come from the edition in use, or from nothing, to the newest one described:
 * undefined where it is in use already. The fault is EDITION_GAP: no base that is served leads there.
 */
export function planUpdate(
  targets: readonly NamedTarget[],
  inUse: { readonly edition: number; readonly fingerprintKey: string } | undefined,
): Result<Plan | undefined> {
  const newest = Math.max(0, ...targets.map(({ about }) => about.edition));
  if (newest === 0) return ok(undefined);
  if (inUse !== undefined && newest <= inUse.edition) return ok(undefined);
  const plans: Plan[] = [];
  if (inUse !== undefined) {
    const deltas = chain(targets, inUse.edition, newest);
    if (deltas?.every(({ about }) => about.fingerprintKey === inUse.fingerprintKey) === true) {
      plans.push({ deltas, edition: newest });
    }
  }
  for (const base of servedBases(targets)) {
    const deltas = chain(targets, base.fingerprints.about.edition, newest);
    if (deltas !== undefined) plans.push({ base, deltas, edition: newest });
  }
  const [best] = plans.sort((a, b) => cost(a) - cost(b));
  if (best !== undefined) return ok(best);
  return fail(
    'EDITION_GAP',
    `Nothing that is served leads from ${inUse === undefined ? 'nothing' : `edition ${inUse.edition}`} to edition ${newest}.`,
  );
}

/** So far ahead of the verified time no edition may be dated, in milliseconds. */
const mostAhead = 86_400_000;

/**
 * The fault is EDITION_AHEAD where an edition is dated in the future: nobody would know how old it is. Without a verified
 * time nothing can be said against any date.
 */
export function checkDates(targets: readonly NamedTarget[], verified: WallTime | undefined): Result<void> {
  const newest = Math.max(0, ...targets.map(({ about }) => Date.parse(about.date)));
  if (verified === undefined || newest <= verified + mostAhead) return ok(undefined);
  return fail('EDITION_AHEAD', `It is dated ${new Date(newest).toISOString()}.`);
}

/** Both files of the base of this edition as they are described, whether they are served or not. */
export function baseOf(targets: readonly NamedTarget[], edition: number): BasePair | undefined {
  const part = (name: BasePartTarget['part']): NamedTarget<BasePartTarget> | undefined =>
    targets.filter(isBase).find(({ about }) => about.edition === edition && about.part === name);
  const fingerprints = part('fingerprints');
  const payload = part('payload');
  return fingerprints === undefined || payload === undefined ? undefined : { fingerprints, payload };
}

/** All that a plan fetches, in bytes. */
export function cost({ base, deltas }: Plan): number {
  const whole = base === undefined ? 0 : base.fingerprints.bytes + base.payload.bytes;
  return deltas.reduce((sum, { bytes }) => sum + bytes, whole);
}

function servedBases(targets: readonly NamedTarget[]): BasePair[] {
  return targets
    .filter(isBase)
    .filter(({ about }) => about.part === 'fingerprints' && about.served)
    .flatMap(({ about }) => baseOf(targets, about.edition) ?? []);
}

function chain(
  targets: readonly NamedTarget[],
  from: number,
  to: number,
): NamedTarget<DeltaTarget>[] | undefined {
  const next = new Map(targets.filter(isDelta).map((target) => [target.about.from, target]));
  const deltas: NamedTarget<DeltaTarget>[] = [];
  for (let at = from; at < to;) {
    const delta = next.get(at);
    // Numbers only rise, so that this ends.
    if (delta === undefined || delta.about.edition <= at) return undefined;
    deltas.push(delta);
    at = delta.about.edition;
  }
  return deltas.at(-1)?.about.edition === to || from === to ? deltas : undefined;
}

function isBase(target: NamedTarget): target is NamedTarget<BasePartTarget> {
  return target.about.part !== 'delta';
}

function isDelta(target: NamedTarget): target is NamedTarget<DeltaTarget> {
  return target.about.part === 'delta';
}

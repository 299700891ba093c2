import type { MonotonicTime } from '#contracts/units.ts';
import { type ChoiceFacts, classOf, type Pair } from './facts.ts';

/** A pair that was left since it failed. */
export interface Left {
  readonly uplink: string;
  /** Undefined where the uplink as a whole was. */
  readonly hub: string | undefined;
  readonly at: MonotonicTime;
}

/**
 * What was left counts as failed from when it was last seen to be bad; once it has been good for long enough, no more.
 * The paths alone do not say it: a device may go for a moment, or large packets be lost, while small probes seem well.
 */
export function stillLeft(
  left: readonly Left[],
  { uplinks }: ChoiceFacts,
  now: MonotonicTime,
  failbackMillis: number,
): readonly Left[] {
  return left.flatMap((one) => {
    const uplink = uplinks.find(({ name }) => name === one.uplink);
    if (uplink === undefined) return [];
    const pathBad = one.hub !== undefined && uplink.paths[one.hub]?.state !== 'up';
    if (!uplink.usable || classOf(uplink) > 0 || pathBad) return [{ ...one, at: now }];
    return now - one.at < failbackMillis ? [one] : [];
  });
}

interface Past {
  readonly left: readonly Left[];
  readonly now: MonotonicTime;
  readonly failbackMillis: number;
}

/** Up for so long without a break that the traffic may go back to it. */
export function isRipe(pair: Pair, past: Past): boolean {
  const { upSince } = pair.path;
  return upSince !== undefined && past.now - upSince >= past.failbackMillis && !wasLeft(pair, past);
}

/** Up, and not down a moment ago. */
export function isFirm(pair: Pair, past: Past): boolean {
  const { upSince, downSince } = pair.path;
  if (upSince !== undefined && downSince === undefined) return !wasLeft(pair, past);
  return isRipe(pair, past);
}

function wasLeft({ uplink, hub }: Pair, { left }: Past): boolean {
  return left.some((one) => one.uplink === uplink.name && (one.hub ?? hub) === hub);
}

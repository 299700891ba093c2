import { type MonotonicTime, monotonic } from '#contracts/units.ts';
import {
  byNumbers,
  byStanding,
  type ChoiceFacts,
  type ChoiceOptions,
  classOf,
  type Pair,
  pairsOf,
  type Preference,
} from './facts.ts';
import { isFirm, isRipe, type Left, stillLeft } from './hysteresis.ts';
import { plural, whyBack, whyLeft } from './words.ts';

export interface Choice {
  readonly uplink: string;
  readonly hub: string;
  /** In plain words, for the field engineer. Of the last change; it stays while the choice does. */
  readonly why: string;
  readonly since: MonotonicTime;
  /** `up`: it works; `trial`: nothing is known of it yet; `all-down`: nothing works, and this one is tried. */
  readonly state: 'up' | 'trial' | 'all-down';
  /** A preference that was asked for by then has failed, and no longer counts. */
  readonly failedPreferenceAt: MonotonicTime | undefined;
  /** Whether the choice follows a preference now. */
  readonly byHand: boolean;
  /** Pairs that were left since they failed, and when; for the hysteresis. */
  readonly left: readonly Left[];
}

/** When nothing works, the next uplink is tried after so long. In ms. */
const trialMillis = 10_000;
/** So long a preferred pair is waited for that becomes ripe a moment later than another one, rather than changing twice. In ms. */
const togetherMillis = 3000;
/** A pair of which nothing is known yet may carry so long before one that works is taken instead. In ms. */
const graceMillis = 3000;

interface Situation {
  readonly facts: ChoiceFacts;
  readonly now: MonotonicTime;
  readonly options: ChoiceOptions;
  readonly previous: Choice | undefined;
  /** The pair that carries, where it can still be used. */
  readonly current: Pair | undefined;
  readonly pairs: readonly Pair[];
}

/**
 * Which uplink and which hub carry now. Undefined where no uplink can be used at all. Deterministic, and stable: asked
 * again with its own answer and the same facts it answers the same.
 */
export function choose(
  previous: Choice | undefined,
  facts: ChoiceFacts,
  now: MonotonicTime,
  options: ChoiceOptions,
): Choice | undefined {
  const all = pairsOf(facts);
  const isCurrent = ({ uplink, hub }: Pair): boolean =>
    uplink.name === previous?.uplink && hub === previous.hub;
  const current = all.find(isCurrent);
  const kept =
    previous === undefined
      ? undefined
      : { ...previous, left: stillLeft(previous.left, facts, now, options.failbackMillis) };
  const asked = preferred(kept, facts.preference, all);
  const situation = { facts, now, options, previous: kept, current, pairs: asked.pairs ?? all };
  const settled = settle(situation, asked.pairs !== undefined);
  if (settled === undefined) return undefined;
  const failedPreferenceAt = asked.failedAt ?? kept?.failedPreferenceAt;
  return { ...settled, failedPreferenceAt, byHand: asked.pairs !== undefined };
}

/** The pairs that a preference leaves, while it holds; and when it was asked for, where it has failed just now. */
function preferred(
  previous: Choice | undefined,
  preference: Preference | undefined,
  all: readonly Pair[],
): { readonly pairs?: readonly Pair[]; readonly failedAt?: MonotonicTime } {
  if (preference === undefined || preference.at <= (previous?.failedPreferenceAt ?? -Infinity)) return {};
  const { uplink, hub, at } = preference;
  const matching = all.filter(
    (pair) => (uplink ?? pair.uplink.name) === pair.uplink.name && (hub ?? pair.hub) === pair.hub,
  );
  if (matching.some(isUp)) return { pairs: matching };
  // What was not tested yet is waited for; what is down has failed.
  return matching.some(({ path }) => path.state === 'untested') ? {} : { failedAt: at };
}

const isUp = ({ path }: Pair): boolean => path.state === 'up';

function settle(situation: Situation, byHand: boolean): Choice | undefined {
  const { current, previous, pairs, now } = situation;
  const up = pairs.filter(isUp);
  if (current === undefined || previous === undefined) {
    if (up.length > 0) return goTo(leave(situation, up), situation, whyStart(situation));
    return tryNext(situation);
  }
  const inside = pairs.some(({ uplink, hub }) => uplink.name === previous.uplink && hub === previous.hub);
  if (!inside) {
    const target = leave(situation, up);
    return goTo(target, situation, () => `${nameOf(target)} was asked for by hand`, true);
  }
  if (isUp(current)) return stay(situation, current, up, byHand);
  const young = now - previous.since < graceMillis;
  if (current.path.state === 'untested' && young && !byHand) return { ...previous, state: 'trial' };
  if (up.length > 0) return goTo(leave(situation, up), situation, whyFailed(situation, current));
  return tryNext(situation);
}

const hysteresis = ({ previous, now, options }: Situation) => ({
  left: previous?.left ?? [],
  now,
  failbackMillis: options.failbackMillis,
});

/** The best pair that is up for one that must leave: the least changes, and nothing that was down a moment ago. */
function leave(situation: Situation, up: readonly Pair[]): Pair {
  const { previous, current } = situation;
  // Where a line dies, the probes to its other hub are lost too, only a moment later: that hub is no way out.
  const dying = Math.max(1, (current?.path.lostInRow ?? 0) - 1);
  const [first] = up.toSorted(
    byNumbers((pair) => [
      classOf(pair.uplink),
      isFirm(pair, hysteresis(situation)) ? 0 : 1,
      pair.path.lostInRow >= dying ? 1 : 0,
      pair.uplink.name === previous?.uplink ? 0 : 1,
      pair.uplink.metric,
      pair.hub === previous?.hub ? 0 : 1,
      pair.hubPlace,
    ]),
  );
  if (first === undefined) throw new RangeError('no pair is up');
  return first;
}

function stay(situation: Situation, current: Pair, up: readonly Pair[], byHand: boolean): Choice {
  const { previous, options } = situation;
  const target = better(situation, current, up, byHand);
  if (target !== undefined)
    return goTo(target, situation, () => whyBack(current, target, options.failbackMillis));
  return unchanged(previous, situation, current);
}

function unchanged(previous: Choice | undefined, { now }: Situation, current: Pair): Choice {
  const { name } = current.uplink;
  const base = previous ?? { uplink: name, hub: current.hub, why: '', since: now, left: [] };
  const why = previous?.state === 'up' ? previous.why : `${nameOf(current)} works`;
  return { failedPreferenceAt: undefined, byHand: false, ...base, why, state: 'up' };
}

/**
 * A pair that is better than this one and may be gone to: one of a better kind as soon as it is firm; one that is only
 * preferred when it has worked long enough, and when the last change lies as far back, unless that was by hand.
 */
function better(situation: Situation, than: Pair, up: readonly Pair[], byHand: boolean): Pair | undefined {
  const { previous, now, options } = situation;
  const released = !byHand && previous?.byHand === true;
  const rested = released || now - (previous?.since ?? -Infinity) >= options.failbackMillis;
  const target = up
    .filter((pair) => byStanding(pair, than) < 0)
    .filter((pair) =>
      classOf(pair.uplink) < classOf(than.uplink)
        ? isFirm(pair, hysteresis(situation))
        : rested && isRipe(pair, hysteresis(situation)),
    )
    .toSorted(byStanding)[0];
  if (target === undefined) return undefined;
  const past = hysteresis(situation);
  const then = monotonic(now + togetherMillis);
  const left = past.left.filter(({ at }) => then - at < options.failbackMillis);
  const soon = { ...past, left, now: then };
  const isAlmost = (pair: Pair): boolean =>
    pair.uplink === target.uplink && byStanding(pair, target) < 0 && isRipe(pair, soon);
  return up.some(isAlmost) ? undefined : target;
}

/** Nothing works: what was never tested is tried first, then one uplink after the other, each with every hub. */
function tryNext(situation: Situation): Choice | undefined {
  const { pairs, current, previous, now } = situation;
  const order = pairs.toSorted(
    byNumbers((pair) => [classOf(pair.uplink), pair.hubPlace, pair.uplink.metric]),
  );
  const isUntested = ({ path }: Pair): boolean => path.state === 'untested';
  const fresh = order.find(isUntested);
  const tried = previous === undefined ? Infinity : now - previous.since;
  const place = current === undefined ? -1 : order.indexOf(current);
  const turn = order[(place + 1) % order.length];
  if (current !== undefined && previous !== undefined) {
    // An uplink that was just found dead is left at once where another was never tried; in the round of trials it is not.
    const inTurn = isUntested(current) || previous.state === 'all-down' || fresh === undefined;
    if ((inTurn && tried < trialMillis) || order.length === 1)
      return { ...previous, state: isUntested(current) ? 'trial' : 'all-down' };
  }
  const others = order.filter((pair) => pair !== current);
  const target = others.find(isUntested) ?? turn;
  if (target === undefined) return undefined;
  const why = (): string =>
    isUntested(target)
      ? `nothing is known to work yet; ${nameOf(target)} is tried`
      : `no hub answers over any uplink; ${nameOf(target)} is tried`;
  return { ...goTo(target, situation, why), state: isUntested(target) ? 'trial' : 'all-down' };
}

/** Goes to another pair and notes what was left, unless it was left in good health. */
function goTo(target: Pair, situation: Situation, why: (target: Pair) => string, planned = false): Choice {
  const { previous, current, now, facts } = situation;
  const base = { failedPreferenceAt: undefined, byHand: false, left: [], ...previous };
  const place = { uplink: target.uplink.name, hub: target.hub, since: now, state: 'up' as const };
  if (previous === undefined) return { ...base, ...place, why: why(target) };
  const failed = current === undefined || !isUp(current);
  const whole = current === undefined || classOf(current.uplink) > classOf(target.uplink);
  const known = facts.uplinks.some(({ name }) => name === previous.uplink);
  if (planned || !known || (!failed && !whole)) return { ...base, ...place, why: why(target) };
  const leaving = { uplink: previous.uplink, hub: whole ? undefined : previous.hub, at: now };
  const others = previous.left.filter(({ uplink, hub }) => uplink !== leaving.uplink || hub !== leaving.hub);
  const left = [...others, leaving];
  return { ...base, ...place, why: why(target), left };
}

const nameOf = ({ uplink, hub }: Pair): string => `${uplink.name} with ${hub}`;

function whyStart({ previous }: Situation): (target: Pair) => string {
  if (previous === undefined) return (target) => `${nameOf(target)} is the first that works`;
  return (target) => `${previous.uplink} cannot be used any more; ${nameOf(target)} is the next that works`;
}

function whyFailed({ previous }: Situation, current: Pair): (target: Pair) => string {
  if (previous?.state === 'all-down') return (target) => `${nameOf(target)} works again`;
  const lost = plural(current.path.lostInRow, 'probe');
  return (target) => whyLeft(current, target, lost);
}

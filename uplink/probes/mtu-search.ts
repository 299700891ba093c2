import type { MonotonicTime } from '#contracts/units.ts';

/** Sizes of the whole packet in the tunnel, in bytes, the largest first; IPv6 needs at least 1280 (RFC 8200 section 5). */
export const mtuLadder = (minimum: 1200 | 1280): readonly number[] =>
  minimum === 1280 ? [1420, 1280] : [1420, 1280, 1200];

/** What else is known when the search is asked what to do. */
export interface MtuEvidence {
  /** When small packets last came back over the same path: the reply to a small probe, or traffic of the tunnel. */
  readonly smallAnsweredAt: MonotonicTime | undefined;
  /** Whether the path is up by small probes. While it is not, nothing is asked and nothing decided. */
  readonly pathUp: boolean;
  /** After so many ms a probe counts as lost: that of the path's meter. */
  readonly timeoutMillis: number;
  /** How often the size in use is confirmed now, in ms. Traffic never confirms it: it may consist of small packets. */
  readonly confirmMillis: number;
}

/** A probe of full size that is planned, under way or over. */
interface Shot {
  readonly size: number;
  readonly dueAt: number;
  readonly sentAt: MonotonicTime | undefined;
  readonly sequence: number | undefined;
  readonly outcome: 'answered' | 'lost' | undefined;
}

/** `confirm` asks whether the size in use passes, `doubt` asks again, `search` asks for it and the smaller ones side by side, `climb` for the next larger. */
interface Round {
  readonly kind: 'confirm' | 'doubt' | 'search' | 'climb';
  readonly shots: readonly Shot[];
}

/** Plain data: every event gives a new one. */
export interface MtuSearch {
  readonly ladder: readonly number[];
  /** The size in use; only a guess while the state is `untested`. */
  readonly size: number;
  /** `large-lost`: small packets pass, and those of every size of the ladder are lost. */
  readonly state: 'untested' | 'good' | 'large-lost';
  readonly round: Round | undefined;
  readonly confirmedAt: MonotonicTime | undefined;
  readonly climbedAt: MonotonicTime | undefined;
}

export interface MtuStep {
  readonly search: MtuSearch;
  /** Sizes to probe with now; tell `fullSent`, `fullTooLarge` or `fullFailed` of each, in this order. */
  readonly send: readonly number[];
  /** A decision waits for a small probe: send one over the same path, if none is under way. */
  readonly wantsSmall: boolean;
}

/** Between probes of one size, so that one burst of loss does not take them all. In ms. */
const spacing = 300;
const climbEvery = 600_000;
/** So long a decision waits for small packets to show that the line itself lives. In ms. */
const longestDoubt = 2000;

export function startMtuSearch(minimum: 1200 | 1280): MtuSearch {
  const ladder = mtuLadder(minimum);
  return {
    ladder,
    size: ladder[0] ?? minimum,
    state: 'untested',
    round: undefined,
    confirmedAt: undefined,
    climbedAt: undefined,
  };
}

/** Asks for a confirmation at once: the uplink begins to carry, or its address or router has changed. */
export function confirmNow(search: MtuSearch): MtuSearch {
  return { ...search, confirmedAt: undefined };
}

export function fullSent(
  search: MtuSearch,
  { size, sequence, at }: { readonly size: number; readonly sequence: number; readonly at: MonotonicTime },
): MtuSearch {
  return changeFirst(search, (shot) => isOpen(shot, size), { sequence, sentAt: at });
}

/** This machine itself takes no packet of that size: lost at once. */
export function fullTooLarge(search: MtuSearch, { size }: { readonly size: number }): MtuSearch {
  return changeFirst(search, (shot) => isOpen(shot, size), { outcome: 'lost' });
}

/** A probe could not be sent at all, whatever its size: that says nothing about sizes. */
export function fullFailed(search: MtuSearch): MtuSearch {
  return { ...search, round: undefined };
}

/** A reply, also a late one: what was slow has passed. */
export function fullReplied(search: MtuSearch, { sequence }: { readonly sequence: number }): MtuSearch {
  return changeFirst(search, (shot) => shot.sequence === sequence, { outcome: 'answered' });
}

const isOpen = (shot: Shot, size: number): boolean =>
  shot.size === size &&
  shot.sentAt !== undefined &&
  shot.sequence === undefined &&
  shot.outcome === undefined;

function changeFirst(search: MtuSearch, which: (shot: Shot) => boolean, change: Partial<Shot>): MtuSearch {
  const index = search.round?.shots.findIndex(which) ?? -1;
  if (search.round === undefined || index < 0) return search;
  const shots = search.round.shots.map((shot, at) => (at === index ? { ...shot, ...change } : shot));
  return { ...search, round: { ...search.round, shots } };
}

/** What to send now. Call it every 100 ms or so; it changes nothing while nothing is due. */
export function advanceMtu(search: MtuSearch, now: MonotonicTime, evidence: MtuEvidence): MtuStep {
  const judged = judge(timeOut(search, now, evidence), now, evidence);
  const begun = begin(judged, now, evidence);
  const { round } = begun;
  if (round === undefined) return { search: begun, send: [], wantsSmall: false };
  const isDue = (shot: Shot): boolean =>
    shot.sentAt === undefined && shot.outcome === undefined && shot.dueAt <= now;
  const due = round.shots.filter(isDue).map(({ size }) => size);
  const wantsSmall = round.kind === 'doubt' || round.kind === 'search';
  if (due.length === 0) return { search: begun, send: due, wantsSmall };
  const shots = round.shots.map((shot) => (isDue(shot) ? { ...shot, sentAt: now } : shot));
  return { search: { ...begun, round: { ...round, shots } }, send: due, wantsSmall };
}

function timeOut(search: MtuSearch, now: MonotonicTime, { timeoutMillis }: MtuEvidence): MtuSearch {
  const { round } = search;
  const over = ({ outcome, sentAt }: Shot): boolean =>
    outcome === undefined && sentAt !== undefined && now - sentAt >= timeoutMillis;
  if (round === undefined || !round.shots.some(over)) return search;
  const shots = round.shots.map((shot) => (over(shot) ? { ...shot, outcome: 'lost' as const } : shot));
  return { ...search, round: { ...round, shots } };
}

/** Ends the round, or turns it into the next one, where its shots allow it. */
function judge(search: MtuSearch, now: MonotonicTime, evidence: MtuEvidence): MtuSearch {
  const { round } = search;
  if (round === undefined) return search;
  // The line as a whole is down: whatever was lost says nothing about sizes. Asked again once it is up.
  if (!evidence.pathUp) return { ...search, round: undefined, confirmedAt: undefined };
  const { kind, shots } = round;
  if (kind === 'climb') return judgeClimb(search, shots, now);
  if (kind === 'search') return judgeSearch(search, shots, now, evidence);
  if (shots.some(({ outcome }) => outcome === 'answered')) return take(search, search.size, now);
  if (!shots.every(({ outcome }) => outcome === 'lost')) return search;
  if (kind === 'confirm') {
    const more = [...shots, shot(search.size, now), shot(search.size, now + spacing)];
    return { ...search, round: { kind: 'doubt', shots: more } };
  }
  if (!lineLives(shots, evidence)) return waitOrDrop(search, shots, now, evidence);
  // The size in use once more beside the smaller ones: if the line has just come back, it passes too.
  const sizes = search.ladder.filter((size) => size <= search.size);
  return { ...search, round: { kind: 'search', shots: twice(sizes, now) } };
}

function judgeSearch(
  search: MtuSearch,
  shots: readonly Shot[],
  now: MonotonicTime,
  evidence: MtuEvidence,
): MtuSearch {
  const sizes = [...new Set(shots.map(({ size }) => size))];
  for (const size of sizes) {
    const outcomes = shots.filter((shot) => shot.size === size).map(({ outcome }) => outcome);
    if (outcomes.includes('answered')) return take(search, size, now);
    // A larger one is still under way, and better.
    if (outcomes.includes(undefined)) return search;
  }
  return lineLives(shots, evidence) ? loseLarge(search, now) : waitOrDrop(search, shots, now, evidence);
}

function judgeClimb(search: MtuSearch, shots: readonly Shot[], now: MonotonicTime): MtuSearch {
  const ended = { ...search, round: undefined, climbedAt: now };
  if (shots.some(({ outcome }) => outcome === 'lost')) return ended;
  if (!shots.every(({ outcome }) => outcome === 'answered')) return search;
  return { ...ended, size: shots[0]?.size ?? search.size, confirmedAt: now };
}

/** Begins a round where one is due. */
function begin(search: MtuSearch, now: MonotonicTime, { pathUp, confirmMillis }: MtuEvidence): MtuSearch {
  if (search.round !== undefined || !pathUp) return search;
  const since = (at: MonotonicTime | undefined): number => (at === undefined ? Infinity : now - at);
  if (since(search.confirmedAt) >= confirmMillis) {
    if (search.state === 'large-lost')
      return { ...search, round: { kind: 'search', shots: twice(search.ladder, now) } };
    return { ...search, round: { kind: 'confirm', shots: [shot(search.size, now)] } };
  }
  const larger = search.ladder.filter((size) => size > search.size).at(-1);
  if (larger === undefined || search.state !== 'good') return search;
  // A line on which even confirmations are rare, to save data, is not asked for more the more often.
  if (since(search.climbedAt) < Math.max(climbEvery, confirmMillis)) return search;
  const shots = [0, 1, 2].map((n) => shot(larger, now + n * spacing));
  return { ...search, round: { kind: 'climb', shots } };
}

const shot = (size: number, dueAt: number): Shot => ({
  size,
  dueAt,
  sentAt: undefined,
  sequence: undefined,
  outcome: undefined,
});
const twice = (sizes: readonly number[], now: MonotonicTime): Shot[] =>
  sizes.flatMap((size) => [shot(size, now), shot(size, now + spacing)]);

const lastSent = (shots: readonly Shot[]): number =>
  Math.max(...shots.map(({ sentAt }) => sentAt ?? -Infinity));

/** Whether small packets came back after the last of the large ones had gone out, none of which did. */
function lineLives(shots: readonly Shot[], { smallAnsweredAt }: MtuEvidence): boolean {
  return smallAnsweredAt !== undefined && smallAnsweredAt > lastSent(shots);
}

function waitOrDrop(
  search: MtuSearch,
  shots: readonly Shot[],
  now: MonotonicTime,
  { timeoutMillis }: MtuEvidence,
): MtuSearch {
  if (now - lastSent(shots) < timeoutMillis + longestDoubt) return search;
  return { ...search, round: undefined, confirmedAt: now };
}

function take(search: MtuSearch, size: number, now: MonotonicTime): MtuSearch {
  const climbedAt = size === search.size && search.state === 'good' ? search.climbedAt : now;
  return { ...search, size, state: 'good', round: undefined, confirmedAt: now, climbedAt };
}

function loseLarge(search: MtuSearch, now: MonotonicTime): MtuSearch {
  const size = search.ladder.at(-1) ?? search.size;
  return { ...search, size, state: 'large-lost', round: undefined, confirmedAt: now };
}

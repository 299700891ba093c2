import type { Age, Basis, CollectionState, Match, UnresolvedReason, Verdict } from '#contracts/verdict.ts';

/** The policy of DESIGN.md section 4 as a pure function: what was found by whom, and what that lets us say. */

/** What one basis answered. `tooOld` is measured against the bureau's limit. */
export interface Answer {
  readonly source: CollectionState;
  readonly age: Age;
  readonly tooOld: boolean;
  readonly matches: readonly Match[];
  /** Part of it could not be read: what it found counts, that it found nothing does not. */
  readonly damaged?: boolean;
}

export interface Evidence {
  readonly central?: Answer;
  readonly cache?: Answer;
  readonly edition?: Answer;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** A verdict before it is known whether it could be recorded. */
export type Decision = DistributiveOmit<Verdict, 'recorded'>;
type NoRecord = Extract<Decision, { kind: 'no-record' }>;

const bases: readonly Basis[] = ['central', 'cache', 'edition'];

/**
 * @param numberDoubtful the number may be another one than was read (isNumberDoubtful). That nothing is recorded under
 *   what may be another document's number lets nobody pass: it is `unresolved` where `no-record` would have followed.
 */
export function decide(evidence: Evidence, numberDoubtful: boolean): Decision {
  const nothing = noRecord(evidence);
  const said: Decision | undefined =
    nothing !== undefined && numberDoubtful
      ? { kind: 'unresolved', reason: 'number-doubtful', age: nothing.age }
      : nothing;
  return matched(evidence) ?? said ?? { kind: 'unresolved', ...whyUnresolved(evidence) };
}

/** Whether the centre itself has answered, so that asking it again would bring nothing. */
export function isSettled({ central }: Evidence): boolean {
  return central !== undefined && (central.matches.length > 0 || usable(central));
}

/** A match counts however old its basis is: an old record is a reason to look, its absence is not a reason to pass. */
function matched(evidence: Evidence): Decision | undefined {
  const found = bases.flatMap((basis) => {
    const answer = evidence[basis];
    return answer === undefined || answer.matches.length === 0 ? [] : [{ basis, answer }];
  });
  const exact = found.find(({ answer }) => answer.matches.some(({ kind }) => kind === 'exact'));
  const best = exact ?? found[0];
  if (best === undefined) return undefined;
  const { source, age, matches } = best.answer;
  return {
    kind: exact === undefined ? 'possible' : 'hit',
    basis: best.basis,
    source,
    age,
    matches: [...matches],
  };
}

/** `no-record` needs a basis of known age within the limit: the centre first, else whichever copy knows more. */
function noRecord({ central, cache, edition }: Evidence): NoRecord | undefined {
  const said = (basis: Basis, { source, age }: Answer): NoRecord => ({
    kind: 'no-record',
    basis,
    source,
    age,
  });
  if (usable(central)) return said('central', central);
  if (usable(cache) && !(usable(edition) && edition.source.date > cache.source.date))
    return said('cache', cache);
  return usable(edition) ? said('edition', edition) : undefined;
}

function usable(answer: Answer | undefined): answer is Answer {
  return answer !== undefined && answer.damaged !== true && !answer.tooOld && answer.age.bound === 'exact';
}

function whyUnresolved({ central, edition }: Evidence): { reason: UnresolvedReason; age?: Age } {
  if (central?.tooOld === true) return { reason: 'central-stale', age: central.age };
  if (edition === undefined) return { reason: 'no-basis' };
  if (edition.damaged === true) return { reason: 'edition-damaged', age: edition.age };
  if (edition.tooOld) return { reason: 'edition-too-old', age: edition.age };
  return { reason: 'clock-unverified', age: edition.age };
}

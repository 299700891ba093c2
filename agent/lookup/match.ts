import type { Candidate } from '#contracts/lookup.ts';
import type { Match, MatchKind } from '#contracts/verdict.ts';
import type { Question } from './question.ts';

/**
 * What candidates mean for a question. The number and the type as read is an exact match; a look-alike of the number,
 * or the same number filed under another type, is a possible one. Exact matches come first.
 */
export function matchesOf(question: Question, candidates: readonly Candidate[]): Match[] {
  const order: Readonly<Record<MatchKind, number>> = { exact: 0, 'other-type': 1, variant: 2 };
  return candidates
    .filter((candidate) => question.numbers.includes(candidate.number))
    .map((candidate) => matchOf(question, candidate))
    .sort((a, b) => order[a.kind] - order[b.kind]);
}

function matchOf(question: Question, { number, record }: Candidate): Match {
  if (number !== question.numbers[0]) return { kind: 'variant', number, record };
  return { kind: record.documentType === question.documentType ? 'exact' : 'other-type', record };
}

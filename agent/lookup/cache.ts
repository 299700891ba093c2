import type { Candidate, LookupResponse } from '#contracts/lookup.ts';
import type { MonotonicTime, Seconds } from '#contracts/units.ts';
import type { CollectionState } from '#contracts/verdict.ts';
import { mainKey, type Question } from './question.ts';

interface Kept {
  readonly at: MonotonicTime;
  readonly source: CollectionState;
  readonly candidates: readonly Candidate[];
}

/** Recent answers of the centre, in memory only, for the minutes in which the link has just gone. */
export class AnswerCache {
  readonly #maxAge: Seconds;
  readonly #limit: number;
  readonly #kept = new Map<string, Kept>();

  constructor(maxAge: Seconds, limit = 500) {
    this.#maxAge = maxAge;
    this.#limit = limit;
  }

  put(question: Question, response: LookupResponse, now: MonotonicTime): void {
    const key = nameOf(question);
    this.#kept.delete(key);
    this.#kept.set(key, { at: now, source: response.source, candidates: response.candidates });
    if (this.#kept.size <= this.#limit) return;
    const oldest = this.#kept.keys().next();
    if (!oldest.done) this.#kept.delete(oldest.value);
  }

  get(question: Question, now: MonotonicTime): Kept | undefined {
    const kept = this.#kept.get(nameOf(question));
    if (kept === undefined || now - kept.at > this.#maxAge * 1000) return undefined;
    return kept;
  }
}

/** The numbers asked for are part of the name: an answer about fewer numbers says nothing about the others. */
function nameOf(question: Question): string {
  return `${mainKey(question)}|${question.documentType}|${question.numbers.join(',')}`;
}

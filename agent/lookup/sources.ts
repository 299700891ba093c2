import type { LookupRequest } from '#contracts/lookup.ts';
import type { Uuid } from '#contracts/names.ts';
import { ok, type Result } from '#contracts/result.ts';
import { type Seconds, wall } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { TrustedTime } from '#runtime/trusted-time.ts';
import { AnswerCache } from './cache.ts';
import { matchesOf } from './match.ts';
import type { Answer, Evidence } from './policy.ts';
import type { CentralPort, EditionPort } from './ports.ts';
import { keyOf, type Question } from './question.ts';

export interface SourcesParts {
  readonly central: CentralPort;
  readonly edition: () => EditionPort | undefined;
  readonly time: TrustedTime;
  readonly clock: Clock;
  readonly policy: { readonly maxAge: Seconds; readonly cacheMaxAge: Seconds };
}

/** Who can answer a question: the edition, the centre, and what the centre said before. Each answer has its age. */
export class Sources {
  readonly #parts: SourcesParts;
  readonly #cache: AnswerCache;

  constructor(parts: SourcesParts) {
    this.#parts = parts;
    this.#cache = new AnswerCache(parts.policy.cacheMaxAge);
  }

  /** What the edition says, at once; undefined where there is none. */
  edition(question: Question): Answer | undefined {
    const edition = this.#parts.edition();
    if (edition === undefined) return undefined;
    let damaged = false;
    const candidates = question.numbers.flatMap((number) => {
      const found = edition.search(keyOf(question, number));
      if (!found.ok) damaged = true;
      return found.ok ? found.value.map((record) => ({ number, record })) : [];
    });
    const { collection, version, date, count } = edition.describe();
    const answer = this.#answer({ collection, version, date, count }, matchesOf(question, candidates));
    return damaged ? { ...answer, damaged } : answer;
  }

  /** What the centre says, within its deadline; kept for the time when it is out of reach. */
  async central(
    question: Question,
    lookup: Uuid,
    purpose: LookupRequest['purpose'],
  ): Promise<Result<Answer>> {
    const response = await this.#parts.central.ask({ lookup, collection: 'sltd', ...question, purpose });
    if (!response.ok) return response;
    this.#cache.put(question, response.value, this.#parts.clock.monotonic());
    return ok(this.#answer(response.value.source, matchesOf(question, response.value.candidates)));
  }

  /** The evidence, with what the centre said before of this question where that is still believed. */
  withCache(evidence: Evidence, question: Question): Evidence {
    const kept = this.#cache.get(question, this.#parts.clock.monotonic());
    if (kept === undefined) return evidence;
    return { ...evidence, cache: this.#answer(kept.source, matchesOf(question, kept.candidates)) };
  }

  #answer(source: Answer['source'], matches: Answer['matches']): Answer {
    const age = this.#parts.time.ageOf(wall(Date.parse(source.date)));
    return { source, age, tooOld: age.seconds > this.#parts.policy.maxAge, matches };
  }
}

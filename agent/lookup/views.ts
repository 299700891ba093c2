import type { TravelDocument } from '#contracts/documents.ts';
import type { Uuid } from '#contracts/names.ts';
import type { LookupView, ShownDocument } from '#contracts/officer.ts';
import { documentTypeOf } from '#contracts/search-key.ts';
import type { Verdict } from '#contracts/verdict.ts';
import type { Decision } from './policy.ts';

/** A verdict that somebody must act upon. */
export type HitVerdict = Extract<Verdict, { kind: 'hit' | 'possible' }>;

export function isHit(verdict: Verdict | null): verdict is HitVerdict {
  return verdict?.kind === 'hit' || verdict?.kind === 'possible';
}

/** `no-record` that is not on record is no answer; anything else is shown, marked. */
export function unrecorded(verdict: Verdict): Verdict {
  if (verdict.kind === 'no-record')
    return { kind: 'unresolved', reason: 'not-recorded', age: verdict.age, recorded: false };
  return { ...verdict, recorded: false };
}

export function recorded(decision: Decision): Verdict {
  return { ...decision, recorded: true };
}

/** The centre's records in place of what the copy knew, where the verdict stays what it is. */
export function withRecords(view: LookupView, decision: Decision): LookupView {
  if (!isHit(view.verdict) || decision.kind !== view.verdict.kind) return view;
  return { ...view, verdict: { ...view.verdict, matches: decision.matches } };
}

/**
 * Whether the number of the document may be another one than was read: its own check digit does not hold, or its lines
 * may be what is left of longer ones, of which other columns are the number.
 */
export function isNumberDoubtful({ warnings }: Pick<LookupView, 'warnings'>): boolean {
  return warnings.includes('number-check-digit') || warnings.includes('maybe-cut');
}

/** What may be shown of a document: no names. */
export function shown(document: TravelDocument): ShownDocument {
  const { format, documentCode, issuingState, documentNumber, expiry, doubtful, repairs } = document;
  return {
    format,
    documentType: documentTypeOf(documentCode),
    documentCode,
    issuingState,
    documentNumber,
    ...(expiry.iso !== undefined && { expiry: expiry.iso }),
    ...(doubtful.length > 0 && { doubtful: [...doubtful] }),
    ...(repairs.length > 0 && { repairs: repairs.length }),
  };
}

/** The latest lookups, and every hit that nobody has acknowledged; bounded, oldest first. */
export class ViewList {
  readonly #limit: number;
  readonly #views = new Map<Uuid, LookupView>();

  constructor(limit: number, open: readonly LookupView[]) {
    this.#limit = limit;
    for (const view of open) this.#views.set(view.lookup, view);
  }

  all(): LookupView[] {
    return [...this.#views.values()];
  }

  get(lookup: Uuid): LookupView | undefined {
    return this.#views.get(lookup);
  }

  put(view: LookupView): void {
    if (!this.#views.has(view.lookup)) this.#forgetPartials();
    this.#views.delete(view.lookup);
    this.#views.set(view.lookup, view);
    for (const [lookup, kept] of this.#views) {
      if (this.#views.size <= this.#limit) return;
      if (!isHit(kept.verdict) || kept.acknowledged !== null) this.#views.delete(lookup);
    }
  }

  /** Part of a line is there for the officer to type the rest; once another document is there, nobody does. */
  #forgetPartials(): void {
    for (const [lookup, { partial, ...view }] of this.#views)
      if (partial !== undefined) this.#views.set(lookup, view);
  }
}

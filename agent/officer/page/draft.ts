import type { PartialRead } from '#contracts/documents.ts';
import type { EntryRequest } from '#contracts/entry.ts';
import type { LookupView } from '#contracts/officer.ts';

/** What stands in the form for typing a document, both ways of it: changing the way loses nothing. */
export interface Draft {
  readonly kind: EntryRequest['kind'];
  readonly documentType: EntryRequest['documentType'];
  readonly issuingState: string;
  readonly documentNumber: string;
  readonly checkDigit: string;
  readonly line: string;
}

export function emptyDraft(kind: Draft['kind'] = 'number'): Draft {
  const blank = { issuingState: '', documentNumber: '', checkDigit: '', line: '' };
  return { kind, documentType: 'passport', ...blank };
}

/** What the terminal is asked, as it was typed. */
export function requestOf(draft: Draft): EntryRequest {
  const { kind, documentType, issuingState, documentNumber, checkDigit, line } = draft;
  return kind === 'number'
    ? { kind, documentType, issuingState, documentNumber, checkDigit }
    : { kind, documentType, issuingState, line };
}

/** Whether nothing is typed in the fields of this way. */
export function isBlank(draft: Draft): boolean {
  const { issuingState, documentNumber, checkDigit, line } = draft;
  const rest = draft.kind === 'number' ? documentNumber + checkDigit : line;
  return `${issuingState}${rest}`.trim() === '';
}

export function sameDraft(a: Draft, b: Draft): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * What a verdict gives to begin with: the line that was read in part, or state and type of a number in doubt. Never the
 * doubtful number itself: it must be typed from the document, or it would only be repeated.
 */
export function draftFor(view: LookupView | undefined): Draft | undefined {
  const { partial, document, verdict } = view ?? {};
  if (verdict?.kind === 'unreadable' && partial !== undefined) return draftOf(partial);
  if (verdict?.kind !== 'unresolved' || verdict.reason !== 'number-doubtful') return undefined;
  if (document === undefined || document === null) return undefined;
  const { documentType, issuingState } = document;
  return { ...emptyDraft('number'), documentType, issuingState };
}

function draftOf({ text, issuingState = '', documentType }: PartialRead): Draft {
  return { ...emptyDraft('line'), documentType, issuingState, line: text };
}

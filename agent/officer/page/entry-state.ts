import { type Draft, emptyDraft, sameDraft } from './draft.ts';

/** The form for typing a document. What is typed stays here, in memory, and nowhere else. */
export interface EntryState {
  readonly open: boolean;
  readonly draft: Draft;
  /** The draft as the form was opened with it: while nothing else stands there, nothing would be lost. */
  readonly start: Draft;
  /** A verdict came while something was being typed. */
  readonly news: boolean;
  /** Counts up with each opening, so that the caret is put where it belongs. */
  readonly round: number;
}

export type EntryEvent =
  /** `from` is what the verdict gives to begin with; without it, typing goes on where it was left. */
  | { readonly type: 'entry-open'; readonly from: Draft | undefined }
  | { readonly type: 'entry-edit'; readonly change: Partial<Draft> }
  | { readonly type: 'entry-close'; readonly keep: boolean }
  /** It was searched. */
  | { readonly type: 'entered' };

export function beginEntry(): EntryState {
  return { open: false, draft: emptyDraft(), start: emptyDraft(), news: false, round: 0 };
}

export function nextEntry(entry: EntryState, event: EntryEvent): EntryState {
  switch (event.type) {
    case 'entry-open': {
      const { from } = event;
      const fresh = from !== undefined && !(sameDraft(from, entry.start) && isTouched(entry));
      const draft = fresh ? { draft: from, start: from } : {};
      return { ...entry, ...draft, open: true, news: false, round: entry.round + 1 };
    }
    case 'entry-edit':
      return { ...entry, draft: { ...entry.draft, ...event.change } };
    case 'entry-close':
      return event.keep ? setAside(entry) : emptied(entry);
    case 'entered':
    default:
      return emptied(entry);
  }
}

/** Whether the officer has typed something that would be lost. */
export function isTouched({ draft, start }: EntryState): boolean {
  return !sameDraft({ ...draft, kind: start.kind, documentType: start.documentType }, start);
}

/** Closed, with what was typed kept for going on. */
export function setAside(entry: EntryState): EntryState {
  return isTouched(entry) ? { ...entry, open: false, news: false } : emptied(entry);
}

function emptied(entry: EntryState): EntryState {
  const draft = emptyDraft(entry.draft.kind);
  return { open: false, draft, start: draft, news: false, round: entry.round };
}

/**
 * A lookup came or changed while the form was open. A hit is never behind a form: it closes at once. So it does for any
 * document where nothing was typed yet; otherwise it stays, and says that there is a new verdict.
 */
export function interrupted(
  entry: EntryState,
  came: { readonly isNew: boolean; readonly isHit: boolean },
): EntryState {
  if (!entry.open) return entry;
  if (came.isHit) return setAside(entry);
  if (!came.isNew) return entry;
  return isTouched(entry) ? { ...entry, news: true } : setAside(entry);
}

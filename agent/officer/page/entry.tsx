import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { EntryCheck } from '#contracts/entry.ts';
import type { LookupView } from '#contracts/officer.ts';
import { checkEntry, enter } from './api.ts';
import { type Draft, isBlank, requestOf } from './draft.ts';
import { CheckList, useEntryCheck } from './entry-check.tsx';
import { CodeFields, LineField } from './entry-fields.tsx';
import type { EntryState } from './entry-state.ts';
import { cautionWords, stillWanted } from './entry-words.ts';
import type { PageEvent } from './state.ts';
import { titleOf, typeWords } from './words.ts';

interface EntryProps {
  readonly entry: EntryState;
  /** The verdict that came while something was being typed, where one did. */
  readonly news: LookupView | undefined;
  readonly dispatch: (event: PageEvent) => void;
}

/**
 * For the document that no reader can read: its number, or the line that holds it, with check digits while it is being
 * typed. A digit that does not hold is said and hinders nothing: such a document is searched, and never passes.
 */
export function EntryForm({ entry, news, dispatch }: EntryProps) {
  const { draft } = entry;
  const check = useEntryCheck(draft);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const [chosen, setChosen] = useState(0);
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    const field = form.current?.querySelector<HTMLInputElement | HTMLTextAreaElement>('[data-first]');
    const gap = field?.value.indexOf('_') ?? -1;
    const place = gap < 0 ? (field?.value.length ?? 0) : gap;
    field?.focus();
    field?.setSelectionRange(place, place);
  }, [entry.round, chosen]);
  const edit = (change: Partial<Draft>): void => {
    setTrouble(undefined);
    dispatch({ type: 'entry-edit', change });
  };
  const search = (event: Event): void => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    void searchFor(draft, check.answer)
      .then((failed) => {
        setTrouble(failed);
        if (failed === undefined) dispatch({ type: 'entered' });
      })
      .finally(() => setBusy(false));
  };
  const caution = check.answer === undefined ? undefined : cautionWords(check.answer);
  return (
    <form class="entry" aria-label="Type a document" ref={form} onSubmit={search} autocomplete="off">
      {/* While a search is on its way, the verdict that comes is its own. */}
      {news !== undefined && !busy && <News view={news} dispatch={dispatch} />}
      <div class="entry-head">
        <h1>Type a document</h1>
        <KindChoice draft={draft} edit={edit} onPoint={() => setChosen(chosen + 1)} />
      </div>
      <div class="fields">
        <TypeField draft={draft} edit={edit} />
        <CodeFields draft={draft} edit={edit} check={check.answer} />
      </div>
      {draft.kind === 'line' && (
        <LineField
          draft={draft}
          edit={edit}
          check={check.answer}
          onEnter={() => form.current?.requestSubmit()}
        />
      )}
      <CheckList draft={draft} check={check} />
      <div class="send">
        <button type="submit" class="search" aria-busy={busy}>
          Search <kbd>Enter</kbd>
        </button>
        <button type="button" class="discard" onClick={() => dispatch({ type: 'entry-close', keep: false })}>
          Close <kbd>Esc</kbd>
        </button>
        {trouble !== undefined ? (
          <p class="trouble" role="alert">
            {trouble}
          </p>
        ) : (
          caution !== undefined && <p class="caution">{caution}</p>
        )}
      </div>
    </form>
  );
}

/**
 * Searches where it can be searched; the answer is what to tell the officer where it was not. How it stands is asked
 * once more where that is not known yet; where nobody says, the search itself will.
 */
async function searchFor(draft: Draft, known: EntryCheck | undefined): Promise<string | undefined> {
  if (isBlank(draft)) return 'Not searched yet. Nothing is typed.';
  const check = known ?? (await checkEntry(requestOf(draft)));
  const wanted = check === undefined ? [] : stillWanted(check);
  return wanted.length > 0 ? `Not searched yet. ${wanted.join(' ')}` : await enter(requestOf(draft));
}

interface FieldProps {
  readonly draft: Draft;
  readonly edit: (change: Partial<Draft>) => void;
}

/** Whoever points at a kind goes on typing; whoever goes through them by the arrow keys stays here. */
function KindChoice({ draft, edit, onPoint }: FieldProps & { readonly onPoint: () => void }) {
  const pointed = useRef(false);
  const kinds = [
    ['number', 'State and number'],
    ['line', 'One line'],
  ] as const;
  return (
    <fieldset class="kinds">
      <legend class="heard">What is typed</legend>
      {kinds.map(([kind, words]) => (
        <label key={kind} onPointerDown={() => (pointed.current = true)}>
          <input
            type="radio"
            name="kind"
            checked={draft.kind === kind}
            onChange={() => {
              edit({ kind });
              if (pointed.current) onPoint();
              pointed.current = false;
            }}
          />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}

function TypeField({ draft, edit }: FieldProps) {
  return (
    <div class="field">
      <label for="entry-type">Document</label>
      <select
        id="entry-type"
        value={draft.documentType}
        onChange={(event) => edit({ documentType: event.currentTarget.value as Draft['documentType'] })}
      >
        {Object.entries(typeWords).map(([type, words]) => (
          <option key={type} value={type}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Something was read while the officer was typing: a verdict is behind this form. */
function News({ view, dispatch }: { readonly view: LookupView; readonly dispatch: EntryProps['dispatch'] }) {
  return (
    <p class="news" role="alert">
      <b>A new verdict came: {titleOf(view)}.</b>
      <button type="button" onClick={() => dispatch({ type: 'entry-close', keep: true })}>
        <kbd>F2</kbd> show it, keep what is typed
      </button>
    </p>
  );
}

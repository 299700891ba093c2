import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { trigger } from './api.ts';
import { draftFor } from './draft.ts';
import { isTouched } from './entry-state.ts';
import { EntryForm } from './entry.tsx';
import { type KeyActions, PageKeys } from './keys.ts';
import type { LookupView } from '#contracts/officer.ts';
import { Footer, Header } from './status.tsx';
import { current, isOpenHit, openHits, type PageEvent, type PageState } from './state.ts';
import { Today } from './today.tsx';
import { VerdictPanel } from './verdict.tsx';

interface AppProps {
  readonly state: PageState;
  readonly dispatch: (event: PageEvent) => void;
}

/** The whole page. While it is not connected it shows nothing that could be taken for an answer. */
export function App({ state, dispatch }: AppProps) {
  const { terminal, entry } = state;
  const view = current(state);
  const waiting = openHits(state).filter((one) => entry.open || one.lookup !== view?.lookup);
  const oldest = waiting[0]?.lookup;
  const [trouble, setTrouble] = useState<string>();
  // What a reader did not do is no longer of interest when something was read.
  useEffect(() => setTrouble(undefined), [state.latest]);
  const tell = (reader: string): void => void trigger(reader).then(setTrouble);
  const told = terminal?.readers.find((reader) => reader.trigger && reader.state === 'ready')?.id;
  const from = draftFor(view);
  const onType = (): void => dispatch({ type: 'entry-open', from });
  const kept = isTouched(entry);
  const actions: KeyActions = {
    escape: () =>
      dispatch(entry.open ? { type: 'entry-close', keep: false } : { type: 'select', lookup: null }),
    f2: entry.news ? () => dispatch({ type: 'entry-close', keep: true }) : undefined,
    h: oldest === undefined ? undefined : () => dispatch({ type: 'select', lookup: oldest }),
    t: entry.open ? undefined : onType,
    r: told === undefined || entry.open ? undefined : () => tell(told),
  };
  const isLive = state.live === 'live' && terminal !== null;
  usePageKeys(isLive ? actions : {});
  if (!isLive) return <NotConnected why={state.live === 'lost' ? 'lost' : 'connecting'} />;
  const now = new Date(state.now);
  return (
    <div class="page">
      <Header
        terminal={terminal}
        now={now}
        kept={kept}
        typeKey={!kept || from === undefined}
        onType={
          entry.open ? undefined : kept ? () => dispatch({ type: 'entry-open', from: undefined }) : onType
        }
        onTrigger={told === undefined || view === undefined || entry.open ? undefined : () => tell(told)}
      />
      <main>
        <Strip state={state} waiting={waiting} trouble={trouble} dispatch={dispatch} />
        {entry.open ? (
          <EntryForm entry={entry} news={entry.news ? view : undefined} dispatch={dispatch} />
        ) : (
          <VerdictPanel
            key={view === undefined ? 'none' : `${view.lookup} ${isOpenHit(view)}`}
            view={view}
            terminal={terminal}
            now={now}
            onType={onType}
            onTrigger={tell}
          />
        )}
      </main>
      <Today state={state} now={now} dispatch={dispatch} />
      <Footer terminal={terminal} now={now} />
    </div>
  );
}

/** Listens for single keys; the numbers go to the outcomes of a hit, and any other letter takes them off again. */
function usePageKeys(actions: KeyActions): void {
  const keys = useRef(new PageKeys());
  // At once with what is drawn, so that no key does what the page before it offered.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const outcomes = document.querySelectorAll<HTMLButtonElement>('.outcomes button');
      const numbers = [...outcomes].map((button, at) => [`${at + 1}`, () => button.focus()] as const);
      const used = keys.current.take(event, { ...actions, ...Object.fromEntries(numbers) });
      const focused = document.activeElement;
      const isStray = !used && event.key.length === 1 && event.key !== ' ';
      if (isStray && focused instanceof HTMLElement && [...outcomes].some((one) => one === focused))
        focused.blur();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
}

interface StripProps extends AppProps {
  readonly waiting: readonly LookupView[];
  /** What a reader that was told to read did not do. */
  readonly trouble: string | undefined;
}

/** Above the verdict: hits without an outcome, and that it is not the latest document. */
function Strip({ state, waiting, trouble, dispatch }: StripProps) {
  const oldest = waiting[0]?.lookup;
  if (oldest === undefined && state.selected === null && trouble === undefined) return null;
  return (
    <div class="strip">
      {oldest !== undefined && (
        <button type="button" class="waiting" onClick={() => dispatch({ type: 'select', lookup: oldest })}>
          <b>{waiting.length === 1 ? '1 hit waits' : `${waiting.length} hits wait`} for an outcome</b>
          {waiting.some((one) => one.late) && <span class="late">found late</span>}
          <span class="hint">
            <kbd>H</kbd> show
          </span>
        </button>
      )}
      {state.selected !== null && (
        <button type="button" class="back" onClick={() => dispatch({ type: 'select', lookup: null })}>
          <b>An earlier document</b> <kbd>Esc</kbd> latest
        </button>
      )}
      {trouble !== undefined && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
    </div>
  );
}

type Why = 'lost' | 'connecting' | 'failed';

const reasons: Record<Why, { readonly title: string; readonly text: string; readonly todo: string }> = {
  lost: {
    title: 'Not connected',
    text: 'It does not reach the software of the terminal, so no answer is shown.',
    todo: 'It connects again by itself. If this stays longer than a minute, call the bureau.',
  },
  connecting: {
    title: 'Connecting',
    text: 'It is not yet connected to the software of the terminal.',
    todo: 'If this stays longer than a minute, call the bureau.',
  },
  failed: {
    title: 'This page has failed',
    text: 'It met something that it cannot show.',
    todo: 'Reload it with F5. If it fails again, call the bureau.',
  },
};

/** In place of everything while nothing on the page could be relied on. */
export function NotConnected({ why }: { readonly why: Why }) {
  const { title, text, todo } = reasons[why];
  return (
    <div class="lost" role="alert">
      <div class="lost-box">
        <p class="lost-mark" aria-hidden="true">
          ✕
        </p>
        <h1>{title}</h1>
        <p>
          <strong>Do not rely on this page.</strong> {text}
        </p>
        <p>{todo}</p>
      </div>
    </div>
  );
}

import { useEffect } from 'preact/hooks';
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
  const { terminal } = state;
  const view = current(state);
  const waiting = openHits(state).filter((one) => one.lookup !== view?.lookup);
  const oldest = waiting[0]?.lookup;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key === 'Escape') dispatch({ type: 'select', lookup: null });
      if (event.key.toLowerCase() === 'h' && oldest !== undefined)
        dispatch({ type: 'select', lookup: oldest });
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [dispatch, oldest]);
  if (state.live !== 'live' || terminal === null)
    return <NotConnected why={state.live === 'lost' ? 'lost' : 'connecting'} />;
  const now = new Date(state.now);
  return (
    <div class="page">
      <Header terminal={terminal} now={now} />
      <main>
        {(oldest !== undefined || state.selected !== null) && (
          <div class="strip">
            {oldest !== undefined && (
              <button
                type="button"
                class="waiting"
                onClick={() => dispatch({ type: 'select', lookup: oldest })}
              >
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
          </div>
        )}
        <VerdictPanel
          key={view === undefined ? 'none' : `${view.lookup} ${isOpenHit(view)}`}
          view={view}
          terminal={terminal}
          now={now}
        />
      </main>
      <Today state={state} now={now} dispatch={dispatch} />
      <Footer terminal={terminal} now={now} />
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

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
  if (state.live !== 'live' || terminal === null) return <NotConnected lost={state.live === 'lost'} />;
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
      <Footer terminal={terminal} />
    </div>
  );
}

function NotConnected({ lost }: { readonly lost: boolean }) {
  return (
    <div class="lost" role="alert">
      <div class="lost-box">
        <p class="lost-mark" aria-hidden="true">
          ✕
        </p>
        <h1>{lost ? 'Not connected' : 'Connecting'}</h1>
        <p>
          <strong>Do not rely on this page.</strong>{' '}
          {lost
            ? 'It does not reach the software of the terminal, so no answer is shown.'
            : 'It is not yet connected to the software of the terminal.'}
        </p>
        <p>It connects again by itself. If this stays longer than a minute, call the bureau.</p>
      </div>
    </div>
  );
}

import { render } from 'preact';
import { useEffect, useErrorBoundary, useReducer, useState } from 'preact/hooks';
import type { LookupView, TerminalView } from '#contracts/officer.ts';
import { goLive } from '#runtime/live.ts';
import { App, NotConnected } from './app.tsx';
import { begin, next } from './state.ts';

function Page() {
  const [state, dispatch] = useReducer(next, Date.now(), begin);
  useEffect(
    () =>
      goLive({
        open: () => new EventSource('/api/events'),
        after(delay, action) {
          const timer = setTimeout(action, delay);
          return () => clearTimeout(timer);
        },
        events: ['lookup', 'terminal'],
        onEvent(event, data) {
          if (event === 'lookup') dispatch({ type: 'lookup', view: data as LookupView });
          else dispatch({ type: 'terminal', view: data as TerminalView, now: Date.now() });
        },
        onState: (state) => dispatch({ type: 'live', state }),
      }),
    [],
  );
  useEffect(() => {
    const timer = setInterval(() => dispatch({ type: 'tick', now: Date.now() }), 1000);
    return () => clearInterval(timer);
  }, []);
  return <App state={state} dispatch={dispatch} />;
}

/** A page that fails must not leave the verdict before standing there. */
function Safe() {
  const [broken] = useErrorBoundary();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const fail = (): void => setFailed(true);
    addEventListener('error', fail);
    addEventListener('unhandledrejection', fail);
    return () => {
      removeEventListener('error', fail);
      removeEventListener('unhandledrejection', fail);
    };
  }, []);
  return broken !== undefined || failed ? <NotConnected why="failed" /> : <Page />;
}

const page = document.querySelector('#page');
if (page !== null) render(<Safe />, page);

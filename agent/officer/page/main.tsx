import { render } from 'preact';
import { useEffect, useReducer } from 'preact/hooks';
import type { LookupView, TerminalView } from '#contracts/officer.ts';
import { goLive } from '#runtime/live.ts';
import { App } from './app.tsx';
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
    const timer = setInterval(() => dispatch({ type: 'tick', now: Date.now() }), 10_000);
    return () => clearInterval(timer);
  }, []);
  return <App state={state} dispatch={dispatch} />;
}

const page = document.querySelector('#page');
if (page !== null) render(<Page />, page);

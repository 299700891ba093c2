import { render } from 'preact';
import { useEffect, useReducer } from 'preact/hooks';
import type { AlertRow, TerminalRow } from '#contracts/console.ts';
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
        events: ['terminal', 'alert'],
        onEvent(event, data) {
          if (event === 'alert') dispatch({ type: 'alert', row: data as AlertRow });
          else dispatch({ type: 'terminal', row: data as TerminalRow });
        },
        onTime: (time) => dispatch({ type: 'time', server: Date.parse(time), now: Date.now() }),
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

const page = document.querySelector('#page');
if (page !== null) render(<Page />, page);

import { Alerts } from './alerts.tsx';
import { isOpen, type PageEvent, type PageState, shownTerminals, troubleOf } from './state.ts';
import { Terminals } from './terminals.tsx';

interface AppProps {
  readonly state: PageState;
  readonly dispatch: (event: PageEvent) => void;
}

/** The whole page: how many, who is in trouble, what happened. */
export function App({ state, dispatch }: AppProps) {
  const all = [...state.terminals.values()];
  const rows = shownTerminals(state);
  const online = all.filter((row) => row.state === 'online').length;
  const trouble = all.filter((row) => !['none', 'never'].includes(troubleOf(row))).length;
  const open = [...state.alerts.values()].filter(isOpen).length;
  return (
    <div class="page">
      <header>
        <h1>Checkpost</h1>
        <Count value={`${online} of ${all.length}`} name="online" />
        <Count value={trouble} name="in trouble" bad={trouble > 0} />
        <Count value={open} name="hits without outcome" bad={open > 0} />
        <label class="filter">
          <span>Filter</span>
          <input
            type="search"
            value={state.filter}
            placeholder="site, terminal, state, condition"
            onInput={(event) => dispatch({ type: 'filter', text: event.currentTarget.value })}
          />
        </label>
      </header>
      {state.live !== 'live' && (
        <p class="lost" role="alert">
          {state.live === 'lost' ? (
            <>
              <b>Not connected to the controller.</b> What stands here is old and does not change. It connects
              again by itself; if it does not, check that <code>checkpost central</code> runs.
            </>
          ) : (
            'Connecting to the controller.'
          )}
        </p>
      )}
      <div class={state.live === 'live' ? 'body' : 'body stale'}>
        <Terminals rows={rows} now={state.now} empty={emptyReason(state, all.length)} />
        <Alerts state={state} />
      </div>
    </div>
  );
}

function Count(props: { readonly value: string | number; readonly name: string; readonly bad?: boolean }) {
  return (
    <p class={props.bad === true ? 'count bad' : 'count'}>
      <b>{props.value}</b> {props.name}
    </p>
  );
}

function emptyReason(state: PageState, known: number): 'filtered' | 'none' | 'waiting' {
  if (known > 0) return 'filtered';
  return state.live === 'live' ? 'none' : 'waiting';
}

import { render } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { SessionState } from '#contracts/api/accounts.ts';
import { goLive, type LiveState } from '#runtime/live.ts';
import { type Api, createApi } from './data/api.ts';
import { PageContext } from './data/context.ts';
import { FleetData, type FleetSnapshot, type LiveName, liveNames, type LiveRows } from './data/fleet.ts';
import { App } from './shell/app.tsx';
import { SignIn } from './shell/sign-in.tsx';

/** Clocks that differ by less are taken for equal: a heartbeat is some time on its way. */
const sameMillis = 1000;

function Page() {
  const [session, setSession] = useState<SessionState | undefined>(undefined);
  const [live, setLive] = useState<LiveState>('connecting');
  const data = useMemo(() => new FleetData(atMostFourASecond()), []);
  // How far the centre's clock is ahead of the browser's.
  const [ahead, setAhead] = useState(0);
  const csrf = useMemo(() => ({ value: '' }), []);
  csrf.value = session?.csrf ?? '';
  const api: Api = useMemo(
    () =>
      createApi({
        fetch: globalThis.fetch.bind(globalThis),
        csrf: () => csrf.value,
        onSignedOut: () => setSession((before) => before && { ...before, identity: null }),
      }),
    [csrf],
  );
  useEffect(() => {
    const ask = async (): Promise<void> => {
      const answer = await api.ask<SessionState>('GET', '/session');
      if (answer.ok) setSession(answer.value);
      else setTimeout(() => void ask(), 2000);
    };
    void ask();
  }, [api]);
  const signedIn = session?.identity !== null && session?.identity !== undefined;
  useEffect(() => {
    if (!signedIn) return undefined;
    const stop = follow(api, data, setLive, (time) => {
      const found = Date.parse(time) - Date.now();
      setAhead((before) => (Math.abs(found - before) < sameMillis ? before : found));
    });
    return () => {
      stop();
      data.forget();
    };
  }, [signedIn, api, data]);
  const now = useMemo(() => () => Date.now() + ahead, [ahead]);
  const identity = session?.identity;
  const parts = useMemo(
    () => (identity === null || identity === undefined ? undefined : { api, data, now, identity }),
    [api, data, now, identity],
  );
  if (session === undefined) return <p class="empty">Connecting to the centre.</p>;
  if (parts === undefined) return <SignIn api={api} session={session} done={setSession} />;
  const signOut = (): void => {
    void api.ask('DELETE', '/session').then(() => setSession({ ...session, identity: null }));
  };
  return (
    <PageContext.Provider value={parts}>
      <App live={live} demo={session.demo} signOut={signOut} />
    </PageContext.Provider>
  );
}

/**
 * Runs an action at the next turn of the screen, but not within a quarter of a second of the one before: a change alone is
 * seen at once, and hundreds of them a second cost no more than four.
 */
function atMostFourASecond(): (action: () => void) => void {
  let last = -Infinity;
  return (action) => {
    const wait = Math.max(0, last + 250 - performance.now());
    setTimeout(() => {
      requestAnimationFrame(() => {
        last = performance.now();
        action();
      });
    }, wait);
  };
}

/** Listens first and then asks for the whole, so that nothing falls between the two. */
function follow(
  api: Api,
  data: FleetData,
  turn: (state: LiveState) => void,
  onTime: (time: string) => void,
): () => void {
  let waiting: { name: LiveName; row: LiveRows[LiveName] }[] | undefined;
  const load = async (): Promise<void> => {
    const rows: typeof waiting = [];
    waiting = rows;
    const [fleet, hits] = await Promise.all([
      api.ask<FleetSnapshot>('GET', '/fleet'),
      api.ask<LiveRows['hit'][]>('GET', '/hits?limit=200'),
    ]);
    if (waiting !== rows) return;
    waiting = undefined;
    if (fleet.ok) data.replace(fleet.value);
    if (hits.ok) data.add('hit', hits.value);
    for (const { name, row } of rows) data.take(name, row);
    turn(fleet.ok ? 'live' : 'lost');
  };
  return goLive({
    open: () => new EventSource('/api/v1/live'),
    after(delay, action) {
      const timer = setTimeout(action, delay);
      return () => clearTimeout(timer);
    },
    events: liveNames,
    onEvent(name, row) {
      const event = { name: name as LiveName, row: row as LiveRows[LiveName] };
      if (waiting !== undefined) waiting.push(event);
      else data.take(event.name, event.row);
    },
    onTime,
    onState(state) {
      if (state === 'live') void load();
      else turn(state);
    },
  });
}

const page = document.querySelector('#page');
if (page !== null) render(<Page />, page);

import type { LiveState } from '#runtime/live.ts';
import { mayAdminister, useFleet, useParts, usePlace } from '../data/context.ts';
import { hashOf, type Place } from '../data/place.ts';
import { troubleOf } from '../data/trouble.ts';
import { conditionOf } from '../words.ts';
import { views } from './views.ts';

interface AppProps {
  readonly live: LiveState;
  readonly demo: boolean;
  readonly signOut: () => void;
}

/** The whole page: how many and how bad at the top, then the view that the address names. */
export function App({ live, demo, signOut }: AppProps) {
  const data = useFleet();
  const { identity } = useParts();
  const place = usePlace();
  const rows = [...data.terminals.values()];
  const online = rows.filter((row) => row.state === 'online').length;
  const bad = rows.filter((row) => !['none', 'never', 'warning'].includes(troubleOf(row))).length;
  const alerts = [...data.alerts.values()].filter(
    (alert) => alert.state === 'open' && alert.acknowledged === null,
  ).length;
  const hits = [...data.hits.values()].filter((row) => !row.hit.training && row.acknowledged === null).length;
  return (
    <div class="page">
      <header class="no-print">
        <h1>
          <a href="#/fleet">Checkpost</a>
          {demo && <span class="mark">demonstration</span>}
        </h1>
        <nav aria-label="Main">
          <Link view="fleet" place={place} text={`Fleet ${online}/${rows.length}`} bad={bad} />
          <Link view="alerts" place={place} text="Alerts" bad={alerts} />
          <Link view="hits" place={place} text="Hits" bad={hits} />
          <Link view="configuration" place={place} text="Configuration" />
          <Link view="waves" place={place} text="Waves" />
          <Link view="maintenance" place={place} text="Maintenance" />
          {mayAdminister(identity) && <Link view="audit" place={place} text="Audit" />}
          <Link view="accounts" place={place} text="Accounts" />
        </nav>
        <p class="who small">
          {identity.name}, {identity.role}
          {identity.bureau !== null && ` of ${identity.bureau}`}
          {!demo && (
            <button type="button" onClick={signOut}>
              Sign out
            </button>
          )}
        </p>
      </header>
      {live !== 'live' && <Lost live={live} />}
      {(data.centre?.conditions ?? []).map(({ code }) => {
        const { title, remedy } = conditionOf(code);
        return (
          <p key={code} class="lost" role="alert">
            <b>{title}.</b> {remedy}
          </p>
        );
      })}
      <main class={live === 'live' ? 'body' : 'body stale'} id="main">
        <View place={place} />
      </main>
    </div>
  );
}

function View({ place }: { readonly place: Place }) {
  const Chosen = views[Object.hasOwn(views, place.view) ? place.view : 'fleet'];
  return Chosen === undefined ? null : <Chosen key={`${place.view} ${place.id}`} id={place.id} />;
}

function Link(props: {
  readonly view: string;
  readonly place: Place;
  readonly text: string;
  readonly bad?: number;
}) {
  const { view, place, text, bad = 0 } = props;
  return (
    <a href={hashOf(view)} {...(place.view === view && { 'aria-current': 'page' as const })}>
      {text}
      {bad > 0 && (
        <b class="badge" aria-label={`${bad} in trouble`}>
          {bad}
        </b>
      )}
    </a>
  );
}

function Lost({ live }: { readonly live: LiveState }) {
  return (
    <p class="lost no-print" role="alert">
      {live === 'lost' ? (
        <>
          <b>Not connected to the controller.</b> What stands here is old and does not change. It connects
          again by itself; if it does not, check that <code>checkpost central</code> runs.
        </>
      ) : (
        'Connecting to the controller.'
      )}
    </p>
  );
}

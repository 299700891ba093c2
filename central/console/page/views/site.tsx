import { useFleet, useNow } from '../data/context.ts';
import { hashOf } from '../data/place.ts';
import { ConditionNote } from '../parts/condition.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { TerminalLine } from './fleet.tsx';

/** One place: its terminals, what is wrong there, what happened. Prints as a report. */
export function SiteView({ id }: { readonly id: string }) {
  const data = useFleet();
  const now = useNow(5000);
  const site = data.sites.get(id);
  const terminals = data.terminalsOf(id);
  if (site === undefined) return <p class="empty">There is no site {id}.</p>;
  const conditions = terminals.flatMap((row) =>
    row.conditions.map((condition) => ({ condition, terminal: row.terminal })),
  );
  return (
    <article class="detail">
      <header class="detail-head">
        <h2>{site.name}</h2>
        <p class="small">
          {site.site}, bureau {site.bureau}
          {site.timeZone !== null &&
            `, time zone ${site.timeZone}, local time ${localTime(site.timeZone, now)}`}
          {site.latitude !== null &&
            site.longitude !== null &&
            `, ${site.latitude.toFixed(4)}, ${site.longitude.toFixed(4)}`}
        </p>
        <p class="no-print">
          <button onClick={() => print()}>Print a report</button>
        </p>
      </header>
      <section aria-label="Terminals of this site">
        <h3>Terminals</h3>
        {terminals.map((row) => (
          <TerminalLine key={row.terminal} row={row} site={site.name} now={now} />
        ))}
      </section>
      <section aria-label="Conditions of this site">
        <h3>What is wrong</h3>
        {conditions.length === 0 && <p class="small">Nothing is known to be wrong.</p>}
        <ul class="conditions">
          {conditions.map(({ condition, terminal }) => (
            <li key={`${terminal} ${condition.code} ${condition.subject ?? ''}`} class="of-terminal">
              <a href={hashOf('terminal', terminal)}>{terminal}</a>
              <ul class="conditions">
                <ConditionNote condition={condition} now={now} />
              </ul>
            </li>
          ))}
        </ul>
      </section>
      <section aria-label="What happened">
        <h3>What happened</h3>
        <Timeline query={`site=${encodeURIComponent(id)}`} fits={(event) => event.site === id} />
      </section>
    </article>
  );
}

function localTime(timeZone: string, now: number): string {
  try {
    return new Date(now).toLocaleTimeString('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' });
  } catch {
    return 'not known';
  }
}

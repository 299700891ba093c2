import { useState } from 'preact/hooks';
import type { TerminalDetail, TerminalRow } from '#contracts/api/fleet.ts';
import { mayOperate, useAsked, useFleet, useNow, useParts, usePlace } from '../data/context.ts';
import { hashOf } from '../data/place.ts';
import { ConditionNote } from '../parts/condition.tsx';
import { FaultNote } from '../parts/fault.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { agoWords, copyWords, forWords, stateWords } from '../words.ts';
import { Charts } from './charts.tsx';
import { Commands } from './commands.tsx';
import { Facts } from './facts.tsx';
import { Running } from './running.tsx';

const tabs = {
  now: 'Now',
  charts: 'Charts',
  events: 'What happened',
  configuration: 'Configuration',
} as const;
type Tab = keyof typeof tabs;

/** One terminal: what is wrong, what it measures, what happened, what it runs, and what can be asked of it. */
export function TerminalView({ id }: { readonly id: string }) {
  const data = useFleet();
  const row = data.terminals.get(id);
  if (row !== undefined) return <KnownTerminal row={row} />;
  return <p class="empty">{data.epoch === 0 ? 'Waiting for the centre.' : `There is no terminal ${id}.`}</p>;
}

function KnownTerminal({ row }: { readonly row: TerminalRow }) {
  const { data, identity } = useParts();
  const place = usePlace();
  const now = useNow(1000);
  const id = row.terminal;
  // Asked again whenever its row has changed: what it measures changes with it.
  const [shown, setShown] = useState(0);
  const { answer, again } = useAsked<TerminalDetail>(`/terminals/${encodeURIComponent(id)}`);
  const lastSeen = row.lastSeen === null ? 0 : Date.parse(row.lastSeen);
  if (lastSeen > shown) {
    setShown(lastSeen);
    if (shown > 0) again();
  }
  const wanted = place.query.get('tab') ?? 'now';
  const tab: Tab = Object.hasOwn(tabs, wanted) ? (wanted as Tab) : 'now';
  const site = data.sites.get(row.site);
  return (
    <article class="detail">
      <header class="detail-head">
        <h2>
          {site?.name ?? row.site} <span class="small">{row.terminal}</span>
        </h2>
        <p>
          <span class={`state ${row.state}`}>{stateWords[row.state]}</span>{' '}
          {row.since !== null && <span class="small">{forWords(row.since, now)}, </span>}
          <span class="small">
            last heard {agoWords(row.lastSeen, now)}, {copyWords(row, now)},{' '}
            {row.owed === 0 ? 'owes nothing' : `owes ${row.owed}`}
            {row.version !== '' && `, version ${row.version}`}
          </span>
          {row.maintenance && <span class="mark">maintenance</span>}
        </p>
        <p class="no-print">
          <a href={hashOf('site', row.site)}>Site {row.site}</a>
        </p>
      </header>
      <nav class="tabs no-print" aria-label="Of this terminal">
        {Object.entries(tabs).map(([name, title]) => (
          <a
            key={name}
            href={hashOf('terminal', id, { tab: name === 'now' ? '' : name })}
            {...(name === tab && { 'aria-current': 'page' as const })}
          >
            {title}
          </a>
        ))}
      </nav>
      {answer?.ok === false && <FaultNote fault={answer.fault} />}
      {tab === 'now' && (
        <div class="columns">
          <section aria-label="Conditions">
            <h3>What is wrong</h3>
            {row.conditions.length === 0 && (
              <p class="small">
                {row.state === 'online'
                  ? 'Nothing is known to be wrong.'
                  : 'Nothing was wrong when it was last heard.'}
              </p>
            )}
            <ul class="conditions">
              {row.conditions.map((condition) => (
                <ConditionNote
                  key={`${condition.code} ${condition.subject ?? ''}`}
                  condition={condition}
                  now={now}
                />
              ))}
            </ul>
            {mayOperate(identity) && (
              <Commands row={row} detail={answer?.ok === true ? answer.value : undefined} />
            )}
          </section>
          {answer?.ok === true && <Facts detail={answer.value} now={now} />}
        </div>
      )}
      {tab === 'charts' && <Charts terminal={id} />}
      {tab === 'events' && (
        <Timeline query={`terminal=${encodeURIComponent(id)}`} fits={(event) => event.terminal === id} />
      )}
      {tab === 'configuration' && <Running terminal={id} />}
    </article>
  );
}

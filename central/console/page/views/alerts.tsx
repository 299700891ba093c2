import { useState } from 'preact/hooks';
import type { Alert } from '#contracts/api/alerts.ts';
import { mayOperate, useAsked, useFleet, useNow, useParts, usePlace } from '../data/context.ts';
import type { ApiFault } from '../data/api.ts';
import { hashOf } from '../data/place.ts';
import { FaultNote } from '../parts/fault.tsx';
import { Marked } from '../parts/marked.tsx';
import { conditionOf, forWords, whenWords } from '../words.ts';

/** What somebody should act upon, causes first; what they explain stands beneath them. */
export function AlertsView() {
  const data = useFleet();
  const place = usePlace();
  const now = useNow(5000);
  const closed = place.query.get('show') === 'closed';
  const standing = [...data.alerts.values()];
  const causes = standing.filter((alert) => alert.state === 'open').sort(order);
  const covered = standing
    .filter(({ state, cause }) => state === 'suppressed' && (cause === null || !data.alerts.has(cause)))
    .sort(order);
  return (
    <article class="detail">
      <div class="chips no-print" role="group" aria-label="Which alerts">
        <a class="chip" href={hashOf('alerts')} {...(!closed && { 'aria-current': 'true' as const })}>
          Standing <b>{causes.length}</b>
        </a>
        <a
          class="chip"
          href={hashOf('alerts', '', { show: 'closed' })}
          {...(closed && { 'aria-current': 'true' as const })}
        >
          Over
        </a>
      </div>
      {closed ? (
        <ClosedAlerts now={now} />
      ) : (
        <>
          <section aria-label="Alerts">
            {causes.length === 0 && <p class="small">Nothing is wrong that somebody should act upon.</p>}
            <ul class="alerts">
              {causes.map((alert) => (
                <AlertItem key={alert.id} alert={alert} now={now} explained={standing} />
              ))}
            </ul>
          </section>
          {covered.length > 0 && (
            <section aria-label="Covered by maintenance">
              <h3>Nobody is told: covered by maintenance, or explained by what is not shown here</h3>
              <ul class="alerts">
                {covered.map((alert) => (
                  <AlertItem key={alert.id} alert={alert} now={now} explained={standing} />
                ))}
              </ul>
            </section>
          )}
        </>
      )}
    </article>
  );
}

/** Errors before warnings, those that nobody has acknowledged before the others, the newest first. */
function order(a: Alert, b: Alert): number {
  const rank = (alert: Alert): number =>
    (alert.acknowledged === null ? 0 : 2) + (alert.severity === 'error' ? 0 : 1);
  return rank(a) - rank(b) || b.id - a.id;
}

function ClosedAlerts({ now }: { readonly now: number }) {
  const { answer } = useAsked<Alert[]>('/alerts?state=all&limit=500');
  if (answer === undefined) return <p class="small">Asking.</p>;
  if (!answer.ok) return <FaultNote fault={answer.fault} />;
  const over = answer.value.filter(({ state }) => state === 'closed');
  return (
    <section aria-label="Alerts that are over">
      {over.length === 0 && <p class="small">None is kept yet.</p>}
      <ul class="alerts">
        {over.map((alert) => (
          <AlertItem key={alert.id} alert={alert} now={now} explained={[]} />
        ))}
      </ul>
    </section>
  );
}

function AlertItem(props: {
  readonly alert: Alert;
  readonly now: number;
  readonly explained: readonly Alert[];
}) {
  const { alert, now } = props;
  const data = useFleet();
  const { title, text, remedy } = conditionOf(alert.code);
  const site = alert.site === null ? undefined : data.sites.get(alert.site);
  const beneath = props.explained.filter((other) => other.cause === alert.id);
  return (
    <li class={`alert ${alert.severity} ${alert.acknowledged === null ? '' : 'taken'}`}>
      <p>
        <b>
          {title}
          {alert.subject !== null && `: ${alert.subject}`}
        </b>
        {alert.times > 1 && <span class="mark">{alert.times} times</span>}
        {alert.flapping && <span class="mark">comes and goes</span>}
        {alert.escalation > 0 && <span class="mark">escalated</span>}
      </p>
      <p>
        {alert.terminal !== null && (
          <>
            <a href={hashOf('terminal', alert.terminal)}>{alert.terminal}</a>{' '}
          </>
        )}
        {site !== undefined && <a href={hashOf('site', site.site)}>{site.name}</a>}
        {alert.terminal === null && site === undefined && 'The centre'}{' '}
        <span class="small">
          since {whenWords(alert.openedAt, now)}
          {alert.closedAt === null
            ? `, ${forWords(alert.openedAt, now)}`
            : `, over ${whenWords(alert.closedAt, now)}`}
        </span>
      </p>
      <p class="small">
        <Marked text={`${text} ${remedy}`} />
      </p>
      {beneath.length > 0 && (
        <details>
          <summary>It explains {beneath.length === 1 ? 'one other' : `${beneath.length} others`}</summary>
          <ul>
            {beneath.map((other) => (
              <li key={other.id} class="small">
                {other.terminal ?? other.site ?? 'the centre'}: {conditionOf(other.code).title}
              </li>
            ))}
          </ul>
        </details>
      )}
      {alert.acknowledged !== null && (
        <p class="small">
          {alert.acknowledged.by} acts upon it since {whenWords(alert.acknowledged.at, now)}
          {alert.acknowledged.note !== '' && `: ${alert.acknowledged.note}`}
        </p>
      )}
      {alert.silencedUntil !== null && Date.parse(alert.silencedUntil) > now && (
        <p class="small">Silent until {whenWords(alert.silencedUntil, now)}.</p>
      )}
      {alert.state !== 'closed' && <Actions alert={alert} now={now} />}
    </li>
  );
}

function Actions({ alert, now }: { readonly alert: Alert; readonly now: number }) {
  const { api, identity } = useParts();
  const data = useFleet();
  const [note, setNote] = useState('');
  const [fault, setFault] = useState<ApiFault | undefined>(undefined);
  if (!mayOperate(identity)) return null;
  const change = async (path: string, body: object): Promise<void> => {
    const answer = await api.ask<Alert>('POST', `/alerts/${alert.id}/${path}`, body);
    setFault(answer.ok ? undefined : answer.fault);
    if (answer.ok) data.take('alert', answer.value);
  };
  const silent = alert.silencedUntil !== null && Date.parse(alert.silencedUntil) > now;
  return (
    <div class="buttons no-print">
      {alert.acknowledged === null && (
        <>
          <label>
            <span class="hidden">Note</span>
            <input
              value={note}
              placeholder="what is being done"
              maxLength={1000}
              onInput={(event) => setNote(event.currentTarget.value)}
            />
          </label>
          <button type="button" onClick={() => void change('acknowledge', { note })}>
            I act upon it
          </button>
        </>
      )}
      {silent ? (
        <button type="button" onClick={() => void change('silence', { minutes: 0, note })}>
          End silence
        </button>
      ) : (
        <button type="button" onClick={() => void change('silence', { minutes: 240, note })}>
          Silence for 4 hours
        </button>
      )}
      {fault !== undefined && <FaultNote fault={fault} />}
    </div>
  );
}

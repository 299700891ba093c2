import type { TerminalRow } from '#contracts/console.ts';
import { troubleOf } from './state.ts';
import { agoWords, conditionOf, copyWords, readerWords, stateWords, uplinkWords } from './words.ts';

interface TerminalsProps {
  readonly rows: readonly TerminalRow[];
  readonly now: number;
  /** Why there may be no rows. */
  readonly empty: 'filtered' | 'none' | 'waiting';
}

/** Every terminal in one row, those in trouble first. */
export function Terminals({ rows, now, empty }: TerminalsProps) {
  if (rows.length === 0) return <section aria-label="Terminals">{emptyTexts[empty]}</section>;
  return (
    <section aria-label="Terminals" class="terminals">
      <table>
        <thead>
          <tr>
            <th scope="col">Terminal</th>
            <th scope="col">State, last seen</th>
            <th scope="col">Copy</th>
            <th scope="col">Owes</th>
            <th scope="col">Reader, clock</th>
            <th scope="col">Conditions</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.terminal} row={row} now={now} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

const emptyTexts = {
  waiting: <p class="empty">Waiting for the controller.</p>,
  filtered: <p class="empty">No terminal fits the filter.</p>,
  none: (
    <div class="empty">
      <p>No terminal is registered.</p>
      <p>
        Make a bundle with <code>checkpost site bundle</code> and enrol a terminal with it with{' '}
        <code>checkpost enrol</code>; it stands here as soon as it is signed.
      </p>
    </div>
  ),
};

function Row({ row, now }: { readonly row: TerminalRow; readonly now: number }) {
  const { health } = row;
  const seen = row.state !== 'never';
  return (
    <tr class={`trouble-${troubleOf(row)}`}>
      <th scope="row" data-name="Terminal">
        <b>{row.siteName}</b>
        <span class="small">
          {row.terminal}, {row.site}
        </span>
        {seen && (
          <span class="small">
            version {row.version}, session {row.session}
          </span>
        )}
      </th>
      <td data-name="State, last seen">
        <span class={`state ${row.state}`}>{stateWords[row.state]}</span>
        <span>{seen ? `seen ${agoWords(row.lastSeen, now)}` : ''}</span>
        {row.since !== null && (
          <span class="small">
            {row.state} for {agoWords(row.since, now).replace(' ago', '')}
          </span>
        )}
        {uplinkWords(health.uplink).map(({ text, amiss }) => (
          <span key={text} class={amiss ? 'small amiss' : 'small'}>
            {text}
          </span>
        ))}
      </td>
      <td data-name="Copy">{seen ? copyWords(row, now) : ''}</td>
      <td data-name="Owes">{health.outbox === undefined ? '' : owes(health.outbox.depth)}</td>
      <td data-name="Reader, clock">
        {(health.readers ?? []).map(({ id, state }) => (
          <span key={id} class={state === 'ready' ? '' : 'amiss'}>
            {id} {readerWords[state]}
          </span>
        ))}
        {health.clock !== undefined && (
          <span class={health.clock.state === 'verified' ? '' : 'amiss'}>
            clock {health.clock.state === 'verified' ? 'verified' : 'not verified'}
          </span>
        )}
      </td>
      <td data-name="Conditions">
        <ul class="conditions">
          {(health.conditions ?? []).map(({ code, since, subject }) => {
            const { severity, title, remedy } = conditionOf(code);
            return (
              <li key={`${code} ${subject ?? ''}`} class={severity}>
                <b>
                  {title}
                  {subject !== undefined && `: ${subject}`}
                </b>
                <span class="small">
                  for {agoWords(since, now).replace(' ago', '')}. {remedy}
                </span>
              </li>
            );
          })}
          {seen && (health.conditions ?? []).length === 0 && (
            <li class="none">{row.state === 'online' ? 'none' : 'none when last heard'}</li>
          )}
          {!seen && (
            <li class="none">Not heard of since it was registered: switch it on, check its uplink.</li>
          )}
        </ul>
      </td>
    </tr>
  );
}

function owes(depth: number): string {
  return depth === 0 ? 'nothing' : `${depth}`;
}

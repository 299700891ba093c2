import type { AlertRow } from '#contracts/console.ts';
import type { HitItem } from '#contracts/outbox.ts';
import { dayWords, referenceWords, sameDay, timeWords } from '#runtime/page-words.ts';
import { isOpen, type PageState, shownAlerts } from './state.ts';
import { basisWords, documentWords, eventWords, outcomeWords } from './words.ts';

/** What happened at the terminals, newest first. */
export function Alerts({ state }: { readonly state: PageState }) {
  const alerts = shownAlerts(state);
  const now = new Date(state.now);
  return (
    <section aria-label="Alerts" class="alerts">
      <h2>Alerts</h2>
      {alerts.length === 0 && (
        <p class="empty">
          No alert yet. A hit at any terminal stands here as soon as the terminal has sent it.
        </p>
      )}
      <ol aria-live="polite">
        {alerts.map((row) => (
          <li key={row.id} class={isOpen(row) ? 'alert open' : 'alert'}>
            <Alert row={row} state={state} />
            <p class="small">
              {siteOf(row, state)}, {row.terminal}
              <br />
              {whenWords(row.at, now)}
              {Date.parse(row.receivedAt) - Date.parse(row.at) > 60_000 &&
                `, received ${whenWords(row.receivedAt, now)}`}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Alert({ row }: { readonly row: AlertRow; readonly state: PageState }) {
  const { item } = row;
  if (item.kind === 'hit') return <Hit row={row} item={item} />;
  const { title, text } = eventWords(item);
  return (
    <>
      <p>
        <b>{title}</b>
      </p>
      <p>{text}</p>
    </>
  );
}

function Hit({ row, item }: { readonly row: AlertRow; readonly item: HitItem }) {
  return (
    <>
      <p class="title">
        <b class={`kind ${item.verdict}`}>{item.verdict === 'hit' ? 'Hit' : 'Possible hit'}</b>
        {item.late && <span class="mark">late</span>}
        {item.training && <span class="mark">training</span>}
        {!item.recorded && <span class="mark">not recorded on the terminal</span>}
        <span class="reference">{referenceWords(item.lookup)}</span>
      </p>
      <p class="number">{documentWords(item)}</p>
      <p>Answered by {basisWords(item)}.</p>
      <p class={row.acknowledged === null ? 'outcome waiting' : 'outcome'}>
        {row.acknowledged === null
          ? 'No outcome yet'
          : `${outcomeWords[row.acknowledged.outcome]}, officer ${row.acknowledged.officer}`}
      </p>
      {row.centralConfirmation !== null && (
        <p class={row.centralConfirmation}>
          {row.centralConfirmation === 'agrees'
            ? 'The centre confirms it.'
            : 'The centre disagrees. It stays a hit; call the site.'}
        </p>
      )}
    </>
  );
}

function siteOf(row: AlertRow, state: PageState): string {
  return state.terminals.get(row.terminal)?.siteName ?? 'site not known';
}

function whenWords(instant: string, now: Date): string {
  return sameDay(instant, now)
    ? timeWords(instant, true)
    : `${dayWords(instant, now)}, ${timeWords(instant)}`;
}

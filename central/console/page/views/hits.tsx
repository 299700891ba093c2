import { useState } from 'preact/hooks';
import type { HitRow } from '#contracts/api/fleet.ts';
import { referenceWords } from '#runtime/page-words.ts';
import { useFleet, useNow, useParts } from '../data/context.ts';
import { hashOf } from '../data/place.ts';
import { basisWords, documentWords, outcomeOf, whenWords } from '../words.ts';

/** Hits at any terminal, newest first; those that wait for an outcome stand out. */
export function HitsView() {
  const { api } = useParts();
  const data = useFleet();
  const now = useNow(30_000);
  const [end, setEnd] = useState(false);
  const rows = [...data.hits.values()].sort((a, b) => b.id - a.id);
  const older = async (): Promise<void> => {
    const before = rows.at(-1)?.id;
    const answer = await api.ask<HitRow[]>(
      'GET',
      `/hits?limit=200${before === undefined ? '' : `&before=${before}`}`,
    );
    if (!answer.ok || answer.value.length === 0) return setEnd(true);
    data.add('hit', answer.value);
  };
  return (
    <article class="detail">
      <section aria-label="Hits">
        {rows.length === 0 && (
          <p class="small">
            No hit yet. A hit at any terminal stands here as soon as the terminal has sent it.
          </p>
        )}
        <ol class="hits" aria-live="polite">
          {rows.map((row) => (
            <Hit key={row.id} row={row} now={now} site={data.sites.get(row.site)?.name ?? row.site} />
          ))}
        </ol>
        {!end && rows.length >= 200 && <button onClick={() => void older()}>Older</button>}
      </section>
    </article>
  );
}

function Hit({ row, now, site }: { readonly row: HitRow; readonly now: number; readonly site: string }) {
  const { hit } = row;
  const waits = row.acknowledged === null && !hit.training;
  const late = Date.parse(row.receivedAt) - Date.parse(row.at) > 60_000;
  return (
    <li class={waits ? 'hit-row open' : 'hit-row'}>
      <p class="title">
        <b class={`kind ${hit.verdict}`}>{hit.verdict === 'hit' ? 'Hit' : 'Possible hit'}</b>
        {hit.late && <span class="mark">late</span>}
        {hit.training && <span class="mark">training</span>}
        {!hit.recorded && <span class="mark">not recorded on the terminal</span>}
        <span class="reference">{referenceWords(hit.lookup)}</span>
      </p>
      <p class="number">{documentWords(hit)}</p>
      <p class="small">Answered by {basisWords(hit)}.</p>
      <p class={waits ? 'outcome waiting' : 'outcome'}>{outcomeOf(row)}</p>
      {row.confirmation !== null && (
        <p class={row.confirmation}>
          {row.confirmation === 'agrees'
            ? 'The centre confirms it.'
            : 'The centre disagrees. It stays a hit; call the site.'}
        </p>
      )}
      <p class="small">
        {site}, <a href={hashOf('terminal', row.terminal)}>{row.terminal}</a>, {whenWords(row.at, now)}
        {row.clock === 'unverified' && ' by a clock that was not verified'}
        {late && `, received ${whenWords(row.receivedAt, now)}`}
      </p>
    </li>
  );
}

import { useMemo } from 'preact/hooks';
import type { TerminalRow } from '#contracts/api/fleet.ts';
import { mayAdminister, useFleet, useNow, useParts, usePlace } from '../data/context.ts';
import { everything, filtered, filterFrom, filterTo, type FleetFilter } from '../data/filter.ts';
import { hashOf } from '../data/place.ts';
import { sitesOf, type Trouble, troubleOf, troubleWords, troubles } from '../data/trouble.ts';
import { conditionSummary } from '../parts/condition.tsx';
import { VirtualList } from '../parts/virtual-list.tsx';
import { agoWords, conditionOf, copyWords, forWords, stateWords } from '../words.ts';
import { FleetMap } from './map.tsx';
import { SavedViews } from './saved.tsx';

/** The whole fleet: what is wrong first, as a list and on the map, by a filter that stands in the address. */
export function FleetView() {
  const data = useFleet();
  const { identity } = useParts();
  const place = usePlace();
  const now = useNow(5000);
  const filter = filterFrom(place.query);
  const showMap = place.query.get('map') !== 'no';
  const rows = useMemo(
    () => filtered(data.terminals.values(), data.sites, filter),
    [data.version, place.query.toString()],
  );
  const sites = useMemo(() => sitesOf(data.sites, rows), [rows]);
  const places = useMemo(() => [...sites.values()], [sites]);
  // The map stays where it is while terminals come and go: it is fitted to all sites, or those of the bureau.
  const around = useMemo(
    () => [...data.sites.values()].filter(({ bureau }) => filter.bureau === '' || bureau === filter.bureau),
    [data.epoch, data.sites.size, filter.bureau],
  );
  const go = (next: FleetFilter, map = showMap): void => {
    location.hash = hashOf('fleet', '', { ...filterTo(next), map: map ? '' : 'no' });
  };
  return (
    <div class={showMap ? 'fleet with-map' : 'fleet'}>
      <Filters filter={filter} go={go} showMap={showMap} />
      {showMap && (
        <FleetMap
          sites={places}
          around={around}
          open={(site) => {
            location.hash = hashOf('site', site);
          }}
        />
      )}
      <section class="rows" aria-label="Terminals">
        <p class="small summary" role="status">
          {rows.length === data.terminals.size
            ? `${rows.length} terminals at ${sites.size} sites`
            : `${rows.length} of ${data.terminals.size} terminals fit`}
          {rows.length > 0 && mayAdminister(identity) && (
            <>
              {' '}
              <a href={hashOf('bulk', '', filterTo(filter))}>Do something with these {rows.length}</a>
            </>
          )}
        </p>
        {rows.length === 0 && <Empty known={data.terminals.size} clear={() => go(everything)} />}
        <VirtualList label="Terminals" items={rows} rowHeight={54} keyOf={(row) => row.terminal}>
          {(row) => <TerminalLine row={row} site={data.sites.get(row.site)?.name ?? row.site} now={now} />}
        </VirtualList>
      </section>
    </div>
  );
}

/** One terminal in two lines: who and where, then the one thing to know. */
export function TerminalLine(props: {
  readonly row: TerminalRow;
  readonly site: string;
  readonly now: number;
}) {
  const { row, site, now } = props;
  const trouble = troubleOf(row);
  const summary = conditionSummary(row.conditions);
  const plain =
    row.state === 'never'
      ? 'Registered; it has not been heard yet'
      : row.state === 'online' || row.since === null
        ? 'No condition'
        : `${stateWords[row.state]} ${forWords(row.since, now)}`;
  return (
    <a class={`line trouble-${trouble}`} href={hashOf('terminal', row.terminal)}>
      <b class="line-site">{site}</b>
      <span class="line-id">{row.terminal}</span>
      <span class={`state ${row.state}`}>{stateWords[row.state]}</span>
      <span class={summary === '' ? 'line-what small' : 'line-what'}>
        {summary === '' ? plain : summary}
        {row.maintenance && <span class="mark">maintenance</span>}
      </span>
      <span class="line-more small">
        {[
          row.state === 'never' ? '' : `seen ${agoWords(row.lastSeen, now)}`,
          copyWords(row, now),
          row.owed > 0 ? `owes ${row.owed}` : '',
          row.uplink ?? '',
        ]
          .filter((part) => part !== '')
          .join(' · ')}
      </span>
    </a>
  );
}

function Filters(props: {
  readonly filter: FleetFilter;
  readonly go: (next: FleetFilter, map?: boolean) => void;
  readonly showMap: boolean;
}) {
  const { filter, go, showMap } = props;
  const data = useFleet();
  const [counts, bureaus, codes] = useMemo(() => {
    const byTrouble = new Map<Trouble, number>();
    const byBureau = new Set<string>();
    const byCode = new Map<string, number>();
    for (const row of data.terminals.values()) {
      const trouble = troubleOf(row);
      byTrouble.set(trouble, (byTrouble.get(trouble) ?? 0) + 1);
      byBureau.add(row.bureau);
      for (const code of new Set(row.conditions.map((one) => one.code)))
        byCode.set(code, (byCode.get(code) ?? 0) + 1);
    }
    return [byTrouble, [...byBureau].sort(), [...byCode.entries()].sort(([, a], [, b]) => b - a)];
  }, [data.version]);
  const toggle = (trouble: Trouble): void => {
    const { trouble: chosen } = filter;
    const next = chosen.includes(trouble) ? chosen.filter((one) => one !== trouble) : [...chosen, trouble];
    go({ ...filter, trouble: next });
  };
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span class="hidden">Search</span>
        <input
          type="search"
          value={filter.words}
          placeholder="site, terminal, condition, version"
          onInput={(event) => go({ ...filter, words: event.currentTarget.value })}
        />
      </label>
      <div class="chips" role="group" aria-label="State">
        {troubles.map((trouble) => (
          <button
            key={trouble}
            type="button"
            class={`chip trouble-${trouble}`}
            aria-pressed={filter.trouble.includes(trouble)}
            onClick={() => toggle(trouble)}
          >
            {troubleWords[trouble]} <b>{counts.get(trouble) ?? 0}</b>
          </button>
        ))}
      </div>
      {bureaus.length > 1 && (
        <label>
          <span class="hidden">Bureau</span>
          <select
            value={filter.bureau}
            onChange={(event) => go({ ...filter, bureau: event.currentTarget.value })}
          >
            <option value="">All bureaus</option>
            {bureaus.map((bureau) => (
              <option key={bureau} value={bureau}>
                {bureau}
              </option>
            ))}
          </select>
        </label>
      )}
      {(codes.length > 0 || filter.condition !== '') && (
        <label>
          <span class="hidden">Condition</span>
          <select
            value={filter.condition}
            onChange={(event) => go({ ...filter, condition: event.currentTarget.value })}
          >
            <option value="">Any condition</option>
            {codes.map(([code, count]) => (
              <option key={code} value={code}>
                {`${conditionOf(code).title} (${count})`}
              </option>
            ))}
          </select>
        </label>
      )}
      <SavedViews />
      <button type="button" onClick={() => go(filter, !showMap)} aria-pressed={showMap}>
        Map
      </button>
    </form>
  );
}

function Empty({ known, clear }: { readonly known: number; readonly clear: () => void }) {
  if (known > 0)
    return (
      <p class="empty">
        No terminal fits. <button onClick={clear}>Show all</button>
      </p>
    );
  return (
    <div class="empty">
      <p>No terminal is registered.</p>
      <p>
        Make a bundle with <code>checkpost site bundle</code> and enrol a terminal with it with{' '}
        <code>checkpost enrol</code>; it stands here as soon as it is signed.
      </p>
    </div>
  );
}

import type { LookupView } from '#contracts/officer.ts';
import { typedReader } from '#contracts/names.ts';
import { maskNumber, sameDay, timeWords } from '#runtime/page-words.ts';
import { Icon } from './icons.tsx';
import { current, isOpenHit, type PageEvent, type PageState } from './state.ts';
import { type Look, lookOf } from './words.ts';

interface TodayProps {
  readonly state: PageState;
  readonly now: Date;
  readonly dispatch: (event: PageEvent) => void;
}

/** Today's documents, newest first, numbers masked; hits without an outcome stay whatever their day. */
export function Today({ state, now, dispatch }: TodayProps) {
  const shown = state.lookups.filter((view) => isOpenHit(view) || sameDay(view.at, now)).toReversed();
  const selected = current(state)?.lookup;
  return (
    <nav class="today" aria-label="Documents of today">
      <h2>Today</h2>
      {shown.length === 0 && <p class="none">No document yet.</p>}
      <ol tabIndex={-1}>
        {shown.map((view) => (
          <li key={view.lookup}>
            <button
              type="button"
              class={`row look-${lookOf(view)}`}
              aria-current={view.lookup === selected}
              onClick={() => dispatch({ type: 'select', lookup: view.lookup })}
            >
              <span class="badge">
                <Icon look={lookOf(view)} />
              </span>
              <span class="what">{short(view)}</span>
              <time dateTime={view.at}>{timeWords(view.at)}</time>
              <span class="masked">
                {view.document === null
                  ? 'no number'
                  : `${view.document.issuingState} ${maskNumber(view.document.documentNumber)}`}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

const names: Record<Look, string> = {
  searching: 'Searching',
  hit: 'Hit',
  possible: 'Possible hit',
  'no-record': 'No record',
  'no-record-copy': 'No record, copy',
  unresolved: 'Unresolved',
  unreadable: 'Not readable',
};

function short(view: LookupView): string {
  const outcome = isOpenHit(view) ? ', open' : '';
  const typed = view.reader === typedReader ? ', typed' : '';
  return `${view.training ? 'Training: ' : ''}${names[lookOf(view)]}${view.late ? ', late' : ''}${typed}${outcome}`;
}

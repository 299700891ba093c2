import type { LookupView, TerminalView } from '#contracts/officer.ts';
import type { LiveState } from '#runtime/live.ts';
import {
  beginEntry,
  type EntryEvent,
  type EntryState,
  interrupted,
  nextEntry,
  setAside,
} from './entry-state.ts';

/** All that the page knows. Lookups stand in the order in which they first came. */
export interface PageState {
  readonly live: LiveState;
  readonly terminal: TerminalView | null;
  readonly lookups: readonly LookupView[];
  /** The newest document on a reader. */
  readonly latest: string | null;
  /** An earlier lookup that the officer looks at instead; a new document ends that. */
  readonly selected: string | null;
  /** While the whole state is being sent: the ids that came, so that what is gone from the agent goes here too. */
  readonly receiving: readonly string[] | null;
  /** The terminal's time, as well as the browser can tell it between the terminal's own words. */
  readonly now: number;
  /** What the terminal's clock is ahead of the browser's, which may be another machine's. */
  readonly offset: number;
  readonly entry: EntryState;
}

export type PageEvent =
  | { readonly type: 'live'; readonly state: LiveState }
  | { readonly type: 'terminal'; readonly view: TerminalView; readonly now: number }
  | { readonly type: 'lookup'; readonly view: LookupView }
  | { readonly type: 'select'; readonly lookup: string | null }
  | { readonly type: 'tick'; readonly now: number }
  | EntryEvent;

export function begin(now: number): PageState {
  return {
    live: 'connecting',
    terminal: null,
    lookups: [],
    latest: null,
    selected: null,
    receiving: [],
    now,
    offset: 0,
    entry: beginEntry(),
  };
}

export function next(state: PageState, event: PageEvent): PageState {
  switch (event.type) {
    case 'live':
      return turn(state, event.state);
    case 'terminal':
      return tell(state, event.view, event.now);
    case 'lookup':
      return put(state, event.view);
    case 'select':
      // Whoever asks for a verdict wants to see it.
      return {
        ...state,
        selected: event.lookup === state.latest ? null : event.lookup,
        entry: state.entry.open ? setAside(state.entry) : state.entry,
      };
    case 'tick':
      return { ...state, now: event.now + state.offset };
    case 'entry-open':
    case 'entry-edit':
    case 'entry-close':
      return { ...state, entry: nextEntry(state.entry, event) };
    case 'entered':
    default:
      // Its verdict is the latest one, or comes as such.
      return { ...state, selected: null, entry: nextEntry(state.entry, event) };
  }
}

function tell(state: PageState, terminal: TerminalView, now: number): PageState {
  const time = Date.parse(terminal.time);
  return { ...state, terminal, offset: time - now, now: time };
}

function turn(state: PageState, live: LiveState): PageState {
  if (live === 'connecting') return { ...state, live, receiving: [] };
  const { receiving } = state;
  if (live === 'lost' || receiving === null) return { ...state, live };
  const lookups = state.lookups.filter((view) => receiving.includes(view.lookup));
  const kept = (id: string | null): string | null => (id !== null && receiving.includes(id) ? id : null);
  // A page that has just been opened shows the newest; one that was away, what came meanwhile.
  const newest = lookups.toSorted((a, b) => (a.at < b.at ? -1 : 1)).at(-1)?.lookup ?? null;
  return {
    ...state,
    live,
    lookups,
    latest: kept(state.latest) ?? newest,
    selected: kept(state.selected),
    receiving: null,
  };
}

function put(state: PageState, view: LookupView): PageState {
  const receiving = state.receiving === null ? null : [...state.receiving, view.lookup];
  const before = state.lookups.find((one) => one.lookup === view.lookup);
  // It is on the reader again: the big verdict is that of the document in the officer's hand.
  const again =
    before !== undefined && (view.presented ?? 1) > (before.presented ?? 1) && state.receiving === null;
  const isHit = isOpenHit(view) && (before === undefined || again || !isOpenHit(before));
  const entry = interrupted(state.entry, { isNew: before === undefined || again, isHit });
  if (before !== undefined) {
    const lookups = state.lookups.map((one) => (one.lookup === view.lookup ? view : one));
    return { ...state, lookups, receiving, entry, ...(again && { latest: view.lookup, selected: null }) };
  }
  // Not by its time: the clock may have been set back since the one before, and an old verdict must not stay on top.
  const first = state.receiving !== null && state.latest === null;
  return {
    ...state,
    lookups: [...state.lookups, view],
    latest: first ? null : view.lookup,
    selected: null,
    receiving,
    entry,
  };
}

/** What the big verdict shows. */
export function current(state: PageState): LookupView | undefined {
  const id = state.selected ?? state.latest;
  return state.lookups.find((view) => view.lookup === id);
}

/** Hits and possible hits whose outcome nobody has recorded, oldest first. */
export function openHits(state: PageState): readonly LookupView[] {
  return state.lookups.filter(isOpenHit);
}

export function isOpenHit({ verdict, acknowledged }: LookupView): boolean {
  return (verdict?.kind === 'hit' || verdict?.kind === 'possible') && acknowledged === null;
}

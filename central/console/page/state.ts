import type { AlertRow, TerminalRow } from '#contracts/console.ts';
import type { LiveState } from '#runtime/live.ts';
import { conditionOf } from './words.ts';

/** All that the page knows. */
export interface PageState {
  readonly live: LiveState;
  readonly terminals: ReadonlyMap<string, TerminalRow>;
  readonly alerts: ReadonlyMap<number, AlertRow>;
  /** While the whole state is being sent, what came of it; it then replaces what was there. */
  readonly receiving: {
    readonly terminals: Map<string, TerminalRow>;
    readonly alerts: Map<number, AlertRow>;
  } | null;
  readonly filter: string;
  /** The centre's time, as well as the browser can tell it, and how far its clock is ahead of the browser's. */
  readonly now: number;
  readonly offset: number;
}

export type PageEvent =
  | { readonly type: 'live'; readonly state: LiveState }
  | { readonly type: 'terminal'; readonly row: TerminalRow }
  | { readonly type: 'alert'; readonly row: AlertRow }
  | { readonly type: 'filter'; readonly text: string }
  | { readonly type: 'time'; readonly server: number; readonly now: number }
  | { readonly type: 'tick'; readonly now: number };

/** How many alerts are kept here; the server sends as many at first. */
const kept = 200;

export function begin(now: number): PageState {
  return {
    live: 'connecting',
    terminals: new Map(),
    alerts: new Map(),
    receiving: { terminals: new Map(), alerts: new Map() },
    filter: '',
    now,
    offset: 0,
  };
}

export function next(state: PageState, event: PageEvent): PageState {
  switch (event.type) {
    case 'live':
      return turn(state, event.state);
    case 'terminal': {
      if (state.receiving === null)
        return { ...state, terminals: new Map(state.terminals).set(event.row.terminal, event.row) };
      const terminals = new Map(state.receiving.terminals).set(event.row.terminal, event.row);
      return { ...state, receiving: { ...state.receiving, terminals } };
    }
    case 'alert': {
      if (state.receiving === null)
        return { ...state, alerts: bounded(new Map(state.alerts).set(event.row.id, event.row)) };
      const alerts = new Map(state.receiving.alerts).set(event.row.id, event.row);
      return { ...state, receiving: { ...state.receiving, alerts } };
    }
    case 'filter':
      return { ...state, filter: event.text };
    case 'time':
      return { ...state, offset: event.server - event.now, now: event.server };
    case 'tick':
    default:
      return { ...state, now: event.now + state.offset };
  }
}

function turn(state: PageState, live: LiveState): PageState {
  if (live === 'connecting')
    return { ...state, live, receiving: { terminals: new Map(), alerts: new Map() } };
  const { receiving } = state;
  if (live === 'lost' || receiving === null) return { ...state, live };
  return { ...state, live, ...receiving, receiving: null };
}

function bounded(alerts: Map<number, AlertRow>): ReadonlyMap<number, AlertRow> {
  const oldest = [...alerts.keys()].sort((a, b) => b - a).slice(kept);
  for (const id of oldest) alerts.delete(id);
  return alerts;
}

export type Trouble = 'error' | 'offline' | 'warning' | 'never' | 'none';
const order: readonly Trouble[] = ['error', 'offline', 'warning', 'never', 'none'];

/** The worst that is known of a terminal. What an offline terminal said before is not news: offline is. */
export function troubleOf(row: TerminalRow): Trouble {
  if (row.state === 'never') return 'never';
  if (row.state === 'offline') return 'offline';
  const severities = (row.health.conditions ?? []).map(({ code }) => conditionOf(code).severity);
  if (severities.includes('error')) return 'error';
  return severities.length > 0 ? 'warning' : 'none';
}

/** The terminals that fit the filter, those in trouble first. */
export function shownTerminals(state: PageState): readonly TerminalRow[] {
  const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = (row: TerminalRow): number => order.indexOf(troubleOf(row));
  return [...state.terminals.values()]
    .filter((row) => {
      const text = [row.terminal, row.site, row.siteName, row.bureau, row.state, row.version, ...titles(row)]
        .join(' ')
        .toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((a, b) => rank(a) - rank(b) || (a.terminal < b.terminal ? -1 : 1));
}

function titles(row: TerminalRow): readonly string[] {
  return (row.health.conditions ?? []).map(({ code }) => conditionOf(code).title);
}

/** Newest first. */
export function shownAlerts(state: PageState): readonly AlertRow[] {
  return [...state.alerts.values()].sort((a, b) => b.id - a.id);
}

/** A hit that no officer has recorded an outcome for. */
export function isOpen(row: AlertRow): boolean {
  return row.item.kind === 'hit' && !row.item.training && row.acknowledged === null;
}

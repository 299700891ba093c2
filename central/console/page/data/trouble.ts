import type { SiteRow, TerminalRow } from '#contracts/api/fleet.ts';
import { conditionOf } from '../words.ts';

/** The worst that is known of a terminal or site, gravest first. */
export const troubles = ['error', 'offline', 'suspect', 'warning', 'never', 'none'] as const;
export type Trouble = (typeof troubles)[number];

export const troubleWords: Record<Trouble, string> = {
  error: 'Error',
  offline: 'Offline',
  suspect: 'Silent',
  warning: 'Warning',
  never: 'Never seen',
  none: 'No trouble',
};

export function rankOf(trouble: Trouble): number {
  return troubles.indexOf(trouble);
}

/** What an offline terminal said before is not news: offline is. */
export function troubleOf({ state, conditions }: TerminalRow): Trouble {
  if (state === 'never' || state === 'offline') return state;
  if (conditions.some(({ code }) => conditionOf(code).severity === 'error')) return 'error';
  if (state === 'suspect') return 'suspect';
  return conditions.length > 0 ? 'warning' : 'none';
}

export interface SiteState {
  readonly site: SiteRow;
  readonly trouble: Trouble;
  readonly terminals: readonly TerminalRow[];
}

/** Sites with the worst of their terminals. */
export function sitesOf(
  sites: ReadonlyMap<string, SiteRow>,
  terminals: Iterable<TerminalRow>,
): Map<string, SiteState> {
  const states = new Map<string, { site: SiteRow; trouble: Trouble; terminals: TerminalRow[] }>();
  for (const row of terminals) {
    const site = sites.get(row.site);
    if (site === undefined) continue;
    const trouble = troubleOf(row);
    const state = states.get(row.site);
    if (state === undefined) {
      states.set(row.site, { site, trouble, terminals: [row] });
      continue;
    }
    state.terminals.push(row);
    if (rankOf(trouble) < rankOf(state.trouble)) state.trouble = trouble;
  }
  return states;
}

import type { SiteRow, TerminalRow } from '#contracts/api/fleet.ts';
import { conditionOf } from '../words.ts';
import { type Trouble, troubleOf, troubles } from './trouble.ts';

/** Which terminals are shown; it stands in the address, so that it can be kept and sent to somebody. */
export interface FleetFilter {
  /** Words that must all occur. */
  readonly words: string;
  readonly trouble: readonly Trouble[];
  readonly bureau: string;
  /** Code of a condition. */
  readonly condition: string;
}

export const everything: FleetFilter = { words: '', trouble: [], bureau: '', condition: '' };

export function filterFrom(query: URLSearchParams): FleetFilter {
  return {
    words: query.get('q') ?? '',
    trouble: (query.get('state') ?? '').split(',').filter((one): one is Trouble => {
      return (troubles as readonly string[]).includes(one);
    }),
    bureau: query.get('bureau') ?? '',
    condition: query.get('condition') ?? '',
  };
}

export function filterTo(filter: FleetFilter): Readonly<Record<string, string>> {
  return {
    q: filter.words,
    state: filter.trouble.join(','),
    bureau: filter.bureau,
    condition: filter.condition,
  };
}

/** The terminals that fit, those in trouble first, then by id. */
export function filtered(
  terminals: Iterable<TerminalRow>,
  sites: ReadonlyMap<string, SiteRow>,
  filter: FleetFilter,
): TerminalRow[] {
  const words = filter.words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = new Map<Trouble, TerminalRow[]>(troubles.map((trouble) => [trouble, []]));
  for (const row of terminals) {
    const trouble = troubleOf(row);
    if (filter.trouble.length > 0 && !filter.trouble.includes(trouble)) continue;
    if (filter.bureau !== '' && row.bureau !== filter.bureau) continue;
    if (filter.condition !== '' && !row.conditions.some(({ code }) => code === filter.condition)) continue;
    if (words.length > 0) {
      const text = textOf(row, sites.get(row.site));
      if (!words.every((word) => text.includes(word))) continue;
    }
    found.get(trouble)?.push(row);
  }
  // They mostly come in the order of their ids: to sort what is nearly sorted costs little, with 5,000 of them too.
  return [...found.values()].flatMap((rows) => rows.sort((a, b) => (a.terminal < b.terminal ? -1 : 1)));
}

function textOf(row: TerminalRow, site: SiteRow | undefined): string {
  const titles = row.conditions.map(({ code, subject }) => `${conditionOf(code).title} ${subject ?? ''}`);
  return [row.terminal, site?.name, row.bureau, row.state, row.version, row.uplink, ...titles]
    .join(' ')
    .toLowerCase();
}

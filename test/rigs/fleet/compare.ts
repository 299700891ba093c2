import type { FleetCentre } from './centre.ts';
import type { StreamOfTerminal } from './orders.ts';

/** What the terminals owed beside what the centre has of it. */
export interface Compared {
  readonly owed: number;
  /** Items in the database, and how many of them twice; what was owed and is not there. */
  readonly stored: number;
  readonly doubled: number;
  readonly lost: number;
  /** Streams whose last number at the centre is not the last one owed. */
  readonly behind: number;
}

/** Each stream must be at the centre without a hole, each number once, up to the last one that was owed. */
export function compare(centre: FleetCentre, owed: readonly StreamOfTerminal[]): Compared {
  const through = new Map(
    centre
      .query('SELECT stream, through FROM streams')
      .map(([stream = '', number = '0']) => [stream, Number(number)]),
  );
  const items = new Map<string, { readonly all: number; readonly different: number }>();
  for (const [stream = '', all = '0', different = '0'] of centre.query(
    'SELECT stream, count(*), count(DISTINCT seq) FROM items GROUP BY stream',
  ))
    items.set(stream, { all: Number(all), different: Number(different) });
  const sum = (of: (one: StreamOfTerminal) => number): number => owed.reduce((so, one) => so + of(one), 0);
  const stored = sum(({ stream }) => items.get(stream)?.all ?? 0);
  const different = sum(({ stream }) => items.get(stream)?.different ?? 0);
  return {
    owed: sum(({ last }) => last),
    stored,
    doubled: stored - different,
    lost: sum(({ stream, last }) => last - (items.get(stream)?.different ?? 0)),
    behind: owed.filter(({ stream, last }) => last !== (through.get(stream) ?? 0)).length,
  };
}

import type { MetricName, Series } from '#contracts/api/fleet.ts';
import type { Result } from '#contracts/result.ts';
import { wall } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import type { Db, Tx } from '../../store/index.ts';
import { levels } from './lines.ts';
import { summaries } from './rollup.ts';
import { Summary } from './summary.ts';

interface Query {
  readonly terminal: string;
  /** Unix time in seconds. */
  readonly from: number;
  readonly to: number;
  /** Length of a step in seconds. */
  readonly step: number;
}

/** What was measured over time. */
export class History {
  readonly #db: Db;
  readonly #clock: Clock;

  constructor(parts: { readonly db: Db; readonly clock: Clock }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
  }

  /**
   * A metric of a terminal from one Unix time (seconds) to another, in at most about `points` steps: as fine as is kept for
   * as long ago as `from`. Of what is counted each step holds its total. Faults: those of the database.
   */
  series(
    terminal: string,
    metric: MetricName,
    from: number,
    to: number,
    points: number,
  ): Promise<Result<Series>> {
    const now = Math.floor(this.#clock.wall() / 1000);
    const wanted = (to - from) / Math.max(1, points);
    const kept = levels.findIndex(({ keep }) => from >= now - keep);
    const oldest = kept === -1 ? levels.length - 1 : kept;
    const fits = levels.findLastIndex(({ step }) => step <= wanted);
    const level = Math.max(oldest, fits);
    const base = levels[level]?.step ?? 60;
    const step = base * Math.max(1, Math.ceil(wanted / base));
    const query = { terminal, from: from - (from % step), to, step };
    return this.#db.read(async (tx) => ({
      metric,
      stepSeconds: step,
      points: metric === 'online' ? await online(tx, query, now) : await measured(tx, query, metric, level),
    }));
  }
}

async function measured(
  tx: Tx,
  { terminal, from, to, step }: Query,
  metric: MetricName,
  level: number,
): Promise<Series['points']> {
  const summary = new Summary(metric);
  // What is not rolled up yet is still in the levels below.
  for (const [at, { block }] of levels.slice(0, level + 1).entries()) {
    const rows = await tx.all<{ block: number; data: string }>(
      `SELECT block, data FROM samples WHERE level = ? AND terminal = ? AND block > ? AND block < ?
       ${at === level ? '' : 'AND rolled = 0'} ORDER BY block`,
      at,
      terminal,
      from - block,
      to,
    );
    for (const row of rows)
      for (const [start, values] of summaries(at, row.block, row.data, step).get(metric)?.steps() ?? [])
        if (start >= from && start < to) summary.add(start, values);
  }
  return summary.steps().map(([at, [least, mean, most]]) => [at, least, mean, most]);
}

interface Period {
  readonly began: string;
  readonly state: string;
}

/** The share of each step in which the terminal was not offline; nothing before it was first heard of. */
async function online(tx: Tx, { terminal, from, to, step }: Query, now: number): Promise<Series['points']> {
  const first = await tx.get<Period>(
    'SELECT began, state FROM periods WHERE terminal = ? AND began <= ? ORDER BY began DESC LIMIT 1',
    terminal,
    instant(wall(from * 1000)),
  );
  const later = await tx.all<Period>(
    'SELECT began, state FROM periods WHERE terminal = ? AND began > ? AND began < ? ORDER BY began',
    terminal,
    instant(wall(from * 1000)),
    instant(wall(to * 1000)),
  );
  const periods = [...(first === undefined ? [] : [first]), ...later];
  const end = Math.min(to, now);
  const shares = new Map<number, { up: number; known: number }>();
  for (const [i, { began, state }] of periods.entries()) {
    const next = periods[i + 1]?.began;
    const until = Math.min(end, next === undefined ? end : Date.parse(next) / 1000);
    let at = Math.max(from, Date.parse(began) / 1000);
    while (at < until) {
      const start = Math.floor(at / step) * step;
      const part = Math.min(until, start + step) - at;
      const share = shares.get(start) ?? { up: 0, known: 0 };
      shares.set(start, {
        up: share.up + (state === 'offline' ? 0 : part),
        known: share.known + part,
      });
      at = start + step;
    }
  }
  return [...shares].map(([at, { up, known }]) => {
    const share = up / known;
    return [at, share, share, share];
  });
}

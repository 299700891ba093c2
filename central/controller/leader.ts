import { meteredKeepAlive } from '#contracts/metered.ts';
import type { Result } from '#contracts/result.ts';
import { ms, seconds, wall, type Millis } from '#contracts/units.ts';
import { type Clock, instant, pause } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Db, RegistryWatch } from '../store/index.ts';
import type { FleetView } from './fleet/view.ts';
import type { Remembered } from './fleet/rows.ts';
import { purgeSamples, rollUp } from './history/rollup.ts';
import type { Timeline } from './history/timeline.ts';
import type { Ingest } from './ingest/ingest.ts';

export interface LeaderParts {
  readonly db: Db;
  readonly registry: Pick<RegistryWatch, 'find'>;
  readonly fleet: FleetView;
  readonly ingest: Ingest;
  readonly timeline: Timeline;
  readonly timelineDays: number;
  /** When the broker was reached, by the monotonic clock; undefined while there is no session: silence says nothing. */
  readonly reachedAt: () => number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** What one controller does for all: verdicts about silence, the end of what is over, roll-ups and purging of the past. */
export interface LeaderTask {
  /** Runs until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

const lookEvery = ms(5000);
const tidyEvery = ms(60_000);
/** Between two batches, so that what arrives is not held up. */
const breath = ms(50);
const blocksAtOnce = 100;
const day = 86_400_000;

/** A keep-alive of a terminal and a half, its longest pause, and some: by then everybody had time to come back. */
export const tolerance = ms(150_000);
/** In the metered profile a verdict takes so long. */
export const meteredTolerance = ms(900_000);
const usualKeepAlive = seconds(30);
/** A terminal sends a full report now and then, by default every hour; one that misses it is suspect. */
const longestQuiet = ms(1.5 * 3_600_000);
/** In the metered profile terminals send it every six hours at most. */
const meteredQuiet = ms(9 * 3_600_000);
/** A terminal that kept quiet for so long floods no more. */
const floodOver = 300_000;
/** How long a gap is shown at its terminal; it stays in the database. */
const lostShownFor = 30 * day;

export function createLeaderTask(parts: LeaderParts): LeaderTask {
  return {
    async run(signal) {
      await Promise.all([
        every(parts.clock, lookEvery, signal, () => look(parts)),
        every(parts.clock, tidyEvery, signal, () => tidy(parts, signal)),
      ]);
    },
  };
}

async function every(
  clock: Clock,
  interval: Millis,
  signal: AbortSignal,
  action: () => Promise<void>,
): Promise<void> {
  for (;;) {
    await pause(clock, interval, signal);
    if (signal.aborted) return;
    await action();
  }
}

/** One look at every terminal: who is silent for too long, and what is over. */
export async function look(parts: LeaderParts): Promise<void> {
  for (const one of parts.fleet.all()) {
    const { terminal } = one.row;
    const registered = parts.registry.find(terminal);
    if (registered === undefined) continue;
    const verdict = verdictOf(parts, one);
    const done =
      verdict === undefined
        ? await endWhatIsOver(parts, one, registered)
        : await parts.ingest.silent(registered, verdict);
    if (done?.ok === false) return parts.log.error('The database failed', faultFields(done.fault));
  }
}

/** What its silence means, by the monotonic clock alone. */
function verdictOf(parts: LeaderParts, { row, keepAlive }: Remembered): 'suspect' | 'offline' | undefined {
  if (row.state !== 'online' && row.state !== 'suspect') return undefined;
  const reachedAt = parts.reachedAt();
  if (reachedAt === undefined) return undefined;
  const word = parts.ingest.lastWord(row.terminal);
  const silence = parts.clock.monotonic() - (word ?? reachedAt);
  // A broker that knows of it would send its will: only what was not heard of at all is suspect so soon.
  const kept = keepAlive ?? usualKeepAlive;
  const [quiet, allowed] =
    kept >= meteredKeepAlive ? [meteredQuiet, meteredTolerance] : [longestQuiet, tolerance];
  const suspectAfter = word === undefined ? kept * 1500 : Math.max(quiet, kept * 1500);
  if (word === undefined && silence >= allowed) return 'offline';
  return row.state === 'online' && silence >= suspectAfter ? 'suspect' : undefined;
}

async function endWhatIsOver(
  { ingest, clock }: LeaderParts,
  { floodingAt, lostAt }: Remembered,
  registered: Parameters<Ingest['judge']>[0],
): Promise<Result<void> | undefined> {
  const now = clock.wall();
  const isOver = (last: string | null | undefined, after: number): boolean =>
    last !== null && last !== undefined && now - Date.parse(last) > after;
  if (!isOver(floodingAt, floodOver) && !isOver(lostAt, lostShownFor)) return undefined;
  return ingest.judge(registered, (current) => ({
    ...current,
    flooding: isOver(current.flooding?.last, floodOver) ? null : current.flooding,
    lost: isOver(current.lost?.last, lostShownFor) ? null : current.lost,
  }));
}

/** Rolls up and takes away in small batches. */
export async function tidy(parts: LeaderParts, signal: AbortSignal): Promise<void> {
  const { db, clock, timeline, timelineDays, log } = parts;
  const nowSeconds = Math.floor(clock.wall() / 1000);
  const steps = [
    () => rollUp(db, nowSeconds, blocksAtOnce),
    () => purgeSamples(db, nowSeconds),
    () => timeline.purge(instant(wall(clock.wall() - timelineDays * day))),
  ];
  for (const step of steps) {
    for (;;) {
      const done = await step();
      if (!done.ok) return log.error('The past could not be tidied up', faultFields(done.fault));
      if (done.value === 0) break;
      await pause(clock, breath, signal);
      if (signal.aborted) return;
    }
  }
  const since = instant(wall(clock.wall() - 2 * 365 * day));
  // The state that a terminal has been in ever since stays.
  const purged = await db.transaction((tx) =>
    tx.run(
      `DELETE FROM periods WHERE began < ? AND began <
         (SELECT max(later.began) FROM periods later WHERE later.terminal = periods.terminal)`,
      since,
    ),
  );
  if (!purged.ok) log.error('The past could not be tidied up', faultFields(purged.fault));
}

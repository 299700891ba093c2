import { NewWave, Wave } from '#contracts/api/orders.ts';
import type { Result } from '#contracts/result.ts';
import { parseJson, parseValue } from '#runtime/parse.ts';
import type { Tx } from '../store/index.ts';
import { within } from './sql.ts';

/** A row of table `waves`. */
export interface WaveRecord {
  readonly id: string;
  readonly title: string;
  /** JSON of the action. */
  readonly action: string;
  readonly bureau: string | null;
  readonly by_whom: string;
  readonly at: string;
  readonly state: Wave['state'];
  /** 1 until it has ended and nothing of it is under way or to be taken back. */
  readonly unfinished: number;
  readonly first_count: number;
  readonly pause_seconds: number;
  readonly stop_after: number;
  readonly timeout_seconds: number;
  /** Rounds that were begun. */
  readonly rounds: number;
  /** Terminals of the current round that were not begun yet. */
  readonly left_count: number;
  /** When the next round begins. */
  readonly next_at: string | null;
  /** Until when it waits for those that are offline. */
  readonly offline_until: string | null;
  /** JSON of `WaveCounts`, once nothing of it can change any more. */
  readonly end_counts: string | null;
}

/** A row of table `wave_terminals`. */
export interface WaveTerminal {
  readonly wave: string;
  readonly terminal: string;
  readonly place: number;
  readonly state: 'waiting' | 'under-way' | 'done' | 'failed';
  readonly attempts: number;
  readonly due_at: string | null;
  readonly command: string | null;
  readonly version: number | null;
  readonly layer_version: number | null;
  readonly layer_before: string | null;
  readonly take_back: number;
  /** 1: a failure that counts towards stopping the wave. */
  readonly counted: number;
  readonly reason: string | null;
}

export type WaveAction = NewWave['action'];

export function actionOf(record: WaveRecord): Result<WaveAction> {
  return parseJson(NewWave.properties.action, record.action, 'STORE_CORRUPT');
}

/** The kind of what it does, as the timeline knows it. */
export function kindOf(record: WaveRecord): WaveAction['kind'] {
  const action = actionOf(record);
  return action.ok ? action.value.kind : 'command';
}

export interface WaveCounts {
  readonly waiting: number;
  readonly underWay: number;
  readonly done: number;
  readonly failed: number;
  /** Of those that failed, those that count. */
  readonly counted: number;
  /** Whose configuration is to be taken back. */
  readonly takeBack: number;
}

export async function countsOf(tx: Tx, waves: readonly string[]): Promise<Map<string, WaveCounts>> {
  const counts = new Map<string, WaveCounts>();
  if (waves.length === 0) return counts;
  const ids = within(waves);
  const rows = await tx.all<{ wave: string; state: string; n: number; counted: number; back: number }>(
    `SELECT wave, state, COUNT(*) AS n, SUM(counted) AS counted, SUM(take_back) AS back FROM wave_terminals
     WHERE wave IN (${ids.marks}) GROUP BY wave, state`,
    ...ids.values,
  );
  for (const wave of waves) {
    const of = (state: string) => rows.find((row) => row.wave === wave && row.state === state);
    counts.set(wave, {
      waiting: of('waiting')?.n ?? 0,
      underWay: of('under-way')?.n ?? 0,
      done: of('done')?.n ?? 0,
      failed: of('failed')?.n ?? 0,
      counted: of('failed')?.counted ?? 0,
      takeBack: of('failed')?.back ?? 0,
    });
  }
  return counts;
}

/** At most so many failures are told with their reason. */
const mostFailures = 100;

export async function toWaves(tx: Tx, records: readonly WaveRecord[]): Promise<Result<Wave>[]> {
  const counts = await countsOf(
    tx,
    records.filter((record) => record.end_counts === null).map(({ id }) => id),
  );
  const waves: Result<Wave>[] = [];
  for (const record of records) {
    const {
      waiting = 0,
      underWay = 0,
      done = 0,
      failed = 0,
    } = record.end_counts === null
      ? (counts.get(record.id) ?? {})
      : (JSON.parse(record.end_counts) as WaveCounts);
    const failures =
      failed === 0
        ? []
        : await tx.all<{ terminal: string; reason: string | null }>(
            "SELECT terminal, reason FROM wave_terminals WHERE wave = ? AND state = 'failed' ORDER BY counted DESC, place LIMIT ?",
            record.id,
            mostFailures,
          );
    const action = actionOf(record);
    if (!action.ok) {
      waves.push(action);
      continue;
    }
    const wave = {
      id: record.id,
      title: record.title,
      action: action.value,
      by: record.by_whom,
      at: record.at,
      state: record.state,
      first: record.first_count,
      pauseSeconds: record.pause_seconds,
      stopAfter: record.stop_after,
      timeoutSeconds: record.timeout_seconds,
      counts: { waiting, underWay, done, failed },
      nextAt: record.next_at,
      failures: failures.map(({ terminal, reason }) => ({ terminal, reason: reason ?? '' })),
    };
    waves.push(parseValue(Wave, wave, 'STORE_CORRUPT'));
  }
  return waves;
}

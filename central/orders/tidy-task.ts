import { ms, wall } from '#contracts/units.ts';
import { instant, pause } from '#runtime/clock.ts';
import { faultFields } from '#runtime/log.ts';
import type { WriteTx } from '../store/index.ts';
import type { OrdersParts } from './ports.ts';

const every = ms(60_000);
/** Rows in one transaction, so that what arrives is not held up. */
const atOnce = 500;
const dayMillis = 86_400_000;

/**
 * Each takes `atOnce` rows of what ended long ago, and says how many there were. What is under way, and what a scope has
 * now, stays however old it is.
 */
const steps: readonly ((tx: WriteTx, before: string) => Promise<number>)[] = [
  (tx, before) =>
    tx.run(
      `DELETE FROM commands WHERE id IN (SELECT id FROM commands
         WHERE changed_at < ? AND published = 1 AND state NOT IN ('sent', 'accepted') ORDER BY id LIMIT ${atOnce})`,
      before,
    ),
  (tx, before) =>
    tx.run(
      `DELETE FROM layer_versions WHERE at < ? AND version <
         (SELECT layers.version FROM layers WHERE layers.scope = layer_versions.scope)`,
      before,
    ),
  async (tx, before) => {
    const old = await tx.get<{ id: string }>(
      'SELECT id FROM waves WHERE unfinished = 0 AND at < ? ORDER BY id LIMIT 1',
      before,
    );
    if (old === undefined) return 0;
    await tx.run('DELETE FROM wave_terminals WHERE wave = ?', old.id);
    return tx.run('DELETE FROM waves WHERE id = ?', old.id);
  },
];

/** The leader’s task that takes away what ended long ago. The audit of it stays. */
export class TidyTask {
  readonly #parts: Pick<OrdersParts, 'db' | 'clock' | 'log' | 'keepDays'>;

  constructor(parts: Pick<OrdersParts, 'db' | 'clock' | 'log' | 'keepDays'>) {
    this.#parts = parts;
  }

  /** Runs while this process leads. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.turn();
      await pause(this.#parts.clock, every, signal);
    }
  }

  /** A bounded part of it: the rest is for the turns that follow. */
  async turn(): Promise<void> {
    const { db, clock, log, keepDays } = this.#parts;
    const before = instant(wall(clock.wall() - keepDays * dayMillis));
    for (const step of steps) {
      const done = await db.transaction((tx) => step(tx, before));
      if (!done.ok) return log.error('What ended long ago could not be taken away', faultFields(done.fault));
    }
  }
}

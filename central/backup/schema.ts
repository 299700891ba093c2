import type { Result } from '#contracts/result.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import type { Db, Schema, Tx, WriteTx } from '../store/index.ts';

/**
 * `restores`: when this database was made from a backup, when that backup was taken, and when the centre that started on it
 * had drawn the consequences; null until then.
 */
export const backupSchema: Schema = {
  room: 'backup',
  migrations: [
    (d) => `
      CREATE TABLE restores (
        id ${d.counted},
        restored_at ${d.text} NOT NULL,
        taken_at ${d.text} NOT NULL,
        release ${d.text} NOT NULL,
        settled_at ${d.text}
      ) ${d.strict};
    `,
  ],
};

export interface Restore {
  /** Number of this restore, rising: whoever has acted upon one keeps its number. */
  readonly id: number;
  readonly restoredAt: string;
  readonly takenAt: string;
}

/** The last restore of this database; undefined where there was none. */
export async function lastRestore(tx: Tx): Promise<Restore | undefined> {
  const row = await tx.get<{ id: number; restored_at: string; taken_at: string }>(
    'SELECT id, restored_at, taken_at FROM restores ORDER BY id DESC LIMIT 1',
  );
  return row === undefined ? undefined : { id: row.id, restoredAt: row.restored_at, takenAt: row.taken_at };
}

/** What a room must do once after a restore, so that nothing is done twice and no terminal is told what is older than it knows. */
export type AfterRestore = (tx: WriteTx, restore: Restore) => Promise<unknown>;

/**
 * To be called before the centre begins its work: where its database was restored since it ran last, every room draws its
 * consequences, all in one transaction, once. The answer is that restore, or undefined where there was none.
 */
export function settleRestore(
  db: Db,
  clock: Pick<Clock, 'wall'>,
  rooms: readonly AfterRestore[],
): Promise<Result<Restore | undefined>> {
  return db.transaction(async (tx) => {
    await tx.lock('restores');
    const open = await tx.get<{ id: number }>('SELECT id FROM restores WHERE settled_at IS NULL');
    const restore = await lastRestore(tx);
    if (open === undefined || restore === undefined) return undefined;
    for (const settle of rooms) await settle(tx, restore);
    await tx.run('UPDATE restores SET settled_at = ? WHERE settled_at IS NULL', instant(clock.wall()));
    return restore;
  });
}

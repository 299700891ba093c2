import type { Clock } from '#runtime/clock.ts';
import { instant } from '#runtime/clock.ts';
import type { WriteTx } from '../store/index.ts';

/**
 * After the centre was restored from a backup; call it once, before the controller starts. Terminals may know versions of
 * their configuration that it has forgotten, with another content: all numbers jump ahead of them, and everything is
 * published again. What was under way when the backup was made is not begun a second time: commands count as expired,
 * and waves stop.
 */
export async function afterRestore(tx: WriteTx, clock: Pick<Clock, 'wall'>): Promise<void> {
  await tx.run('UPDATE desired SET version = version + 1000');
  await tx.run('DELETE FROM desired_published');
  await tx.run(
    `UPDATE commands SET state = 'expired', published = 1, due_at = NULL, changed_at = ?, detail = ?
     WHERE state IN ('sent', 'accepted')`,
    instant(clock.wall()),
    'The centre was restored from a backup: what became of it is not known.',
  );
  await tx.run(
    `UPDATE waves SET state = 'stopped', left_count = 0, next_at = NULL, offline_until = NULL
     WHERE state = 'running'`,
  );
}

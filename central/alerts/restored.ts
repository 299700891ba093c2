import type { WriteTx } from '../store/index.ts';

/** After the centre was restored from a backup: what waited to be told then was told long ago, or helps nobody now. */
export async function afterRestore(tx: WriteTx): Promise<void> {
  await tx.run("UPDATE deliveries SET state = 'given-up' WHERE state = 'waiting'");
  await tx.run('DELETE FROM notices WHERE delivery IS NULL');
}

import type { WriteTx } from '../store/index.ts';

/**
 * After the centre was restored from a backup: whoever was signed in then, and whatever had a token, may not be welcome any
 * more.
 */
export async function afterRestore(tx: WriteTx): Promise<void> {
  await tx.run('DELETE FROM sessions');
  await tx.run('DELETE FROM openid_starts');
  await tx.run('DELETE FROM tokens');
}

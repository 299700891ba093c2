import { createHash } from 'node:crypto';
import type { OperatorAuditRow } from '#contracts/api/accounts.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import type { Db, Tx, WriteTx } from '../store/index.ts';

/** What was done: in words, without secrets and without personal data of travellers. */
export interface AuditEntry {
  /** Name of the account. */
  readonly by: string;
  /** For example `layer`; at most 64 characters. */
  readonly action: string;
  readonly terminal?: string | null;
  /** Whose bureau's administrators may read it; null for those over all alone. */
  readonly bureau?: string | null;
  readonly text: string;
}

/**
 * Writes an entry into the audit of operators, in the transaction of the change itself: neither is there without the
 * other. Each entry holds the hash of the one before, and the head is kept apart, so that one that was changed or taken
 * away is noticed. `at` is RFC 3339 in UTC with milliseconds. Call it last: it holds a lock until the transaction ends.
 */
export async function audit(tx: WriteTx, entry: AuditEntry & { readonly at: string }): Promise<void> {
  await tx.lock('operator-audit');
  const head = await readHead(tx);
  const row: OperatorAuditRow = {
    id: (head?.id ?? 0) + 1,
    at: entry.at,
    by: entry.by,
    action: entry.action.slice(0, 64),
    terminal: entry.terminal ?? null,
    bureau: entry.bureau ?? null,
    text: entry.text.slice(0, 1000),
  };
  const hash = hashOf(row, head?.hash ?? '');
  await tx.run(
    'INSERT INTO operator_audit (id, at, actor, action, terminal, bureau, text, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    row.id,
    row.at,
    row.by,
    row.action,
    row.terminal,
    row.bureau,
    row.text,
    hash,
  );
  await tx.run(
    'INSERT INTO operator_audit_head (one, id, hash) VALUES (1, ?, ?) ' +
      'ON CONFLICT (one) DO UPDATE SET id = excluded.id, hash = excluded.hash',
    row.id,
    hash,
  );
}

/** The same for rooms that have no clock of their own at hand. */
export function createAudit(clock: Clock): (tx: WriteTx, entry: AuditEntry) => Promise<void> {
  return (tx, entry) => audit(tx, { ...entry, at: instant(clock.wall()) });
}

/** Entries, newest first; those of one bureau, or all where it is null. */
export function listAudit(
  db: Db,
  at: { readonly bureau: string | null; readonly before?: number; readonly limit: number },
): Promise<Result<OperatorAuditRow[]>> {
  const before = at.before ?? Number.MAX_SAFE_INTEGER;
  return db.read((tx) =>
    at.bureau === null
      ? tx.all(`${columns} WHERE id < ? ORDER BY id DESC LIMIT ?`, before, at.limit)
      : tx.all(
          `${columns} WHERE bureau = ? AND id < ? ORDER BY id DESC LIMIT ?`,
          at.bureau,
          before,
          at.limit,
        ),
  );
}

/** Reads the whole audit through; the answer is how many entries hold together. Fault: OPERATOR_AUDIT_BROKEN. */
export async function verifyAudit(db: Db): Promise<Result<number>> {
  // Read first: what is written meanwhile comes after it.
  const head = await db.read(readHead);
  if (!head.ok) return head;
  let id = 0;
  let hash = '';
  for (;;) {
    const from = id;
    const rows = await db.read((tx) =>
      tx.all<OperatorAuditRow & { hash: string }>(
        `${columns.replace(' FROM', ', hash FROM')} WHERE id > ? ORDER BY id LIMIT 1000`,
        from,
      ),
    );
    if (!rows.ok) return rows;
    if (rows.value.length === 0) break;
    for (const { hash: kept, ...row } of rows.value) {
      hash = hashOf(row, hash);
      if (row.id !== ++id || hash !== kept) return broken(id);
      if (id === head.value?.id && hash !== head.value.hash) return broken(id);
    }
  }
  return id < (head.value?.id ?? 0) ? broken(id + 1) : ok(id);
}

const columns = 'SELECT id, at, actor AS "by", action, terminal, bureau, text FROM operator_audit';

function broken(id: number): Result<never> {
  return fail('OPERATOR_AUDIT_BROKEN', `Entry ${id} is not as it was written, or is missing.`);
}

function readHead(tx: Tx): Promise<{ id: number; hash: string } | undefined> {
  return tx.get('SELECT id, hash FROM operator_audit_head WHERE one = 1');
}

function hashOf(row: OperatorAuditRow, before: string): string {
  const { id, at, by, action, terminal, bureau, text } = row;
  return createHash('sha256')
    .update(JSON.stringify([before, id, at, by, action, terminal, bureau, text]))
    .digest('hex');
}

import { alertNote } from '#contracts/api/alerts.ts';
import type { WriteTx } from '../store/index.ts';
import type { Change } from './compare.ts';
import { channelsTold, writeNotices } from './notices.ts';
import { type AlertRecord, insertAlerts, updateAlert } from './record.ts';

/** What the time line is told, in the same transaction. */
export interface AlertHappening {
  readonly alert: number;
  readonly terminal: string | null;
  readonly site: string | null;
  readonly severity: 'info' | 'warning' | 'error';
  readonly text: string;
}
export type RecordHappening = (tx: WriteTx, happening: AlertHappening) => Promise<void>;

/** Writes changes: causes before what they explain, since these name them by their ids. */
export async function applyChanges(
  tx: WriteTx,
  changes: readonly Change[],
  rows: readonly AlertRecord[],
  at: string,
  record: RecordHappening | undefined,
): Promise<void> {
  const ids = new Map(rows.map((row) => [row.trouble, row.id]));
  for (const { before } of changes) if (before !== undefined) ids.set(before.trouble, before.id);
  const done: { readonly change: Change; readonly after: AlertRecord }[] = [];
  let fresh = changes.filter(({ before }) => before === undefined);
  for (const change of fresh) ids.delete(change.after.trouble);
  while (fresh.length > 0) {
    const ready = fresh.filter(({ cause }) => cause === undefined || ids.has(cause));
    // Causes are never in a circle: there is always one that is ready.
    if (ready.length === 0) break;
    const stored = await insertAlerts(
      tx,
      ready.map(({ after, cause }) => withCause(after, cause, ids)),
    );
    for (const [i, after] of stored.entries()) {
      ids.set(after.trouble, after.id);
      const change = ready[i];
      if (change !== undefined) done.push({ change, after });
    }
    fresh = fresh.filter((change) => !ready.includes(change));
  }
  for (const change of changes) {
    if (change.before === undefined) continue;
    const after = { ...withCause(change.after, change.cause, ids), id: change.before.id };
    await updateAlert(tx, after);
    done.push({ change, after });
  }
  for (const { change, after } of done) {
    for (const { event, step, to } of change.tellings) {
      const channels = to === 'told before' ? await channelsTold(tx, after.id) : to;
      await writeNotices(tx, after, { event, step, to: channels }, at);
    }
    tx.announce('alert', String(after.id));
    const happening = describe(change, after);
    if (happening !== undefined) await record?.(tx, happening);
  }
}

/** A row that is closed keeps what explained it. */
function withCause<T extends Omit<AlertRecord, 'id'>>(
  record: T,
  cause: string | undefined,
  ids: ReadonlyMap<string, number>,
): T {
  if (record.state === 'closed') return record;
  return { ...record, cause: cause === undefined ? null : (ids.get(cause) ?? null) };
}

/** What people read in the time line: causes alone. */
function describe({ before, tellings }: Change, after: AlertRecord): AlertHappening | undefined {
  const { title } = alertNote(after.code);
  const about = after.subject === null ? title : `${title} (${after.subject})`;
  const happening = (severity: AlertHappening['severity'], text: string): AlertHappening => {
    return { alert: after.id, terminal: after.terminal, site: after.site, severity, text };
  };
  if (tellings.some(({ event }) => event === 'flapping'))
    return happening('warning', `${about}: comes and goes`);
  if (before?.state === 'open' && after.state === 'closed') return happening('info', `${about}: over`);
  if (before?.state !== 'open' && after.state === 'open') return happening(after.severity, about);
  return undefined;
}

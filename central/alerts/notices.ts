import { type AlertEvent, alertNote, type AlertNotice, mostNotices } from '#contracts/api/alerts.ts';
import type { Condition } from '#contracts/health.ts';
import type { Tx, WriteTx } from '../store/index.ts';
import { type AlertRecord, toAlert } from './record.ts';

/** Attempts that fail before the channel itself counts as failing. */
const failingAfter = 3;
/** Most notices that wait for one channel; the oldest are dropped first. */
const mostWaiting = 10_000;

/** Writes what is to be told, in the transaction that changed the alert: once for each event, step and channel. */
export async function writeNotices(
  tx: WriteTx,
  record: AlertRecord,
  telling: { readonly event: AlertEvent; readonly step: number; readonly to: readonly string[] },
  at: string,
): Promise<void> {
  const { title, remedy } = alertNote(record.code);
  const { event, step } = telling;
  const notice: AlertNotice = { event, step, at, title, remedy, alert: toAlert(record) };
  for (const channel of telling.to) {
    await tx.run(
      `INSERT INTO notices (alert, event, step, channel, at, body) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (alert, event, step, channel) DO NOTHING`,
      record.id,
      event,
      step,
      channel,
      at,
      JSON.stringify(notice),
    );
  }
}

/** The channels that were told of an alert. */
export async function channelsTold(tx: Tx, alert: number): Promise<string[]> {
  const rows = await tx.all<{ channel: string }>(
    'SELECT DISTINCT channel FROM notices WHERE alert = ? ORDER BY channel',
    alert,
  );
  return rows.map(({ channel }) => channel);
}

/** One message that goes out, with its notices. */
export interface Delivery {
  readonly id: string;
  readonly channel: string;
  readonly at: string;
  readonly attempts: number;
  readonly next_at: string;
  readonly failed_since: string | null;
}

/** The message of a channel that has not gone out yet, or undefined. */
export function waitingDelivery(tx: Tx, channel: string): Promise<Delivery | undefined> {
  return tx.get<Delivery>(
    "SELECT * FROM deliveries WHERE channel = ? AND state = 'waiting' ORDER BY at LIMIT 1",
    channel,
  );
}

/** When the last message of a channel was made, and whether anything waits to be put into another one. */
export async function channelState(
  tx: Tx,
  channel: string,
): Promise<{ last: string | null; waits: boolean }> {
  const last = await tx.get<{ at: string | null }>(
    'SELECT MAX(at) AS at FROM deliveries WHERE channel = ?',
    channel,
  );
  const one = await tx.get<{ id: number }>(
    'SELECT id FROM notices WHERE delivery IS NULL AND channel = ? LIMIT 1',
    channel,
  );
  return { last: last?.at ?? null, waits: one !== undefined };
}

/** Puts what waits into one message, oldest first, at most `mostNotices`; false where nothing waits. */
export async function makeDelivery(tx: WriteTx, id: string, channel: string, now: string): Promise<boolean> {
  const newest = await tx.get<{ id: number }>(
    `SELECT id FROM notices WHERE delivery IS NULL AND channel = ? ORDER BY id DESC LIMIT 1 OFFSET ${mostWaiting}`,
    channel,
  );
  if (newest !== undefined)
    await tx.run(
      "UPDATE notices SET delivery = 'dropped' WHERE delivery IS NULL AND channel = ? AND id <= ?",
      channel,
      newest.id,
    );
  const rows = await tx.all<{ id: number }>(
    `SELECT id FROM notices WHERE delivery IS NULL AND channel = ? ORDER BY id LIMIT ${mostNotices}`,
    channel,
  );
  const last = rows.at(-1);
  if (last === undefined) return false;
  await tx.run(
    'UPDATE notices SET delivery = ? WHERE delivery IS NULL AND channel = ? AND id <= ?',
    id,
    channel,
    last.id,
  );
  await tx.run(
    "INSERT INTO deliveries (id, channel, at, state, attempts, next_at) VALUES (?, ?, ?, 'waiting', 0, ?)",
    id,
    channel,
    now,
    now,
  );
  return true;
}

export async function noticesOf(tx: Tx, delivery: string): Promise<AlertNotice[]> {
  const rows = await tx.all<{ body: string }>(
    'SELECT body FROM notices WHERE delivery = ? ORDER BY id',
    delivery,
  );
  // Our own text, written from the same type.
  return rows.map(({ body }) => JSON.parse(body) as AlertNotice);
}

/**
 * Counts an attempt before it is made, with the time from which it may be made again: whoever takes the lead in its middle
 * waits for as long. False where somebody else has taken it.
 */
export async function beginAttempt(tx: WriteTx, delivery: Delivery, nextAt: string): Promise<boolean> {
  const changed = await tx.run(
    "UPDATE deliveries SET attempts = attempts + 1, next_at = ? WHERE id = ? AND attempts = ? AND state = 'waiting'",
    nextAt,
    delivery.id,
    delivery.attempts,
  );
  return changed === 1;
}

export async function endAttempt(
  tx: WriteTx,
  id: string,
  end: {
    readonly state: 'sent' | 'waiting' | 'given-up';
    readonly nextAt: string;
    readonly failedSince: string | null;
    readonly detail: string | null;
  },
): Promise<void> {
  await tx.run(
    'UPDATE deliveries SET state = ?, next_at = ?, failed_since = ?, detail = ? WHERE id = ?',
    end.state,
    end.nextAt,
    end.failedSince,
    end.detail,
    id,
  );
}

/** Channels whose latest message fails: each a condition of the centre. */
export async function failingChannels(tx: Tx, channels: readonly string[]): Promise<Condition[]> {
  const failing: Condition[] = [];
  for (const channel of channels) {
    const last = await tx.get<{ attempts: number; failed_since: string | null }>(
      'SELECT attempts, failed_since FROM deliveries WHERE channel = ? ORDER BY at DESC LIMIT 1',
      channel,
    );
    if (last === undefined || last.failed_since === null || last.attempts < failingAfter) continue;
    failing.push({ code: 'notifications-failing', since: last.failed_since, subject: channel });
  }
  return failing;
}

/** Takes away what is older than `before`; but of an alert whose end is still to be told, they say whom to tell. */
export async function forgetNotices(tx: WriteTx, before: string): Promise<void> {
  await tx.run(
    `DELETE FROM notices WHERE at < ? AND alert NOT IN
       (SELECT id FROM alerts WHERE state <> 'closed' OR due_at IS NOT NULL)`,
    before,
  );
  await tx.run("DELETE FROM deliveries WHERE at < ? AND state <> 'waiting'", before);
}

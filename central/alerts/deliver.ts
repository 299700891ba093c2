import type { AlertNotice } from '#contracts/api/alerts.ts';
import { ok, type Result } from '#contracts/result.ts';
import type { Clock } from '#runtime/clock.ts';
import { sendMail } from './mail.ts';
import type { ChannelSettings } from './routing.ts';
import { postWebhook } from './webhook.ts';

/** Sends one message on its channel. Faults: CREDENTIAL_UNREADABLE, NOTIFICATION_FAILED. */
export function deliver(
  channel: ChannelSettings,
  delivery: { readonly id: string; readonly notices: readonly AlertNotice[] },
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<void>> {
  const { id, notices } = delivery;
  if (notices.length === 0) return Promise.resolve(ok(undefined));
  if (channel.kind === 'email') return sendMail(channel, delivery);
  const body = { v: 1 as const, delivery: id, channel: channel.name, notices: [...notices] };
  return postWebhook(channel, body, Math.floor(clock.wall() / 1000), signal);
}

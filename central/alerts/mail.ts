import { createTransport } from 'nodemailer';
import type { AlertNotice } from '#contracts/api/alerts.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { EmailChannel } from '#contracts/settings/alerting.ts';
import { systemCode } from '#runtime/errors.ts';
import { writeMessage } from './message.ts';
import { readSecret } from './webhook.ts';

const timeoutMillis = 10_000;

/**
 * Sends one mail. Its Message-ID is made of the delivery, so that a mail server can tell that it has it already. Faults:
 * CREDENTIAL_UNREADABLE, NOTIFICATION_FAILED.
 */
export async function sendMail(
  channel: EmailChannel,
  delivery: { readonly id: string; readonly notices: readonly AlertNotice[] },
): Promise<Result<void>> {
  const password = channel.passwordFile === undefined ? undefined : await readSecret(channel.passwordFile);
  if (password?.ok === false) return password;
  const authority = channel.authority === undefined ? undefined : await readSecret(channel.authority);
  if (authority?.ok === false) return authority;
  const transport = createTransport({
    host: channel.host,
    port: channel.port,
    secure: channel.tls === 'implicit',
    requireTLS: channel.tls === 'starttls',
    ignoreTLS: channel.tls === 'none',
    ...(channel.user !== undefined &&
      password !== undefined && { auth: { user: channel.user, pass: password.value } }),
    ...(authority !== undefined && { tls: { ca: authority.value } }),
    connectionTimeout: timeoutMillis,
    greetingTimeout: timeoutMillis,
    socketTimeout: timeoutMillis,
    dnsTimeout: timeoutMillis,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const { subject, text } = writeMessage(delivery.notices);
  try {
    await transport.sendMail({
      from: channel.from,
      to: [...channel.to],
      subject,
      text,
      messageId: `<${delivery.id}@${channel.from.slice(channel.from.lastIndexOf('@') + 1)}>`,
      headers: { 'auto-submitted': 'auto-generated' },
    });
    return ok(undefined);
  } catch (cause) {
    const answer = (cause as { responseCode?: unknown }).responseCode;
    const why =
      typeof answer === 'number' ? `it answered ${answer}` : (systemCode(cause) ?? 'no reason given');
    return fail('NOTIFICATION_FAILED', `Channel ${channel.name}: the mail server refuses: ${why}.`, cause);
  } finally {
    transport.close();
  }
}

import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { signatureHeader, type WebhookBody } from '#contracts/api/alerts.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { WebhookChannel } from '#contracts/settings/alerting.ts';
import { systemCode } from '#runtime/errors.ts';

const timeoutMillis = 10_000;
/** A secret below is refused: it could be tried out. */
const leastSecret = 16;

/**
 * Posts one delivery, signed. Any answer but 2xx is a failure; redirects are not followed, so that what is told goes nowhere
 * else. `now`: Unix seconds. Faults: CREDENTIAL_UNREADABLE, NOTIFICATION_FAILED.
 */
export async function postWebhook(
  channel: WebhookChannel,
  body: WebhookBody,
  now: number,
  signal: AbortSignal,
): Promise<Result<void>> {
  const secret = await readSecret(channel.secretFile);
  if (!secret.ok) return secret;
  if (Buffer.byteLength(secret.value) < leastSecret)
    return fail('CREDENTIAL_UNREADABLE', `${channel.secretFile} holds less than ${leastSecret} characters.`);
  const authority = channel.authority === undefined ? undefined : await readSecret(channel.authority);
  if (authority?.ok === false) return authority;
  const text = JSON.stringify(body);
  const { promise, resolve } = Promise.withResolvers<Result<void>>();
  const failed = (detail: string, cause?: unknown): void =>
    resolve(fail('NOTIFICATION_FAILED', `Channel ${channel.name}: ${detail}`, cause));
  const url = new URL(channel.url);
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(
    url,
    {
      method: 'POST',
      agent: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMillis)]),
      ...(authority !== undefined && { ca: authority.value }),
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        'user-agent': 'checkpost',
        'idempotency-key': body.delivery,
        [signatureHeader]: signWebhook(secret.value, text, now),
      },
    },
    (response) => {
      const { statusCode = 0 } = response;
      // What it says is of no use: it is read and thrown away, until the time is over at most.
      response.on('error', () => {}).resume();
      if (statusCode >= 200 && statusCode < 300) resolve(ok(undefined));
      else failed(`it answered ${statusCode}.`);
    },
  );
  request.on('error', (error) => failed(`it cannot be reached (${systemCode(error) ?? error.name}).`, error));
  request.end(text);
  return promise;
}

/** The value of the header: `t=<Unix seconds>,v1=<hexadecimal HMAC-SHA256 of "t.body">`. */
export function signWebhook(secret: string, body: string, now: number): string {
  const hash = createHmac('sha256', secret).update(`${now}.${body}`).digest('hex');
  return `t=${now},v1=${hash}`;
}

/** A file with one secret: white space around it does not count. */
export async function readSecret(file: string): Promise<Result<string>> {
  try {
    return ok((await readFile(file, 'utf8')).trim());
  } catch (cause) {
    return fail(
      'CREDENTIAL_UNREADABLE',
      `${file} cannot be read (${systemCode(cause) ?? 'unknown'}).`,
      cause,
    );
  }
}

import { createHash } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { bundleHeaders, bundlesPath } from '#contracts/bundle.ts';
import type { ErrorCode } from '#contracts/errors.ts';
import type { Uuid } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { certificateFault } from '#runtime/tls-fault.ts';

export interface UploadParts {
  /** Of the centre's lookup service. */
  readonly url: string;
  /** Certificates and key of this terminal, PEM. */
  readonly tls: { readonly authority: string; readonly certificate: string; readonly key: string };
  readonly id: Uuid;
  readonly bytes: Buffer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Aborted: give up. */
  readonly signal: AbortSignal;
}

/**
 * Sizes of one request. The longest is eight seconds of a line of 64 kbit/s, well within the patience of the centre;
 * where a line breaks all the time, shorter ones bring more of it home.
 */
const longestPiece = 65_536;
const shortestPiece = 4096;
const answerWithin = ms(30_000);

/** What the centre says of an upload. */
interface Standing {
  readonly offset: number;
  readonly complete: boolean;
}

/**
 * Brings a bundle to the centre, piece by piece; after a broken line it asks how far it has come and goes on from there,
 * for as long as the signal allows. Faults: CENTRAL_REFUSED where the centre does not take it, those of certificates,
 * STOPPED by the signal.
 */
export async function uploadBundle(parts: UploadParts): Promise<Result<void>> {
  const { bytes, clock, random, log, signal, tls } = parts;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: tls.authority,
    cert: tls.certificate,
    key: tls.key,
    minVersion: 'TLSv1.3',
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const backoff = new Backoff(ms(500), ms(30_000), random);
  try {
    // Undefined after every failure: the centre alone knows what came.
    let offset: number | undefined;
    let known: number | undefined;
    let size = longestPiece;
    while (!signal.aborted) {
      const asked = offset === undefined;
      const answer = await exchange(parts, agent, sha256, offset, size);
      if (answer.ok && answer.value.complete) return ok(undefined);
      if (answer.ok) {
        ({ offset } = answer.value);
        const moved = known !== undefined && known !== offset;
        known = offset;
        // A line that breaks at every piece still brings some of it: only what does not move is waited for longer.
        if (moved) backoff.worked();
        if (moved && !asked) size = Math.min(longestPiece, size * 2);
        if (moved || asked) continue;
      } else {
        if (!mayPass(answer.fault.code)) return answer;
        log.debug('A bundle is held up', faultFields(answer.fault));
        if (!asked) size = Math.max(shortestPiece, size / 2);
        offset = undefined;
      }
      await pause(clock, backoff.next(), signal);
    }
    return fail('STOPPED', 'The bundle had not arrived.');
  } finally {
    agent.destroy();
  }
}

function mayPass(code: ErrorCode): boolean {
  return code === 'CENTRAL_UNREACHABLE' || code === 'CENTRAL_TIMEOUT';
}

/** Asks how far the centre is, or, where that is known, brings the next piece. */
function exchange(
  { url, id, bytes, clock, signal }: UploadParts,
  agent: Agent,
  sha256: string,
  offset: number | undefined,
  size: number,
): Promise<Result<Standing>> {
  const piece = offset === undefined ? undefined : bytes.subarray(offset, offset + size);
  const headers: OutgoingHttpHeaders = {
    [bundleHeaders.length]: bytes.length,
    [bundleHeaders.sha256]: sha256,
    ...(piece !== undefined && {
      [bundleHeaders.offset]: offset,
      'content-type': 'application/octet-stream',
      'content-length': piece.length,
    }),
  };
  return new Promise((resolve) => {
    const request = httpsRequest(
      new URL(`${bundlesPath}${id}`, url),
      { method: piece === undefined ? 'HEAD' : 'PATCH', agent, headers },
      (response) => {
        response.resume();
        response.on('end', () => finish(standingOf(response)));
        response.on('error', (cause) => finish(unreachable(cause)));
      },
    );
    const stop = (): void => {
      finish(fail('CENTRAL_TIMEOUT', 'It was not waited for.'));
      request.destroy();
    };
    const cancel = clock.after(answerWithin, () => {
      finish(fail('CENTRAL_TIMEOUT', `No answer within ${answerWithin} ms.`));
      request.destroy();
    });
    const finish = (result: Result<Standing>): void => {
      cancel();
      signal.removeEventListener('abort', stop);
      resolve(result);
    };
    signal.addEventListener('abort', stop, { once: true });
    request.on('error', (cause) => finish(unreachable(cause)));
    request.end(piece);
  });
}

function standingOf({ statusCode = 0, headers }: IncomingMessage): Result<Standing> {
  // Too early, too late, or not from where it is: it says itself where it is.
  const told = (statusCode >= 200 && statusCode < 300) || statusCode === 409;
  const offset = Number(headers[bundleHeaders.offset] ?? Number.NaN);
  if (told && Number.isSafeInteger(offset) && offset >= 0)
    return ok({ offset, complete: headers[bundleHeaders.complete] === 'yes' });
  if (told) return fail('CENTRAL_NONSENSE', 'It does not say how much of a bundle it has.');
  // A disk that is full, a service that is being stopped, a request that took too long on a slow line.
  if (statusCode >= 500 || statusCode === 408)
    return fail('CENTRAL_UNREACHABLE', `It answered with HTTP status ${statusCode}.`);
  return fail('CENTRAL_REFUSED', `It does not take the bundle (HTTP status ${statusCode}).`);
}

function unreachable(cause: Error): Result<never> {
  return (
    certificateFault(cause, 'the centre') ??
    fail('CENTRAL_UNREACHABLE', `The connection failed (${systemCode(cause) ?? cause.message}).`, cause)
  );
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { type ErrorCode, errors } from '#contracts/errors.ts';
import type { Fault } from '#contracts/result.ts';

const compress = promisify(gzip);
/** What is shorter fits into one packet anyway. */
const worthIt = 1024;
/** The whole fleet for a page: level 4 is half as slow as 6 and hardly larger. */
const level = 4;

/** Answers with JSON, compressed where that pays and the client takes it. */
export async function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  value: unknown,
  status = 200,
): Promise<void> {
  const text = JSON.stringify(value);
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('vary', 'accept-encoding');
  await send(request, response, Buffer.from(text));
}

/** Answers with these bytes; the content type is set already. */
export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  plain: Buffer,
  packed?: Buffer,
): Promise<void> {
  let body = plain;
  if (plain.length >= worthIt && takesGzip(request)) {
    body = packed ?? (await compress(plain, { level }));
    response.setHeader('content-encoding', 'gzip');
  }
  response.setHeader('content-length', body.length);
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** For files that are sent again and again. */
export function pack(plain: Buffer): Promise<Buffer> {
  return compress(plain, { level: constants.Z_BEST_COMPRESSION });
}

/** Answers with a fault as JSON: `code`, `what`, `detail`, `meaning`, `remedy`. */
export async function sendFault(
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault,
  status = statusOf(fault.code),
): Promise<void> {
  const { what, meaning, remedy } = errors[fault.code];
  // What a defect says of itself is for the log, not for whoever asked.
  const detail = fault.code === 'INTERNAL' ? 'See the log.' : fault.detail;
  response.setHeader('cache-control', 'no-store');
  const wait = fault.code === 'ATTEMPTS_EXCEEDED' ? /(\d+) s/.exec(detail)?.[1] : undefined;
  if (wait !== undefined) response.setHeader('retry-after', wait);
  await sendJson(request, response, { code: fault.code, what, detail, meaning, remedy }, status);
}

const statuses: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  SIGN_IN_REQUIRED: 401,
  SIGN_IN_REFUSED: 401,
  REQUEST_CROSS_SITE: 403,
  ACCESS_REFUSED: 403,
  NOT_FOUND: 404,
  TERMINAL_UNKNOWN: 404,
  ACCOUNT_EXISTS: 409,
  ACCOUNT_LAST: 409,
  CONFLICT: 409,
  TERMINAL_OFFLINE: 409,
  ATTEMPTS_EXCEEDED: 429,
  INTERNAL: 500,
  OPENID_FAILED: 502,
  PAGE_ABSENT: 503,
  STORE_CORRUPT: 503,
  STORE_FAILED: 503,
  STORE_FULL: 503,
  STORE_LOCKED: 503,
  STORE_UNREACHABLE: 503,
  BROKER_UNREACHABLE: 503,
};

/** A code that is not in the table refuses what was well formed. */
export function statusOf(code: ErrorCode): number {
  return statuses[code] ?? 422;
}

function takesGzip(request: IncomingMessage): boolean {
  return /(^|,)\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*(,|$))[0-9.]+\s*)?(,|$)/.test(
    request.headers['accept-encoding'] ?? '',
  );
}

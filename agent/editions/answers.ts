import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Refusal } from '#contracts/lookup.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { parseJson } from '#runtime/parse.ts';
import type { Exchange } from './exchange.ts';

/** What the centre's answers say, as values and faults. */

/** The longest refusal that is read. */
const refusalBytes = 16_384;

const decompress = promisify(gunzip);

/** The body, whole; more than `maxBytes` is not read. */
export async function readAll(exchange: Exchange, maxBytes: number): Promise<Result<Buffer>> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (;;) {
    const read = await exchange.read();
    if (!read.ok) return read;
    if (read.value === undefined) return ok(Buffer.concat(pieces));
    size += read.value.length;
    if (size > maxBytes) return damaged(`It is longer than ${maxBytes} bytes.`);
    pieces.push(read.value);
  }
}

/** What is small on the line may be huge when it is unpacked: the bound holds for both. */
export async function decoded(
  body: Buffer,
  coding: string | undefined,
  maxBytes: number,
): Promise<Result<Buffer>> {
  if (coding === undefined || coding === 'identity') return ok(body);
  if (coding !== 'gzip') return fail('CENTRAL_NONSENSE', 'It came in a coding that was not asked for.');
  try {
    // The bound must be above zero.
    const bytes = await decompress(body, { maxOutputLength: maxBytes + 1 });
    return bytes.length > maxBytes ? damaged(`It is longer than ${maxBytes} bytes.`) : ok(bytes);
  } catch (cause) {
    return damaged('It cannot be unpacked.', cause);
  }
}

/** A file that is not there, unless the centre says that something else is missing. */
export async function absence(exchange: Exchange): Promise<Result<'absent'>> {
  const refused = await readRefusal(exchange);
  if (!refused.ok) return refused;
  const { value } = refused;
  return value === undefined || value.code === 'NOT_FOUND' ? ok('absent') : refusedWith(404, value);
}

export async function refusal(exchange: Exchange): Promise<Result<never>> {
  const { status } = exchange;
  const refused = await readRefusal(exchange);
  if (!refused.ok) return refused;
  if (status >= 400 && status < 500) return refusedWith(status, refused.value);
  if (status < 500) return fail('CENTRAL_NONSENSE', `It answered with HTTP status ${status}.`);
  const why = refused.value === undefined ? '' : ` and ${refused.value.code}`;
  return fail('EDITION_UNREACHABLE', `The centre is in trouble: HTTP status ${status}${why}.`);
}

function refusedWith(status: number, refused: Refusal | undefined): Result<never> {
  const why = refused === undefined ? '' : ` and ${refused.code}: ${refused.what} ${refused.detail}`;
  return fail('CENTRAL_REFUSED', `It answered with HTTP status ${status}${why === '' ? '.' : why}`);
}

/** The refusal in the body; undefined where it is something else. */
async function readRefusal(exchange: Exchange): Promise<Result<Refusal | undefined>> {
  const body = await readAll(exchange, refusalBytes);
  if (!body.ok) return body.fault.code === 'EDITION_DAMAGED' ? ok(undefined) : body;
  const coded = await decoded(body.value, exchange.header('content-encoding'), refusalBytes);
  const parsed = coded.ok ? parseJson(Refusal, coded.value.toString('utf8'), 'CENTRAL_NONSENSE') : coded;
  return ok(parsed.ok ? parsed.value : undefined);
}

export function damaged(detail: string, cause?: unknown): Result<never> {
  return fail('EDITION_DAMAGED', detail, cause);
}

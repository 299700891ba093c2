import { Agent } from 'node:https';
import { editionsPath } from '#contracts/edition-target.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Millis, ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { absence, damaged, decoded, readAll, refusal } from './answers.ts';
import { Exchange } from './exchange.ts';

export interface SmallFile {
  readonly bytes: Buffer;
  /** To be given next time, so that what did not change does not come again. */
  readonly etag?: string;
}

export interface RangeOrder {
  /** First byte. */
  readonly from: number;
  /** Last byte, which is part of it; left out for all to the end. */
  readonly to?: number;
  /** Bytes of the whole file as it was signed: a file of any other length is refused before anything of it comes. */
  readonly size: number;
}

/** Takes a piece; nothing more is read until it has. A fault ends the transfer and is its result. */
export type TakePiece = (piece: Buffer) => Promise<Result<void>>;

/** Files of a repository of editions; paths are those below its address, such as `metadata/timestamp.json`. */
export interface EditionTransport {
  /**
   * A file of at most `maxBytes`, whole. Faults: EDITION_UNREACHABLE, EDITION_DAMAGED (it is longer, or not what was
   * said), CENTRAL_REFUSED, CENTRAL_NONSENSE, CERTIFICATE_….
   */
  fetchSmall(
    path: string,
    maxBytes: number,
    known?: { readonly etag?: string; readonly signal?: AbortSignal },
  ): Promise<Result<SmallFile | 'unchanged' | 'absent'>>;

  /**
   * A piece of a file, as it comes. It has come whole where the result says so. Faults: those of `fetchSmall` and of
   * `take`; where the signal is aborted EDITION_UNREACHABLE.
   */
  fetchRange(path: string, order: RangeOrder, take: TakePiece, signal?: AbortSignal): Promise<Result<void>>;
}

/** Certificates and key of this terminal, PEM. */
export interface TransportIdentity {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export interface HttpsTransportParts {
  /** Address of the centre. */
  readonly url: string;
  readonly tls: TransportIdentity;
  readonly clock: Clock;
  /** No byte for so long, and a transfer has broken off; a minute where nothing is said. */
  readonly idle?: Millis;
}

const minute = ms(60_000);
/** Where a server sends a file from its beginning although it was asked for less, so much is passed over, not more. */
const passOverBytes = 1_048_576;

/**
 * The centre's repository over HTTPS with mutual TLS, on one kept connection of its own: a look-up never waits behind a
 * download. One request at a time: a second one waits until the first has ended.
 */
export class HttpsEditionTransport implements EditionTransport {
  readonly #parts: HttpsTransportParts;
  readonly #agent: Agent;

  constructor(parts: HttpsTransportParts) {
    this.#parts = parts;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 1,
      ca: parts.tls.authority,
      cert: parts.tls.certificate,
      key: parts.tls.key,
      minVersion: 'TLSv1.3',
    });
  }

  async fetchSmall(
    path: string,
    maxBytes: number,
    { etag, signal }: { readonly etag?: string; readonly signal?: AbortSignal } = {},
  ): Promise<Result<SmallFile | 'unchanged' | 'absent'>> {
    const headers = { 'accept-encoding': 'gzip', ...(etag !== undefined && { 'if-none-match': etag }) };
    const begun = await this.#begin(path, headers, signal);
    if (!begun.ok) return begun;
    const exchange = begun.value;
    try {
      if (exchange.status === 304 && etag !== undefined) {
        const rest = await readAll(exchange, 0);
        return rest.ok ? ok('unchanged') : rest;
      }
      if (exchange.status === 404) return await absence(exchange);
      if (exchange.status !== 200) return await refusal(exchange);
      const body = await readAll(exchange, maxBytes);
      if (!body.ok) return body;
      const bytes = await decoded(body.value, exchange.header('content-encoding'), maxBytes);
      if (!bytes.ok) return bytes;
      const given = exchange.header('etag');
      return ok(given === undefined ? { bytes: bytes.value } : { bytes: bytes.value, etag: given });
    } finally {
      exchange.close();
    }
  }

  async fetchRange(
    path: string,
    order: RangeOrder,
    take: TakePiece,
    signal?: AbortSignal,
  ): Promise<Result<void>> {
    const { from, size } = order;
    const end = Math.min(order.to ?? size - 1, size - 1) + 1;
    const headers = { 'accept-encoding': 'identity', range: `bytes=${from}-${end - 1}` };
    const begun = await this.#begin(path, headers, signal);
    if (!begun.ok) return begun;
    const exchange = begun.value;
    try {
      const start = await whereItStarts(exchange, from, end, size);
      if (!start.ok) return start;
      let at = start.value;
      for (;;) {
        const read = await exchange.read();
        if (!read.ok) return read;
        const piece = read.value;
        if (piece === undefined) break;
        const wanted = piece.subarray(Math.max(0, from - at), Math.max(0, end - at));
        at += piece.length;
        // A server that sends the whole is left when enough has come; one that sends more than it said is not believed.
        if (at > end && exchange.status === 206) return damaged('More came than was asked for.');
        const taken = wanted.length === 0 ? ok(undefined) : await take(wanted);
        if (!taken.ok) return taken;
        if (at >= end && exchange.status === 200) break;
      }
      return at < end ? damaged(`It ended after ${at} of ${end} bytes.`) : ok(undefined);
    } finally {
      exchange.close();
    }
  }

  /** Ends the connection, and with it what is on its way. */
  close(): void {
    this.#agent.destroy();
  }

  #begin(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<Result<Exchange>> {
    const { url, clock, idle = minute } = this.#parts;
    return Exchange.begin({
      url: new URL(editionsPath + path, url),
      agent: this.#agent,
      headers,
      clock,
      idle,
      signal,
    });
  }
}

/** Which byte of the file the body begins with; a fault where it is another file or no file. */
async function whereItStarts(
  exchange: Exchange,
  from: number,
  end: number,
  size: number,
): Promise<Result<number>> {
  switch (exchange.status) {
    case 206: {
      const [, first, last, total] =
        /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(exchange.header('content-range') ?? '') ?? [];
      // RFC 9110 § 14.4: a star where the whole length is not known.
      if (total !== undefined && total !== '*' && Number(total) !== size) return otherLength(total, size);
      if (Number(first) !== from || Number(last) !== end - 1) {
        return fail('CENTRAL_NONSENSE', 'It sent another piece of the file than it was asked for.');
      }
      return ok(from);
    }
    case 200: {
      const length = exchange.header('content-length');
      if (length !== undefined && Number(length) !== size) return otherLength(length, size);
      if (from <= passOverBytes) return ok(0);
      return fail('CENTRAL_NONSENSE', 'It cannot send a piece of a file, only the whole.');
    }
    case 416: {
      const [, total = 'fewer'] = /^bytes \*\/(\d+)$/.exec(exchange.header('content-range') ?? '') ?? [];
      return otherLength(total, size);
    }
    default:
      return refusal(exchange);
  }
}

function otherLength(found: string, size: number): Result<never> {
  return damaged(`The file at the centre has ${found} bytes, not the ${size} that were signed.`);
}

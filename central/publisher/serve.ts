import { createHash } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { errors } from '#contracts/errors.ts';
import type { Refusal } from '#contracts/lookup.ts';
import { fail, type Fault } from '#contracts/result.ts';
import { toFault } from '#runtime/errors.ts';
import { acceptsGzip, isUnchanged, rangeHolds } from './conditions.ts';
import { parseRange } from './range.ts';
import { openBelow, type OpenFile } from './repository-file.ts';
import { repositoryPath } from './repository-path.ts';

export interface RepositoryParts {
  /** Folder of the repository, with `metadata/`, `keys/` and `targets/` in it. */
  readonly folder: string;
  /** A client that takes no byte for so long is let go, in milliseconds. */
  readonly idleMillis?: number;
}

/**
 * Answers a request below `editionsPath`; the answer of the promise is the fault where it was refused for a reason that
 * somebody should know of. It never rejects.
 */
export type RepositoryHandler = (
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<Fault | undefined>;

/** Longer than any outage that a download is meant to sit out on a connection that still stands. */
const idleMillis = 300_000;
/** Metadata up to this size is compressed where the client takes it. */
const smallBytes = 1_048_576;
/** Metadata in its compressed form, by the hash of what it was: terminals ask for the same few files all day. */
const keptCompressed = 16;

const compress = promisify(gzip);

/** Serves the files of an edition repository: whole, in part, or word that nothing changed. It only ever reads. */
export function createRepositoryHandler(parts: RepositoryParts): RepositoryHandler {
  const files = new RepositoryFiles(parts);
  return (request, response) => files.answer(request, response);
}

export class RepositoryFiles {
  readonly #folder: string;
  readonly #idle: number;
  readonly #compressed = new Map<string, Buffer>();

  constructor(parts: RepositoryParts) {
    this.#folder = parts.folder;
    this.#idle = parts.idleMillis ?? idleMillis;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<Fault | undefined> {
    response.setTimeout(this.#idle, () => response.destroy());
    try {
      return await this.#answer(request, response);
    } catch (thrown) {
      // The client went away, or the disk failed, while an answer was on its way: it can only end short.
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return undefined;
      }
      return refuse(response, 500, toFault(thrown));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Fault | undefined> {
    // What a body holds is not read: the connection ends with the answer.
    if (!request.complete && hasBody(request)) response.setHeader('connection', 'close');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return refuse(response, 405, fail('REQUEST_INVALID', 'Files are only read here.').fault);
    }
    const path = repositoryPath(request.url ?? '');
    if (path === undefined) {
      return refuse(response, 404, fail('NOT_FOUND', 'This names no file of the repository.').fault);
    }
    const opened = await openBelow(this.#folder, path);
    if (!opened.ok) {
      const { fault } = opened;
      refuse(response, fault.code === 'FILE_REFUSED' ? 500 : 404, fault);
      // Terminals ask for the next root of trust until there is none: that is no refusal.
      return fault.code === 'NOT_FOUND' ? undefined : fault;
    }
    try {
      if (path.startsWith('metadata/') && opened.value.size <= smallBytes) {
        await this.#sendMetadata(path, opened.value, request, response);
      } else {
        await sendFile(opened.value, describe(path, opened.value), request, response);
      }
    } finally {
      await opened.value.handle.close();
    }
    return undefined;
  }

  /** Read whole, so that the entity tag is of its content: it may be written again within one tick of the clock. */
  async #sendMetadata(
    path: string,
    file: OpenFile,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const bytes = await file.handle.readFile();
    const hash = createHash('sha256').update(bytes).digest('base64url');
    const packed = path.endsWith('.json') && acceptsGzip(request.headers) && !('range' in request.headers);
    // Each coding of it has a tag of its own (RFC 9110 § 8.8.3.3).
    const etag = `"${hash}${packed ? '-gzip' : ''}"`;
    const headers = {
      etag,
      'accept-ranges': 'bytes',
      'cache-control': 'no-cache',
      vary: 'accept-encoding',
      'content-type': path.endsWith('.json') ? 'application/json' : 'application/octet-stream',
    };
    if (isUnchanged(request.headers, etag)) return void response.writeHead(304, headers).end();
    const body = packed ? await this.#compress(hash, bytes) : bytes;
    const range = rangeOf(request, etag, body.length);
    if (range === 'unsatisfiable') return refuseRange(response, body.length);
    const piece = range === 'whole' ? body : body.subarray(range.first, range.last + 1);
    response.writeHead(range === 'whole' ? 200 : 206, {
      ...headers,
      'content-length': piece.length,
      ...(packed && { 'content-encoding': 'gzip' }),
      ...(range !== 'whole' && { 'content-range': `bytes ${range.first}-${range.last}/${body.length}` }),
    });
    response.end(request.method === 'HEAD' ? undefined : piece);
  }

  async #compress(hash: string, bytes: Buffer): Promise<Buffer> {
    const kept = this.#compressed.get(hash) ?? (await compress(bytes, { level: 9 }));
    this.#compressed.delete(hash);
    this.#compressed.set(hash, kept);
    const [oldest] = this.#compressed.keys();
    if (this.#compressed.size > keptCompressed && oldest !== undefined) this.#compressed.delete(oldest);
    return kept;
  }
}

/** Tag and caching of a file that is not compressed. */
function describe(path: string, file: OpenFile): { etag: string; 'cache-control': string } {
  const hash = /^targets\/(?:.*\/)?([0-9a-f]{64})\./.exec(path)?.[1];
  if (hash === undefined) return { etag: `"${file.stamp}"`, 'cache-control': 'no-cache' };
  // Its name says what is in it. The size beside it, so that a file that was cut off is not joined to its better self.
  return { etag: `"${hash}-${file.size}"`, 'cache-control': 'private, max-age=31536000, immutable' };
}

/** Sends a file from disk as fast as the client takes it, however long that is. */
async function sendFile(
  file: OpenFile,
  about: { readonly etag: string; readonly 'cache-control': string },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const headers: OutgoingHttpHeaders = { ...about, 'accept-ranges': 'bytes' };
  if (isUnchanged(request.headers, about.etag)) return void response.writeHead(304, headers).end();
  const range = rangeOf(request, about.etag, file.size);
  if (range === 'unsatisfiable') return refuseRange(response, file.size);
  const { first, last } = range === 'whole' ? { first: 0, last: file.size - 1 } : range;
  const length = last - first + 1;
  response.writeHead(range === 'whole' ? 200 : 206, {
    ...headers,
    'content-type': 'application/octet-stream',
    'content-length': length,
    ...(range !== 'whole' && { 'content-range': `bytes ${first}-${last}/${file.size}` }),
  });
  if (request.method === 'HEAD' || length === 0) return void response.end();
  const stream = file.handle.createReadStream({ start: first, end: last });
  await pipeline(stream, response, { end: false });
  // A file that became shorter meanwhile: the connection ends, or the client would wait for the rest for ever.
  if (stream.bytesRead === length) response.end();
  else response.destroy();
}

/** `Range` is defined for GET alone (RFC 9110 § 14.2). */
function rangeOf(request: IncomingMessage, etag: string, size: number): ReturnType<typeof parseRange> {
  const { method, headers } = request;
  if (method !== 'GET' || !rangeHolds(headers, etag)) return 'whole';
  return parseRange(headers.range, size);
}

function hasBody(request: IncomingMessage): boolean {
  return 'content-length' in request.headers || 'transfer-encoding' in request.headers;
}

function refuseRange(response: ServerResponse, size: number): void {
  response.setHeader('content-range', `bytes */${size}`);
  refuse(response, 416, fail('REQUEST_INVALID', `The file has ${size} bytes.`).fault);
}

function refuse(response: ServerResponse, status: number, fault: Fault): Fault {
  const { what, remedy } = errors[fault.code];
  const refusal: Refusal = { code: fault.code, what, detail: fault.detail, remedy };
  const body = JSON.stringify(refusal);
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
    })
    .end(body);
  return fault;
}

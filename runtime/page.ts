import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ErrorCode, errors } from '#contracts/errors.ts';
import { type Fault, fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from './clock.ts';
import { systemCode, toFault } from './errors.ts';
import { listen } from './listen.ts';
import { faultFields, type Log } from './log.ts';
import { type PageFile, readPage } from './page-files.ts';
import { refuseForeign } from './page-origin.ts';

/** What answers one address; a thrown error becomes INTERNAL. `params` are the groups of the route's expression. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  answer(exchange: Exchange): void | Promise<void>;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: readonly string[];
}

export interface PageServerParts {
  readonly host: string;
  readonly port: number;
  /** Folder of the built page. Where it cannot be read, the API runs all the same and the page says what to do. */
  readonly pageDir: string;
  readonly routes: readonly Route[];
  readonly log: Log;
  readonly clock: Clock;
  /** Called before the server stops: ends streams, which it would otherwise wait for. */
  readonly onClose: () => void;
}

export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Nothing runs but what this server sent: no inline script or style, no other host, no frame around it. */
export const security: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/** The grace of requests in progress when the server stops. */
const grace = ms(1000);

/**
 * A small HTTP server for one page and its API, on node:http alone: a framework costs the terminal's agent 20 MiB.
 * Faults of listening are PORT_IN_USE and ADDRESS_REFUSED.
 */
export async function startPageServer(parts: PageServerParts): Promise<Result<PageServer>> {
  const { host, port, log } = parts;
  const page = readPage(parts.pageDir);
  if (!page.ok) log.error('The page cannot be served', faultFields(page.fault));
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    for (const [name, value] of Object.entries(security)) response.setHeader(name, value);
    answer(request, response, page, parts).catch((thrown: unknown) => {
      // Whoever asked has gone away in the middle of the question: nobody's fault, and nobody to answer.
      if (systemCode(thrown) === 'ECONNRESET') return log.debug('A request broke off');
      const fault = toFault(thrown);
      log.error('A request failed', faultFields(fault));
      if (response.headersSent) response.destroy();
      else sendFault(response, fault);
    });
  });
  const listening = await listen(adapt(server), { host, port });
  if (!listening.ok) return listening;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return ok({
    url: `http://${name}:${listening.value}`,
    close: () =>
      new Promise((done) => {
        parts.onClose();
        const cancel = parts.clock.after(grace, () => server.closeAllConnections());
        server.close(() => {
          cancel();
          done();
        });
        server.closeIdleConnections();
      }),
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  page: Result<ReadonlyMap<string, PageFile>>,
  parts: PageServerParts,
): Promise<void> {
  const foreign = refuseForeign(request, parts.host);
  if (!foreign.ok) {
    parts.log.warn('A request was refused', faultFields(foreign.fault));
    return sendFault(response, foreign.fault);
  }
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const here = parts.routes.filter((route) => route.path.test(path));
  const route = here.find((one) => one.method === method);
  if (route !== undefined) {
    response.setHeader('cache-control', 'no-store');
    const params = (route.path.exec(path) ?? []).slice(1);
    return await route.answer({ request, response, params });
  }
  if (here.length > 0) return refuseMethod(response, here.map((one) => one.method).join(', '));
  if (path.startsWith('/api/')) return sendFault(response, notFound);
  if (!page.ok) return sendFault(response, page.fault);
  const file = page.value.get(path === '/' ? '/index.html' : path);
  if (file === undefined) return sendFault(response, notFound);
  if (method !== 'GET') return refuseMethod(response, 'GET');
  response.setHeader('content-type', file.type);
  response.setHeader('cache-control', file.caching);
  response.setHeader('etag', file.etag);
  if (request.headers['if-none-match'] === file.etag) response.writeHead(304).end();
  else response.setHeader('content-length', file.body.length).end(file.body);
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  const body = JSON.stringify(value);
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', Buffer.byteLength(body));
  response.end(body);
}

const statuses: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  REQUEST_CROSS_SITE: 403,
  NOT_FOUND: 404,
  PAGE_ABSENT: 503,
  STORE_FULL: 503,
  STORE_FAILED: 503,
};

/** Answers with a fault as JSON: `code`, `what`, `detail`, `meaning`, `remedy`. */
export function sendFault(
  response: ServerResponse,
  fault: Fault,
  status = statuses[fault.code] ?? 500,
): void {
  const { what, meaning, remedy } = errors[fault.code];
  // What a defect says of itself is for the log, not for whoever asked.
  const detail = fault.code === 'INTERNAL' ? 'See the log.' : fault.detail;
  response.setHeader('cache-control', 'no-store');
  sendJson(response, { code: fault.code, what, detail, meaning, remedy }, status);
}

/** The text of a request that is JSON and at most `limit` bytes long. */
export async function readText(request: IncomingMessage, limit = 4096): Promise<Result<string>> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    return fail('REQUEST_INVALID', 'The content type must be application/json.');
  const chunks: Buffer[] = [];
  let length = 0;
  // The request must outlive this loop: destroying it would destroy the answer too.
  const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > limit) return fail('REQUEST_INVALID', `The body is longer than ${limit} bytes.`);
    chunks.push(chunk);
  }
  return ok(Buffer.concat(chunks).toString('utf8'));
}

const notFound: Fault = { code: 'NOT_FOUND', detail: 'No page and no API is here.' };

function refuseMethod(response: ServerResponse, allowed: string): void {
  response.setHeader('allow', allowed);
  sendFault(response, { code: 'REQUEST_INVALID', detail: `The method must be ${allowed}.` }, 405);
}

/** node:http in the form that `listen` wants. */
function adapt(server: Server) {
  return {
    listen: (at: { host: string; port: number }) =>
      new Promise<void>((done, refused) => {
        server.once('error', refused);
        server.listen(at, () => {
          server.off('error', refused);
          done();
        });
      }),
    addresses: () => [server.address() as AddressInfo],
  };
}

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { ConsoleSettings } from '#contracts/settings/console.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode, toFault } from '#runtime/errors.ts';
import { listen } from '#runtime/listen.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { security } from '#runtime/page.ts';
import { refuseForeign } from '#runtime/page-origin.ts';
import type { Access } from '../access/index.ts';
import { credentialsOf, Dispatch } from './dispatch.ts';
import { Live } from './live.ts';
import { Page } from './page-files.ts';
import { match } from './parse-request.ts';
import { sendFault } from './replies.ts';
import type { ConsoleSource } from './source.ts';

export interface ConsoleParts {
  readonly settings: ConsoleSettings;
  readonly source: ConsoleSource;
  readonly access: Access;
  /** After each request of the API: its route, and the status that it was answered with. */
  readonly asked?: (route: string, status: number) => void;
  /** Folder of the built page. */
  readonly pageDir: string;
  readonly log: Log;
  readonly clock: Clock;
}

export interface ConsoleServer {
  readonly url: string;
  close(): Promise<void>;
}

/** The grace of requests in progress when the server stops. */
const grace = ms(1000);

/**
 * Serves the operators' page, its API (contracts/api/routes.ts) and the metrics: on node:http alone, since the table of
 * routes is all that a framework would be asked for. Faults: PORT_IN_USE, ADDRESS_REFUSED, CREDENTIAL_UNREADABLE.
 */
export async function startConsole(parts: ConsoleParts): Promise<Result<ConsoleServer>> {
  const { settings, source, access, log, clock } = parts;
  const page = await Page.read(parts.pageDir);
  if (page.fault !== undefined) log.error('The page cannot be served', faultFields(page.fault));
  const live = new Live({ source, access, clock, log });
  const dispatch = new Dispatch({ source, access, live });
  const made = serverOf(settings, (request, response) => {
    for (const [name, value] of Object.entries(security)) response.setHeader(name, value);
    answer(request, response, { ...parts, page, dispatch }).catch((thrown: unknown) => {
      // Whoever asked has gone away in the middle of the question: nobody's fault, and nobody to answer.
      if (systemCode(thrown) === 'ECONNRESET') return log.debug('A request broke off');
      const fault = toFault(thrown);
      log.error('A request failed', faultFields(fault));
      if (response.headersSent) return response.destroy();
      return void sendFault(request, response, fault).catch(() => response.destroy());
    });
  });
  const listening = made.ok ? await listen(adapt(made.value), settings) : made;
  if (!made.ok || !listening.ok) {
    live.close();
    return made.ok ? (listening as Result<never>) : made;
  }
  const server = made.value;
  const { host } = settings;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const url = `${settings.tls === undefined ? 'http' : 'https'}://${name}:${listening.value}`;
  access.servedAt(url);
  return ok({
    url,
    close: () =>
      new Promise((done) => {
        live.close();
        const cancel = clock.after(grace, () => server.closeAllConnections());
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
  parts: ConsoleParts & { readonly page: Page; readonly dispatch: Dispatch },
): Promise<void> {
  const foreign = refuse(request, parts.settings);
  if (!foreign.ok) {
    parts.log.warn('A request was refused', faultFields(foreign.fault));
    return sendFault(request, response, foreign.fault);
  }
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  if (path === '/metrics') return metrics(request, response, parts);
  const found = match(request.method ?? 'GET', path);
  if ('name' in found) {
    response.once('finish', () => parts.asked?.(found.name, response.statusCode));
    return parts.dispatch.answer(found, request, response, addressOf(request, parts.settings));
  }
  if (found.length > 0) {
    response.setHeader('allow', found.join(', '));
    return sendFault(request, response, { code: 'REQUEST_INVALID', detail: 'The method is another.' }, 405);
  }
  if (path.startsWith('/api/'))
    return sendFault(request, response, { code: 'NOT_FOUND', detail: 'No API is here.' });
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET');
    return sendFault(request, response, { code: 'REQUEST_INVALID', detail: 'The method must be GET.' }, 405);
  }
  const sent = await parts.page.answer(path, request, response);
  if (!sent.ok) await sendFault(request, response, sent.fault);
}

/** For whoever may see the whole fleet: Prometheus brings a token. */
async function metrics(
  request: IncomingMessage,
  response: ServerResponse,
  { access, source }: ConsoleParts,
): Promise<void> {
  const caller = await access.identify(credentialsOf(request));
  if (!caller.ok) return sendFault(request, response, caller.fault);
  if (caller.value.identity.bureau !== null)
    return sendFault(request, response, { code: 'ACCESS_REFUSED', detail: 'They are of all bureaus.' });
  const text = await source.metrics();
  response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
  response.setHeader('cache-control', 'no-store');
  response.end(text);
}

/** Under a name of ours, and for changes from a page of ours; the public address is one of our names. */
function refuse(request: IncomingMessage, { host, publicUrl }: ConsoleSettings): Result<void> {
  const own = refuseForeign(request, host);
  if (own.ok || publicUrl === undefined) return own;
  return refuseForeign(request, new URL(publicUrl).hostname);
}

/** Behind a proxy on this machine, the address that the proxy has added last; before it stands what the client said. */
function addressOf(request: IncomingMessage, { publicUrl }: ConsoleSettings): string {
  const own = request.socket.remoteAddress ?? '';
  const said = request.headers['x-forwarded-for'];
  const local = own === '::1' || /^(::ffff:)?127\./.test(own);
  if (publicUrl === undefined || !local || typeof said !== 'string') return own;
  return said.split(',').at(-1)?.trim().slice(0, 64) ?? own;
}

function serverOf(
  { tls }: ConsoleSettings,
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Result<Server> {
  const times = { requestTimeout: 10_000, headersTimeout: 10_000 };
  if (tls === undefined) return ok(createServer(times, listener));
  try {
    const [cert, key] = [readFileSync(tls.certificate), readFileSync(tls.key)];
    return ok(createTlsServer({ ...times, cert, key, minVersion: 'TLSv1.2' }, listener));
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `console.tls: ${systemCode(cause) ?? 'they do not fit'}.`, cause);
  }
}

/** node:http in the form that `listen` wants. */
function adapt(server: Server) {
  return {
    listen: (at: { host: string; port: number }) =>
      new Promise<void>((done, refused) => {
        server.once('error', refused);
        server.listen({ host: at.host, port: at.port }, () => {
          server.off('error', refused);
          done();
        });
      }),
    addresses: () => [server.address() as AddressInfo],
  };
}

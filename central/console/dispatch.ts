import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnswerOf, BodyOf, ParamsOf, QueryOf, RouteName } from '#contracts/api/calls.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Access, atLeast, type Caller, type Credentials } from '../access/index.ts';
import { cookieNames, readCookie } from './cookies.ts';
import { type Asked, type Guard, guards } from './guards.ts';
import type { Exchange, HandlerParts } from './handler.ts';
import { handlersOf } from './handlers/index.ts';
import { type Matched, parseRequest } from './parse-request.ts';
import { Reach } from './reach.ts';
import { sendFault, sendJson } from './replies.ts';

/** Sees nothing at all. */
const nobody = { name: '', role: 'viewer', bureau: '' } as const;

/**
 * The one way to every route: who asks, whether a page of ours asks, whether the role is enough, what is asked for, whether
 * it is within reach; then it is done, and what is out of reach is left out of the answer.
 */
export class Dispatch {
  readonly #parts: HandlerParts;
  readonly #handlers: ReturnType<typeof handlersOf>;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
    this.#handlers = handlersOf(parts);
  }

  async answer(
    matched: Matched,
    request: IncomingMessage,
    response: ServerResponse,
    address: string,
  ): Promise<void> {
    response.setHeader('cache-control', 'no-store');
    const value = await this.#serve(matched.name, matched, request, response, address);
    if (!value.ok) {
      if (response.headersSent) return void response.destroy();
      return sendFault(request, response, value.fault);
    }
    if (value.value === 'answered') return;
    const { status } = matched.route;
    if (status === 204) response.writeHead(204).end();
    else await sendJson(request, response, value.value, status);
  }

  async #serve<K extends RouteName>(
    name: K,
    matched: Matched,
    request: IncomingMessage,
    response: ServerResponse,
    address: string,
  ): Promise<Result<unknown>> {
    const { source, access } = this.#parts;
    const credentials = credentialsOf(request);
    const caller = await admit(matched, credentials, request, access);
    if (!caller.ok) return caller;
    const parsed = await parseRequest(request, matched);
    if (!parsed.ok) return parsed;
    const reach = new Reach(caller.value?.identity ?? nobody, (one) => source.fleet.bureauOf(one));
    // Parsed by the schemas of this very route, and admitted by its role.
    const asked: Asked<K> = {
      caller: caller.value as Asked<K>['caller'],
      reach,
      params: parsed.value.params as ParamsOf<K>,
      query: parsed.value.query as QueryOf<K>,
      body: parsed.value.body as BodyOf<K>,
    };
    const guard: Guard<K> = guards[name];
    const parts = { source, accounts: access.accounts };
    const allowed = (await guard.before?.(asked, parts)) ?? ok(undefined);
    if (!allowed.ok) return allowed;
    const exchange: Exchange = { request, response, credentials, cookie: credentials.cookie, address };
    const done = await this.#handlers[name](asked, exchange);
    if (!done.ok || done.value === 'answered' || guard.rows === undefined) return done;
    // Only a route that answers itself says `answered`.
    return ok(guard.rows(done.value as AnswerOf<K>, asked, parts));
  }
}

/** Who asks, if the role is enough. Faults: SIGN_IN_REQUIRED, ACCESS_REFUSED, REQUEST_CROSS_SITE. */
async function admit(
  { name, route }: Matched,
  credentials: Credentials,
  request: IncomingMessage,
  access: Access,
): Promise<Result<Caller | undefined>> {
  const caller = await access.identify(credentials);
  if (!caller.ok) {
    const nobodyNeeded = route.role === 'anybody' && caller.fault.code === 'SIGN_IN_REQUIRED';
    return nobodyNeeded ? ok(undefined) : caller;
  }
  const { by, identity } = caller.value;
  // Who signs in anew has no page yet that knows the header; a foreign page was refused by its origin.
  if (route.changes && by === 'session' && name !== 'POST /api/v1/session') {
    const ours = access.checkCsrf(credentials.cookie ?? '', header(request, 'x-checkpost-csrf'));
    if (!ours.ok) return ours;
  }
  if (route.role !== 'anybody' && !atLeast(identity.role, route.role))
    return fail('ACCESS_REFUSED', `It takes the role ${route.role}; this account is ${identity.role}.`);
  return caller;
}

export function credentialsOf(request: IncomingMessage): Credentials {
  const bearer = /^Bearer +(\S{1,256})$/i.exec(request.headers.authorization ?? '')?.[1];
  return {
    token: bearer,
    // A token says all; a cookie beside it is not looked at.
    cookie: bearer === undefined ? readCookie(request, cookieNames.session) : undefined,
  };
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

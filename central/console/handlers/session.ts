import { fail, ok } from '#contracts/result.ts';
import { cookieNames, readCookie, setCookie } from '../cookies.ts';
import type { HandlerParts, Handlers } from '../handler.ts';

/** Signing in and out. */
export function sessionHandlers({ access }: HandlerParts): Handlers<'session'> {
  return {
    async 'GET /api/v1/session'({ caller }, { cookie }) {
      return ok(access.state(caller?.identity ?? null, cookie));
    },
    async 'POST /api/v1/session'({ body }, { response, address }) {
      if (access.open)
        return fail('REQUEST_INVALID', 'Everybody may do everything: there is nobody to sign in.');
      const begun = await access.signIn(body.name, body.password, address);
      if (!begun.ok) return begun;
      const { cookie, identity } = begun.value;
      setCookie(response, cookieNames.session, cookie, access.secure);
      return ok(access.state(identity, cookie));
    },
    async 'DELETE /api/v1/session'(_, { response, cookie }) {
      if (cookie === undefined) return ok(null);
      const ended = await access.signOut(cookie);
      setCookie(response, cookieNames.session, '', access.secure);
      return ended.ok ? ok(null) : ended;
    },
    async 'GET /api/v1/session/openid'(_, { response }) {
      const begun = await (access.openId?.begin() ?? absent);
      if (!begun.ok) return begun;
      setCookie(response, cookieNames.openId, begun.value.state, access.secure);
      response.writeHead(302, { location: begun.value.location }).end();
      return ok('answered');
    },
    async 'GET /api/v1/session/openid/callback'(_, { request, response, address }) {
      const state = readCookie(request, cookieNames.openId);
      const query = (request.url ?? '').split('?')[1] ?? '';
      setCookie(response, cookieNames.openId, '', access.secure);
      const { openId } = access;
      if (openId === undefined) return absent;
      const begun = await access.signInOpenId(openId, query, state ?? '', address);
      // It is a browser that asks, and the page that says what went wrong.
      const place = begun.ok
        ? '/'
        : `/#sign-in?${new URLSearchParams({ fault: begun.fault.code }).toString()}`;
      if (begun.ok) setCookie(response, cookieNames.session, begun.value.cookie, access.secure);
      response.writeHead(302, { location: place }).end();
      return ok('answered');
    },
  };
}

const absent = fail('NOT_FOUND', 'There is no OpenID provider in the settings.');

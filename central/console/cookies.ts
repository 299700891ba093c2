import type { IncomingMessage, ServerResponse } from 'node:http';

/** The session, and the one that ties an answer of the OpenID provider to the browser that asked it. */
export const cookieNames = { session: 'checkpost-session', openId: 'checkpost-openid' } as const;

/** RFC 6265, section 5.4. */
export function readCookie(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = pair.trim().split('=');
    if (key === name && value !== undefined && /^[\w-]{1,128}$/.test(value)) return value;
  }
  return undefined;
}

/** An empty value takes it away. Neither is readable by scripts; the server ends the session by its own clock. */
export function setCookie(
  response: ServerResponse,
  name: (typeof cookieNames)[keyof typeof cookieNames],
  value: string,
  secure: boolean,
): void {
  const openId = name === cookieNames.openId;
  const parts = [
    `${name}=${value}`,
    openId ? 'Path=/api/v1/session/openid' : 'Path=/',
    'HttpOnly',
    // The provider sends the browser back from another site: Strict would keep this one out.
    openId ? 'SameSite=Lax' : 'SameSite=Strict',
    ...(secure ? ['Secure'] : []),
    ...(value === '' ? ['Max-Age=0'] : openId ? ['Max-Age=600'] : []),
  ];
  response.appendHeader('set-cookie', parts.join('; '));
}

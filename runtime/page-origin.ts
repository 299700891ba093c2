import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { fail, ok, type Result } from '#contracts/result.ts';

/**
 * Refuses requests that another web page made in the browser of somebody who may reach this server.
 *
 * A page of another site can have its own name resolve to this machine (DNS rebinding) and then reads as if it were
 * ours: so a name in the Host header must be one that we have. An address is always right, since only names can be
 * pointed elsewhere. What changes something must also carry our own origin where the browser names one (Fetch
 * Standard, section 3.2). Fault: REQUEST_CROSS_SITE.
 */
export function refuseForeign(request: IncomingMessage, listensOn: string): Result<void> {
  const host = request.headers.host ?? '';
  const name = nameOf(host);
  const ours = ['localhost', listensOn.toLowerCase(), hostname().toLowerCase()];
  if (name === undefined || (isIP(name) === 0 && !ours.includes(name)))
    return fail('REQUEST_CROSS_SITE', 'The Host header has a name that is not of this server.');
  if (request.method === 'GET' || request.method === 'HEAD') return ok(undefined);
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const foreign =
    (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) ||
    (site !== undefined && site !== 'same-origin' && site !== 'none');
  return foreign ? fail('REQUEST_CROSS_SITE', 'The request was made by another page.') : ok(undefined);
}

/** The name or address of a Host header without its port and brackets, in lower case. */
function nameOf(host: string): string | undefined {
  const found = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(host);
  return (found?.[1] ?? found?.[2])?.toLowerCase();
}

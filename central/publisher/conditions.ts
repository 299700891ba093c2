import type { IncomingHttpHeaders } from 'node:http';

/** The conditions and preferences that a request for a file carries. */

/** Whether the client has it already: `If-None-Match` with the weak comparison (RFC 9110 § 13.1.2). */
export function isUnchanged(headers: IncomingHttpHeaders, etag: string): boolean {
  const field = headers['if-none-match'];
  if (field === undefined) return false;
  return field.trim() === '*' || [...field.matchAll(/"[^"]*"/g)].some(([tag]) => tag === etag);
}

/**
 * Whether `Range` counts: there is no `If-Range`, or it names what is here with the strong comparison (RFC 9110
 * § 13.1.5). A date never does, since no Last-Modified is sent.
 */
export function rangeHolds(headers: IncomingHttpHeaders, etag: string): boolean {
  const field = headers['if-range'];
  return field === undefined || field === etag;
}

/** Whether the client takes gzip (RFC 9110 § 12.5.3); a client that says nothing is not sent any. */
export function acceptsGzip(headers: IncomingHttpHeaders): boolean {
  let anything = false;
  for (const item of (headers['accept-encoding'] ?? '').split(',')) {
    const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const takes = !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    if (coding === 'gzip' || coding === 'x-gzip') return takes;
    if (coding === '*') anything = takes;
  }
  return anything;
}

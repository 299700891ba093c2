import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { UplinkNetwork } from '#contracts/settings/uplink.ts';
import type { Result } from '#contracts/result.ts';
import { type Millis, ms, type Seconds, seconds } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import type { PortalFact } from './facts.ts';

export type PortalPage = NonNullable<UplinkNetwork['portalCheck']>;

/** The addresses of a name, asked for over the uplink that is checked; none where it could not be resolved. */
export type Lookup = (name: string) => Promise<readonly string[]>;

/** Lets one address through the firewall at the port of the page, for so long; closes earlier when told to. */
export type OpenWindow = (
  duration: Seconds,
  address: string,
  port: number,
) => Promise<Result<{ close(): Promise<void> }>>;

export interface PortalCheckParts {
  readonly page: PortalPage;
  /** Addresses of the uplink: the packets leave by it, since they come from there. */
  readonly localAddresses: readonly string[];
  readonly lookup: Lookup;
  readonly openWindow: OpenWindow;
  readonly clock: Clock;
  readonly timeout?: Millis;
}

const longest = 16_384;

/**
 * Asks for the page over one uplink. The page, exactly (but for space at its ends), is `ok`; anything else that
 * speaks HTTP is a portal, of which only the status and the host that it leads to are kept: path and query may name the
 * customer. Redirections are not followed. What does not answer within 5 s, or breaks off, is `no-answer`.
 */
export async function checkPortal(parts: PortalCheckParts): Promise<PortalFact> {
  const url = readUrl(parts.page.url);
  if (url === undefined) return { result: 'no-answer', asked: false, why: 'its URL cannot be read' };
  const host = url.hostname.replaceAll(/[[\]]/g, '');
  const found = isIP(host) === 0 ? await parts.lookup(host) : [host];
  const pair = matching(found, parts.localAddresses);
  if (pair === undefined) {
    const why = found.length === 0 ? 'its name is not resolved' : 'the uplink has no address of its family';
    return { result: 'no-answer', asked: false, why };
  }
  const port = Number(url.port || '80');
  const timeout = parts.timeout ?? ms(5000);
  // One second more than the request may take, so that a helper that dies leaves nothing open for long.
  const window = await parts.openWindow(seconds(Math.ceil(timeout / 1000) + 1), pair.remote, port);
  if (!window.ok)
    return { result: 'no-answer', asked: false, why: `the firewall stayed shut (${window.fault.code})` };
  try {
    return await ask({ url, port, ...pair, expect: parts.page.expect, timeout, clock: parts.clock });
  } finally {
    await window.value.close();
  }
}

interface Ask {
  readonly url: URL;
  readonly port: number;
  readonly remote: string;
  readonly local: string;
  readonly expect: string;
  readonly timeout: Millis;
  readonly clock: Clock;
}

function ask({ url, port, remote, local, expect, timeout, clock }: Ask): Promise<PortalFact> {
  // Loaded only when a line is in doubt, and not as a module, which costs 8 MiB (docs/decisions/0001-bundle.md).
  const http = process.getBuiltinModule('node:http');
  return new Promise((resolve) => {
    const request = http.get({
      host: remote,
      port,
      path: url.pathname,
      localAddress: local,
      headers: {
        host: url.host,
        connection: 'close',
        'user-agent': 'checkpost',
        'cache-control': 'no-cache',
      },
      agent: false,
      maxHeaderSize: longest,
    });
    let settled = false;
    const done = (fact: PortalFact): void => {
      if (settled) return;
      settled = true;
      cancel();
      request.destroy();
      resolve(fact);
    };
    const silent = (why: string): void => done({ result: 'no-answer', asked: true, why });
    const cancel = clock.after(timeout, () => silent(`nothing within ${timeout / 1000} s`));
    request.on('error', (error) => {
      const code = systemCode(error) ?? 'it failed';
      // Something answered, only not in HTTP.
      if (code.startsWith('HPE_')) done({ result: 'portal', status: 0, host: null });
      else silent(code);
    });
    request.on('response', (response) => read(response, expect, done, silent));
  });
}

function read(
  response: IncomingMessage,
  expect: string,
  done: (fact: PortalFact) => void,
  silent: (why: string) => void,
): void {
  const portal = (): void =>
    done({
      result: 'portal',
      status: response.statusCode ?? 0,
      host: hostOf(response.headers.location),
    });
  if (response.statusCode !== 200) return portal();
  let size = 0;
  const pieces: Buffer[] = [];
  response.on('data', (piece: Buffer) => {
    size += piece.length;
    pieces.push(piece);
    if (size > longest) portal();
  });
  response.on('end', () => {
    const body = Buffer.concat(pieces).toString('utf8');
    if (body.trim() === expect.trim()) done({ result: 'ok' });
    else portal();
  });
  response.on('error', (error) => silent(systemCode(error) ?? 'it broke off'));
}

/** The first address that one of our own is of the same family as, with that one. */
function matching(
  remotes: readonly string[],
  locals: readonly string[],
): { remote: string; local: string } | undefined {
  for (const remote of remotes) {
    const local = locals.find((one) => isIP(one) === isIP(remote));
    if (local !== undefined && isIP(remote) !== 0) return { remote, local };
  }
  return undefined;
}

function readUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** The host alone; of a location that is none of the web, nothing. */
function hostOf(location: string | undefined): string | null {
  if (location === undefined || !URL.canParse(location)) return null;
  const { protocol, hostname } = new URL(location);
  return /^https?:$/.test(protocol) ? hostname.slice(0, 100) : null;
}

import { ok, type Result, fail } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { destinationOf, networkOf, parsePrefix } from '../tools/prefix.ts';
import { step, wg } from '../tools/tools.ts';

/** The other end of a tunnel, as WireGuard is told of it. */
export interface PeerConf {
  readonly publicKey: string;
  /** A secret. */
  readonly presharedKey?: string;
  /** Address and port; one that is missing leaves it where it is known to be. */
  readonly endpoint?: string;
  readonly allowedIps: readonly string[];
  readonly keepaliveSeconds?: number;
}

/** All that WireGuard is told of an interface. */
export interface TunnelConf {
  /** A secret. */
  readonly privateKey: string;
  /** UDP port and firewall mark; what is missing stays as it is. */
  readonly listenPort?: number;
  readonly fwMark?: number;
  readonly peers: readonly PeerConf[];
}

/** Zeros stand for no preshared key (wireguard.com/xplatform). */
const noKey = Buffer.alloc(32).toString('base64');

/**
 * The text for `wg syncconf` (wg(8), CONFIGURATION FILE FORMAT). It holds secrets. A peer that stays keeps its preshared
 * key and its keepalive where there is no line for them (but not its networks), so these lines are always there.
 */
export function renderConf({ privateKey, listenPort, fwMark, peers }: TunnelConf): string {
  const lines = ['[Interface]', `PrivateKey = ${privateKey}`];
  if (listenPort !== undefined) lines.push(`ListenPort = ${listenPort}`);
  if (fwMark !== undefined) lines.push(`FwMark = ${fwMark}`);
  for (const { publicKey, presharedKey, endpoint, allowedIps, keepaliveSeconds } of peers) {
    lines.push('[Peer]', `PublicKey = ${publicKey}`);
    lines.push(`PresharedKey = ${presharedKey ?? noKey}`);
    if (allowedIps.length > 0) lines.push(`AllowedIPs = ${allowedIps.join(', ')}`);
    if (endpoint !== undefined) lines.push(`Endpoint = ${endpoint}`);
    lines.push(`PersistentKeepalive = ${keepaliveSeconds ?? 0}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What `wg showconf` prints; undefined where it is something else. An interface without a key has the empty one. */
export function parseConf(text: string): TunnelConf | undefined {
  const sections: Map<string, string>[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '') continue;
    if (line === '[Interface]' || line === '[Peer]') {
      if ((line === '[Interface]') !== (sections.length === 0)) return undefined;
      sections.push(new Map());
      continue;
    }
    const match = /^([A-Za-z]+) = (.+)$/.exec(line);
    if (match === null || sections.length === 0) return undefined;
    sections.at(-1)?.set(match[1] ?? '', match[2] ?? '');
  }
  const [own, ...others] = sections;
  if (own === undefined || !others.every((peer) => peer.has('PublicKey'))) return undefined;
  return {
    privateKey: own.get('PrivateKey') ?? '',
    // Zero stands for none in both, and is what WireGuard takes a missing line for.
    listenPort: Number(own.get('ListenPort') ?? 0) || 0,
    fwMark: Number(own.get('FwMark') ?? 0) || 0,
    peers: others.map(peerOf),
  };
}

function peerOf(fields: ReadonlyMap<string, string>): PeerConf {
  const presharedKey = fields.get('PresharedKey');
  const endpoint = fields.get('Endpoint');
  return {
    publicKey: fields.get('PublicKey') ?? '',
    ...(presharedKey !== undefined && { presharedKey }),
    ...(endpoint !== undefined && { endpoint }),
    allowedIps: (fields.get('AllowedIPs') ?? '').split(',').flatMap((part) => part.trim() || []),
    keepaliveSeconds: Number(fields.get('PersistentKeepalive') ?? 0) || 0,
  };
}

/**
 * Gives an interface of this namespace its key and peers; the answer is whether anything had to be changed. Sessions
 * of peers that stay go on. Faults: TUNNEL_FAILED (without any key in it), TOOL_MISSING.
 */
export async function syncTunnel(
  name: string,
  wanted: TunnelConf,
  children: Children,
): Promise<Result<boolean>> {
  const shown = await step(children, 'TUNNEL_FAILED', `${name}: reading key and hubs`, wg, [
    'showconf',
    name,
  ]);
  if (!shown.ok) return shown;
  const actual = parseConf(shown.value);
  if (actual === undefined)
    return fail(
      'TUNNEL_FAILED',
      `${name}: reading key and hubs: wg printed something else than was asked for.`,
    );
  // Nothing is told that is known: wireguard-go opens its socket anew at every `syncconf`.
  if (isSame(wanted, actual)) return ok(false);
  // What has no line is set to nothing by `syncconf`: the interface would lose its port and, worse, its mark.
  const { listenPort = actual.listenPort, fwMark = actual.fwMark } = wanted;
  const text = renderConf({
    ...wanted,
    ...(listenPort !== undefined && { listenPort }),
    ...(fwMark !== undefined && { fwMark }),
  });
  // Without a single peer `syncconf` changes none; there is no session then that could be disturbed.
  const verb = wanted.peers.length === 0 ? 'setconf' : 'syncconf';
  const done = await step(
    children,
    'TUNNEL_FAILED',
    `${name}: setting key and hubs`,
    wg,
    [verb, name, '/dev/stdin'],
    {
      input: text,
    },
  );
  return done.ok ? ok(true) : done;
}

function isSame(wanted: TunnelConf, actual: TunnelConf): boolean {
  return (
    clamped(wanted.privateKey) === clamped(actual.privateKey) &&
    (wanted.listenPort ?? actual.listenPort) === actual.listenPort &&
    (wanted.fwMark ?? actual.fwMark) === actual.fwMark &&
    wanted.peers.length === actual.peers.length &&
    wanted.peers.every((peer) => actual.peers.some((one) => isSamePeer(peer, one)))
  );
}

function isSamePeer(wanted: PeerConf, actual: PeerConf): boolean {
  return (
    wanted.publicKey === actual.publicKey &&
    wanted.presharedKey === actual.presharedKey &&
    (wanted.endpoint === undefined || endpointOf(wanted.endpoint) === endpointOf(actual.endpoint)) &&
    networks(wanted.allowedIps) === networks(actual.allowedIps) &&
    (wanted.keepaliveSeconds ?? 0) === (actual.keepaliveSeconds ?? 0)
  );
}

function networks(allowedIps: readonly string[]): string {
  const all = allowedIps.map((text) => {
    const prefix = parsePrefix(text);
    return prefix === undefined ? text : `${prefix.family} ${destinationOf(networkOf(prefix))}`;
  });
  return [...new Set(all)].sort().join();
}

function endpointOf(text: string | undefined): string | undefined {
  const match = /^\[?([^\]]+)\]?:(\d+)$/.exec(text ?? '');
  return match === null ? text : `${parsePrefix(match[1] ?? '')?.address ?? match[1]} ${match[2]}`;
}

/** WireGuard keeps a private key with these bits set (RFC 7748 section 5), whatever it was given. */
function clamped(key: string): string {
  const raw = Buffer.from(key, 'base64');
  if (raw.length !== 32) return key;
  raw[0] = (raw[0] ?? 0) & 248;
  raw[31] = ((raw[31] ?? 0) & 127) | 64;
  return raw.toString('base64');
}

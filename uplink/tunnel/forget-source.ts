import { ok, type Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { step, wg } from '../tools/tools.ts';

/** A hub as a tunnel knows it. */
export interface KnownPeer {
  readonly publicKey: string;
  /** Address and port, as `wg` takes them. */
  readonly endpoint: string;
}

/**
 * Has a tunnel forget which address and device its packets leave by. wireguard-go goes on with those at which a hub was
 * last heard, also when the address was taken away: the packets then vanish until its handshakes have failed for 15 s.
 * Told the endpoint anew it chooses anew, and its session goes on. Its socket is a file, so the interface may be in
 * another namespace. Faults: TUNNEL_FAILED, TOOL_MISSING.
 */
export async function forgetSource(
  name: string,
  peers: readonly KnownPeer[],
  children: Children,
): Promise<Result<void>> {
  if (peers.length === 0) return ok(undefined);
  const args = peers.flatMap(({ publicKey, endpoint }) => ['peer', publicKey, 'endpoint', endpoint]);
  const done = await step(children, 'TUNNEL_FAILED', `${name}: choosing the way out anew`, wg, [
    'set',
    name,
    ...args,
  ]);
  return done.ok ? ok(undefined) : done;
}

import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { type MonotonicTime, type Seconds, seconds } from '#contracts/units.ts';

/** Arguments of `wg set` that give the interface its key file, its mark and its hubs. No secret stands in them. */
export function wgSetArguments(settings: UplinkSettings, keyFile: string): string[] {
  const { interface: name, mark, hubs } = settings;
  const args = ['set', name, 'private-key', keyFile, 'fwmark', String(mark)];
  for (const { publicKey, endpoint, allowedIps, keepaliveSeconds } of hubs) {
    args.push('peer', publicKey, 'endpoint', endpoint);
    args.push('persistent-keepalive', String(keepaliveSeconds), 'allowed-ips', allowedIps.join(','));
  }
  return args;
}

/** Arguments of `wg set` that make the interface forget its key and these hubs. */
export function wgForgetArguments(name: string, publicKeys: readonly string[]): string[] {
  return ['set', name, 'private-key', '/dev/null', ...publicKeys.flatMap((key) => ['peer', key, 'remove'])];
}

/**
 * Parses what `wg show NAME latest-handshakes` prints: a line for each hub, its public key, a tab, seconds since 1970
 * or 0 where there was none. (`wg show NAME dump` would say more, and print the private key as well.)
 */
export function parseHandshakes(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(\S+)\t(\d+)$/.exec(line);
    if (match !== null) found.set(match[1] ?? '', Number(match[2]));
  }
  return found;
}

/** `waiting`: never heard of since the start; `up`: a handshake is young enough; `silent`: it was up. */
export type HubState = 'waiting' | 'up' | 'silent';

export interface HubView {
  readonly name: string;
  readonly state: HubState;
  /** The last handshake as `wg` says it: only compared, since the wall clock may be wrong. */
  readonly handshake: number;
  /** When a new one was last seen. */
  readonly seen: MonotonicTime | undefined;
}

/** A session older than this is refused by WireGuard itself: REJECT_AFTER_TIME, WireGuard white paper section 6.1. */
export const handshakeValid: Seconds = seconds(180);

/** The state of every hub after one more look; pure. `before` is the look before, empty at first. */
export function lookAtHubs(
  { hubs }: Pick<UplinkSettings, 'hubs'>,
  handshakes: ReadonlyMap<string, number>,
  before: readonly HubView[],
  now: MonotonicTime,
): readonly HubView[] {
  return hubs.map(({ name, publicKey }) => {
    const last = before.find((view) => view.name === name);
    const handshake = handshakes.get(publicKey) ?? 0;
    const seen = handshake !== 0 && handshake !== (last?.handshake ?? 0) ? now : last?.seen;
    if (seen === undefined) return { name, state: 'waiting', handshake, seen };
    return { name, state: now - seen < handshakeValid * 1000 ? 'up' : 'silent', handshake, seen };
  });
}

import { ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import type { Children } from '#runtime/child.ts';
import type { Clock } from '#runtime/clock.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { probeSlot } from '../keys/slots.ts';
import { ip, step } from '../tools/tools.ts';
import { type PeerConf, syncTunnel } from '../tunnel/conf.ts';
import { ensureLink } from '../tunnel/link.ts';
import { probeMark, probeName } from './names.ts';

interface ProbeInterfaceParts {
  readonly settings: Pick<UplinkSettings, 'interface' | 'mode' | 'mark' | 'uplinks' | 'hubs'>;
  readonly keys: KeyStore;
  readonly endpoints: ReadonlyMap<string, string>;
  readonly children: Children;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** As large as the tunnel ever is: what is to be measured must fit in. */
const probeMtu = 1420;

/**
 * The probe tunnel of one uplink, beside the physical interfaces: made or taken over, with its key, its hubs, its
 * address, and up. Its packets carry the mark of the uplink, and so leave by it whichever one carries the traffic.
 * The answer is whether it was made anew: sockets that were bound to the one before are good for nothing then.
 * Faults: TUNNEL_FAILED, TOOL_MISSING, CREDENTIAL_UNREADABLE.
 */
export async function ensureProbe(
  at: number,
  parts: ProbeInterfaceParts,
): Promise<Result<{ made: boolean }>> {
  const { settings, keys, endpoints, children, clock, signal } = parts;
  const line = settings.uplinks[at];
  if (line === undefined) return ok({ made: false });
  const name = probeName(settings, at);
  const mark = probeMark(settings, at);
  const link = await ensureLink({ name, mode: settings.mode, mark, children, clock, signal });
  if (!link.ok) return link;
  const slot = probeSlot(line.name);
  const privateKey = keys.privateKeyText(slot);
  if (!privateKey.ok) return privateKey;
  const peers: PeerConf[] = [];
  for (const hub of settings.hubs) {
    const presharedKey = keys.presharedKeyText(slot, hub.name);
    if (!presharedKey.ok) return presharedKey;
    const endpoint = endpoints.get(hub.name);
    peers.push({
      publicKey: hub.publicKey,
      ...(presharedKey.value !== null && { presharedKey: presharedKey.value }),
      ...(endpoint !== undefined && { endpoint }),
      allowedIps: [`${hub.probeAddress}/32`],
    });
  }
  const synced = await syncTunnel(name, { privateKey: privateKey.value, peers, fwMark: mark }, children);
  if (!synced.ok) return synced;
  for (const [what, args] of [
    ['setting its address', ['address', 'replace', `${line.probeAddress}/32`, 'dev', name]],
    ['bringing it up', ['link', 'set', 'dev', name, 'mtu', String(probeMtu), 'up']],
  ] as const) {
    const done = await step(children, 'TUNNEL_FAILED', `${name}: ${what}`, ip, args);
    if (!done.ok) return done;
  }
  return ok({ made: !link.value.adopted });
}

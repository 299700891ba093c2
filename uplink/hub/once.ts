import { isDeepStrictEqual } from 'node:util';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { HubSettings } from '#contracts/settings/hub.ts';
import type { Children } from '#runtime/child.ts';
import type { Clock } from '#runtime/clock.ts';
import { Peers } from './peers.ts';
import { type Peer, peersOf } from './registry.ts';
import { readTerminals } from './terminals.ts';

/**
 * Forgets what WireGuard remembers of a terminal: its peers are removed and added again. For a terminal whose clock
 * went back, whose handshakes are refused as replays from then on (WireGuard white paper, section 5.1). Works beside a
 * hub that runs, since it only changes these peers. The answer is how many they were.
 *
 * Faults: those of `readTerminals`, TERMINAL_UNKNOWN, TUNNEL_FAILED, TOOL_MISSING.
 */
export async function resetTerminal(
  settings: HubSettings,
  terminal: string,
  { children }: { readonly children: Children },
): Promise<Result<number>> {
  const peers = new Peers(settings.interface, children);
  let mine = readPeers(settings, terminal);
  for (let turn = 0; turn < 5 && mine.ok; turn++) {
    const removed = await peers.remove(mine.value.map(({ publicKey }) => publicKey));
    if (!removed.ok) return removed;
    const added = await peers.set(mine.value);
    if (!added.ok) return added;
    // The hub may have brought a new key into force meanwhile: what was added then is the old one.
    const before = mine.value;
    mine = readPeers(settings, terminal);
    if (!mine.ok) break;
    if (isDeepStrictEqual(mine.value, before)) return ok(before.length);
    const gone = await peers.remove(before.map(({ publicKey }) => publicKey));
    if (!gone.ok) return gone;
  }
  return mine.ok ? fail('TUNNEL_FAILED', `${terminal} changes its keys all the time; try again.`) : mine;
}

function readPeers(settings: HubSettings, terminal: string): Result<Peer[]> {
  const known = readTerminals(settings);
  if (!known.ok) return known;
  const left = known.value.leftOut.get(terminal);
  if (left !== undefined) return { ok: false, fault: left };
  const slots = known.value.registry.slots(terminal);
  if (slots.length === 0) return fail('TERMINAL_UNKNOWN', `${settings.terminals} has no ${terminal}.`);
  return ok(slots.flatMap(peersOf));
}

/** A terminal as the list shows it. */
export interface ListedTerminal {
  readonly terminal: string;
  readonly address: string;
  /** Seconds since the last handshake in the tunnel, by the hub's clock; null where there was none. */
  readonly handshakeAge: number | null;
  readonly probes: readonly { readonly uplink: string; readonly handshakeAge: number | null }[];
  /** Slots whose new key waits for its first handshake. */
  readonly changing: readonly string[];
  /** Why the hub does not serve it; null where it does. */
  readonly leftOut: string | null;
}

/** Every terminal with the age of its handshakes. Faults: those of `readTerminals`, TUNNEL_FAILED, TOOL_MISSING. */
export async function listTerminals(
  settings: HubSettings,
  { children, clock }: { readonly children: Children; readonly clock: Pick<Clock, 'wall'> },
): Promise<Result<readonly ListedTerminal[]>> {
  const known = readTerminals(settings);
  if (!known.ok) return known;
  const handshakes = await new Peers(settings.interface, children).handshakes();
  if (!handshakes.ok) return handshakes;
  const ageOf = (key: string): number | null => {
    const at = handshakes.value.get(key) ?? 0;
    return at === 0 ? null : Math.max(0, Math.round(clock.wall() / 1000 - at));
  };
  const { registry, leftOut } = known.value;
  const served = registry.terminals.map((terminal): ListedTerminal => {
    const slots = registry.slots(terminal);
    const tunnel = slots.find(({ slot }) => slot === 'tunnel');
    return {
      terminal,
      address: tunnel?.address ?? '',
      handshakeAge: tunnel === undefined ? null : ageOf(tunnel.current.publicKey),
      probes: slots
        .filter(({ slot }) => slot !== 'tunnel')
        .map(({ slot, current }) => ({
          uplink: slot.slice('probe-'.length),
          handshakeAge: ageOf(current.publicKey),
        })),
      changing: slots.filter(({ candidate }) => candidate !== null).map(({ slot }) => slot),
      leftOut: null,
    };
  });
  const others = [...leftOut].map(([terminal, fault]): ListedTerminal => {
    return { terminal, address: '', handshakeAge: null, probes: [], changing: [], leftOut: fault.detail };
  });
  return ok([...served, ...others]);
}

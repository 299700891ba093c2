import type { FleetNetwork, SiteUplink } from '#contracts/fleet-network.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { AuthorityStore } from '../authority/store.ts';
import { address4, readAddress4, readPrefix4 } from './prefix4.ts';

/** The addresses of one terminal: in the tunnel, and in the probe tunnel of each uplink by its name. */
export interface TerminalAddresses {
  readonly tunnel: string;
  readonly probes: Readonly<Record<string, string>>;
}

/**
 * Gives a terminal its addresses, inside the caller's transaction: those that it has already, and otherwise the lowest
 * that nobody has. What it was given it keeps, through new bundles and new terminals at its place.
 *
 * Faults: NETWORK_FULL.
 */
export function assignAddresses(
  store: AuthorityStore,
  network: FleetNetwork,
  terminal: string,
  uplinks: readonly SiteUplink[],
): Result<TerminalAddresses> {
  const tunnel = assign(store, network, terminal, 'tunnel');
  if (!tunnel.ok) return tunnel;
  const probes: Record<string, string> = {};
  for (const { name } of uplinks) {
    const probe = assign(store, network, terminal, `probe-${name}`);
    if (!probe.ok) return probe;
    probes[name] = probe.value;
  }
  return ok({ tunnel: tunnel.value, probes });
}

/** The addresses that a terminal was given; undefined where one is missing. */
export function addressesOf(
  store: AuthorityStore,
  terminal: string,
  uplinks: readonly string[],
): TerminalAddresses | undefined {
  const rows = store.all<{ slot: string; address: string }>(
    'SELECT slot, address FROM addresses WHERE terminal = ?',
    terminal,
  );
  const given = new Map(rows.map(({ slot, address }) => [slot, address]));
  const tunnel = given.get('tunnel');
  const probes = uplinks.map((name) => [name, given.get(`probe-${name}`)] as const);
  if (tunnel === undefined || probes.some(([, address]) => address === undefined)) return undefined;
  return { tunnel, probes: Object.fromEntries(probes) as Record<string, string> };
}

function assign(
  store: AuthorityStore,
  network: FleetNetwork,
  terminal: string,
  slot: string,
): Result<string> {
  const before = store.get<{ address: string }>(
    'SELECT address FROM addresses WHERE terminal = ? AND slot = ?',
    terminal,
    slot,
  );
  if (before !== undefined) return ok(before.address);
  const text = slot === 'tunnel' ? network.tunnel : network.probes;
  const free = lowestFree(store, network, text);
  if (free === undefined)
    return fail('NETWORK_FULL', `${text} has no address left for ${terminal} (${slot}).`);
  store.run('INSERT INTO addresses (address, terminal, slot) VALUES (?, ?, ?)', free, terminal, slot);
  return ok(free);
}

/** Neither the network's own address nor its broadcast, nor one of a hub. */
function lowestFree(store: AuthorityStore, { hubs }: FleetNetwork, network: string): string | undefined {
  const prefix = readPrefix4(network);
  if (prefix === undefined) return undefined;
  const taken = new Set(
    [
      ...store.all<{ address: string }>('SELECT address FROM addresses').map(({ address }) => address),
      ...hubs.flatMap(({ address, probeAddress }) => [address, probeAddress]),
    ].map(readAddress4),
  );
  for (let number = prefix.first + 1; number < prefix.last; number++)
    if (!taken.has(number)) return address4(number);
  return undefined;
}

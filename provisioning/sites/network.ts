import { FleetNetwork } from '#contracts/fleet-network.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { parseSettings } from '#runtime/settings.ts';
import { withAuthority } from '../authority/open.ts';
import type { AuthorityStore } from '../authority/store.ts';
import { readText } from '../files.ts';
import type { AuthorityAt } from '../ports.ts';
import { contains, overlap, readAddress4, readPrefix4 } from './prefix4.ts';

const name = 'network';

export interface NetworkOrder extends AuthorityAt {
  /** JSON file, by the schema `FleetNetwork`. */
  readonly file: string;
  /** Only says what is wrong. */
  readonly dryRun?: boolean | undefined;
}

/**
 * Sets the bureau's network: the address plan and the hubs. Bundles made from now on have it; terminals that are
 * enrolled get it with a signed configuration. Everything that is wrong is listed at once.
 *
 * Faults: AUTHORITY_ABSENT, SETTINGS_NOT_JSON, SETTINGS_INVALID; FILE_REFUSED is thrown.
 */
export function setNetwork(order: NetworkOrder): Promise<Result<FleetNetwork>> {
  return withAuthority<FleetNetwork>(order, async ({ store }) => {
    let given: unknown;
    try {
      given = JSON.parse(readText(order.file));
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      return fail('SETTINGS_NOT_JSON', `${order.file}: ${cause.message}`, cause);
    }
    const network = parseSettings(FleetNetwork, given, order.file);
    if (!network.ok) return network;
    return store.exclusively(async () => {
      const wrong = [...complaints(network.value), ...stranded(store, network.value)];
      if (wrong.length > 0) return fail('SETTINGS_INVALID', [order.file, ...wrong].join('\n'));
      if (order.dryRun !== true) store.setMeta(name, JSON.stringify(network.value));
      return ok(network.value);
    });
  });
}

/** The network that was set; NETWORK_ABSENT where none was. */
export function showNetwork(at: AuthorityAt): Promise<Result<FleetNetwork>> {
  return withAuthority(at, async ({ store }) => {
    const network = networkOf(store);
    return network === undefined
      ? fail('NETWORK_ABSENT', 'No network was set at this authority.')
      : ok(network);
  });
}

export function networkOf(store: AuthorityStore): FleetNetwork | undefined {
  const text = store.meta(name);
  return text === undefined ? undefined : (JSON.parse(text) as FleetNetwork);
}

function complaints({ tunnel, probes, hubs }: FleetNetwork): string[] {
  const wrong: string[] = [];
  const [ofTunnel, ofProbes] = [readPrefix4(tunnel), readPrefix4(probes)];
  for (const [member, text, prefix] of [
    ['tunnel', tunnel, ofTunnel],
    ['probes', probes, ofProbes],
  ] as const) {
    if (prefix === undefined) wrong.push(`${member}: ${text} is no network: bits behind the prefix are set.`);
    else if (prefix.last - prefix.first < 3)
      wrong.push(`${member}: ${text} has no room for terminals; take /29 or larger.`);
  }
  if (ofTunnel !== undefined && ofProbes !== undefined && overlap(ofTunnel, ofProbes))
    wrong.push(`tunnel and probes: ${tunnel} and ${probes} overlap.`);
  const owners = new Map<string, string>();
  for (const hub of hubs) {
    for (const [what, value] of [
      ['name', hub.name],
      ['publicKey', hub.publicKey],
      ['address', hub.address],
      ['address', hub.probeAddress],
    ] as const) {
      const before = owners.get(value);
      if (before !== undefined)
        wrong.push(`hubs: ${before} and ${hub.name} have the same ${what}: ${value}.`);
      else owners.set(value, hub.name);
    }
    for (const address of [hub.address, hub.probeAddress])
      if (readAddress4(address) === undefined)
        wrong.push(`hubs: ${hub.name}: ${address} is no IPv4 address.`);
  }
  return wrong;
}

/** Terminals whose addresses the plan no longer has, or gives to a hub. */
function stranded(store: AuthorityStore, { tunnel, probes, hubs }: FleetNetwork): string[] {
  const networks = { tunnel: readPrefix4(tunnel), probes: readPrefix4(probes) };
  const ofHubs = new Map(
    hubs.flatMap((hub) => [hub.address, hub.probeAddress].map((address) => [address, hub.name] as const)),
  );
  const given = store.all<{ address: string; terminal: string; slot: string }>(
    'SELECT address, terminal, slot FROM addresses ORDER BY terminal, slot',
  );
  return given.flatMap(({ address, terminal, slot }) => {
    const hub = ofHubs.get(address);
    if (hub !== undefined) return [`hubs: ${hub}: ${terminal} has the address ${address}.`];
    const member = slot === 'tunnel' ? 'tunnel' : 'probes';
    const network = networks[member];
    const lies = network !== undefined && contains(network, readAddress4(address) ?? -1);
    return lies ? [] : [`${member}: ${terminal} has the address ${address}, which is outside of it.`];
  });
}

import type { WireguardKeys } from '#contracts/enrolment.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { HubTerminal, HubTerminals } from '#contracts/settings/hub.ts';
import type { AuthorityAt, Parts } from '../ports.ts';
import { addressesOf } from '../sites/addresses.ts';
import { networkOf } from '../sites/network.ts';
import { type Authority, withAuthority } from './open.ts';
import { presharedKey, presharedSecret } from './preshared.ts';
import type { Secret } from './fingerprint-files.ts';

export interface HubListOrder {
  /** Name of the hub, as the network of every one of the authorities has it. */
  readonly hub: string;
  /** The authorities of all bureaus whose terminals come to this hub. */
  readonly authorities: readonly AuthorityAt[];
}

/**
 * The terminals that a hub takes: enrolled, not revoked, with a tunnel; out of one authority or of several. Addresses
 * and keys that two bureaus have given twice are refused, and both terminals are named.
 *
 * Faults: AUTHORITY_ABSENT, NETWORK_ABSENT, HUB_UNKNOWN, SETTINGS_INVALID.
 */
export async function hubList(
  { hub, authorities }: HubListOrder,
  parts: Parts,
): Promise<Result<HubTerminals>> {
  const terminals: HubTerminal[] = [];
  for (const at of authorities) {
    const listed = await withAuthority(at, (authority) => listOf(authority, hub, parts));
    if (!listed.ok) return listed;
    terminals.push(...listed.value);
  }
  const wrong = doubles(terminals);
  return wrong.length === 0 ? ok(terminals) : fail('SETTINGS_INVALID', wrong.join('\n'));
}

/** Those of one authority. */
export async function listOf(
  { store, files }: Pick<Authority, 'store' | 'files'>,
  hub: string,
  parts: Parts,
): Promise<Result<HubTerminals>> {
  const network = networkOf(store);
  if (network === undefined) return fail('NETWORK_ABSENT', `${files.database} has none.`);
  if (!network.hubs.some(({ name }) => name === hub)) {
    const names = network.hubs.map(({ name }) => name).join(', ');
    return fail('HUB_UNKNOWN', `${hub} is not in the network of this bureau; its hubs are: ${names}.`);
  }
  const secret = presharedSecret(files, parts);
  const rows = store.all<{ terminal: string; wireguard: string; request: string }>(
    `SELECT terminal, wireguard, request FROM terminals
     WHERE wireguard IS NOT NULL AND revoked_at IS NULL ORDER BY terminal`,
  );
  return ok(
    rows.flatMap(({ terminal, wireguard, request }) => {
      const keys = JSON.parse(wireguard) as WireguardKeys;
      const addresses = addressesOf(
        store,
        terminal,
        keys.probes.map(({ uplink }) => uplink),
      );
      return addresses === undefined ? [] : [entry(terminal, keys, addresses, hub, request, secret)];
    }),
  );
}

function entry(
  terminal: string,
  { tunnel, probes }: WireguardKeys,
  addresses: NonNullable<ReturnType<typeof addressesOf>>,
  hub: string,
  request: string,
  secret: Secret,
): HubTerminal {
  const preshared = presharedKey(secret, terminal, hub, request);
  return {
    terminal,
    address: addresses.tunnel,
    publicKey: tunnel,
    presharedKey: preshared,
    probes: probes.map(({ uplink, publicKey }) => ({
      uplink,
      address: addresses.probes[uplink] ?? '',
      publicKey,
      presharedKey: preshared,
    })),
  };
}

function doubles(terminals: HubTerminals): string[] {
  const owners = new Map<string, string>();
  return terminals.flatMap(({ terminal, address, publicKey, probes }) => {
    const all = [
      terminal,
      address,
      publicKey,
      ...probes.flatMap((probe) => [probe.address, probe.publicKey]),
    ];
    return all.flatMap((value) => {
      const before = owners.get(value);
      owners.set(value, terminal);
      return before === undefined ? [] : [`${before} and ${terminal} both have ${value}.`];
    });
  });
}

import type { Site } from '#contracts/enrolment.ts';
import type { FleetNetwork } from '#contracts/fleet-network.ts';
import { ok, type Result } from '#contracts/result.ts';
import { UplinkNetwork } from '#contracts/settings/uplink.ts';
import { parseSettings } from '#runtime/settings.ts';
import type { AuthorityStore } from '../authority/store.ts';
import { assignAddresses } from './addresses.ts';

/** Whether all that a site has is paid by volume: its terminals then keep to the metered profile. */
export function isMetered(uplinks: readonly { readonly metered: boolean }[]): boolean {
  return uplinks.length > 0 && uplinks.every(({ metered }) => metered);
}

/**
 * The network of one terminal out of the plan of the bureau and the uplinks of its site, inside the caller's
 * transaction, since it may be given its addresses here. Undefined where the site has no uplinks.
 *
 * Faults: NETWORK_FULL, SETTINGS_INVALID.
 */
export function terminalNetwork(
  store: AuthorityStore,
  plan: FleetNetwork,
  site: Site,
  terminal: string,
): Result<UplinkNetwork | undefined> {
  const { uplinks = [] } = site;
  if (uplinks.length === 0) return ok(undefined);
  const addresses = assignAddresses(store, plan, terminal, uplinks);
  if (!addresses.ok) return addresses;
  const { tunnel, probes } = addresses.value;
  const { hubs, reach, dns, time, portalCheck } = plan;
  const metered = isMetered(uplinks);
  const network = {
    addresses: [`${tunnel}/32`],
    reach,
    uplinks: uplinks.map((uplink, at) => ({
      ...uplink,
      metric: 10 * (at + 1),
      probeAddress: probes[uplink.name],
      // docs/uplink.md, A site whose only line is paid by volume.
      ...(metered && { quietSeconds: 900 }),
    })),
    hubs: hubs.map((hub) => (metered ? { ...hub, keepaliveSeconds: 0 } : hub)),
    dns,
    time,
    portalCheck,
  };
  return parseSettings(UplinkNetwork, network, `the network of ${terminal}`);
}

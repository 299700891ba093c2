import Type, { type Static } from 'typebox';
import { group, text } from './settings/setting.ts';
import { uplinkNetwork } from './settings/uplink.ts';

const prefix4 = (description: string) =>
  text(
    { pattern: '^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$' },
    { description, words: 'an IPv4 network, for example 10.77.0.0/17' },
  );

/**
 * The address plan of a bureau and its ways to the centre: what all of its terminals have in common. The file that
 * `checkpost authority network` takes; the authority gives every terminal its addresses out of it.
 */
export const FleetNetwork = group(
  {
    tunnel: prefix4('Network of the terminals’ addresses in the tunnel; of this bureau alone'),
    probes: prefix4(
      'Network of their addresses in the probe tunnels, one for each uplink; of this bureau alone',
    ),
    reach: uplinkNetwork.reach,
    hubs: uplinkNetwork.hubs,
    dns: uplinkNetwork.dns,
    time: uplinkNetwork.time,
    portalCheck: uplinkNetwork.portalCheck,
  },
  { description: 'Network of a bureau' },
);
export type FleetNetwork = Static<typeof FleetNetwork>;

const uplink = uplinkNetwork.uplinks.items.properties;

/** A way out of a site, as the bureau knows it before the terminal stands there. */
export const SiteUplink = Type.Object(
  {
    name: uplink.name,
    device: uplink.device,
    kind: uplink.kind,
    metered: uplink.metered,
    monthlyMegabytes: uplink.monthlyMegabytes,
    gateway: uplink.gateway,
  },
  { additionalProperties: false },
);
export type SiteUplink = Static<typeof SiteUplink>;

/** The uplinks of a site, the preferred one first. */
export const SiteUplinks = Type.Array(SiteUplink, { maxItems: 8 });

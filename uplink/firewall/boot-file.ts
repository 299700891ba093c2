import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { closedList } from './closed-list.ts';
import type { ClosedListFacts } from './facts.ts';
import { renderRules } from './render.ts';

/**
 * firmware-config/nftables/checkpost.nft: the closed list as long as nothing is known of the site. It is loaded before
 * any interface is up, and stays in force until the helper puts the whole list in its place.
 */
export function bootFile(): string {
  return `#!/usr/sbin/nft -f
# What is in force from boot until the helper has read the settings of the site: neighbours, addresses by DHCP, and the
# officer's page from networks of a site, so that documents can be asked for even where the helper never comes up.
# No hub is known yet, so no tunnel leaves.
# Made from uplink/firewall/closed-list.ts by \`npm run docs\`; a test keeps it equal.
# Loaded before any interface is up (nftables.service, Before=network-pre.target).

${renderRules(bootFacts, closedList(bootFacts))}`;
}

interface WithDefault {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, WithDefault>>;
}
const settings = UplinkSettings.properties as unknown as Readonly<Record<string, WithDefault>>;
const number = (setting: WithDefault | undefined): number => Number(setting?.default);

const bootFacts: ClosedListFacts = {
  interface: String(settings['interface']?.default),
  mark: number(settings['mark']),
  uplinks: [],
  hubs: [],
  probeHubs: [],
  dns: [],
  time: [],
  // Stands in no rule as long as there is no server to ask.
  uplinkUser: 0,
  timeUser: number(settings['timeUser']),
  officer: { port: number(settings['officer']?.properties?.['port']), devices: 'any' },
  enrolment: [],
  portalPort: undefined,
};

import { BlockList, isIP } from 'node:net';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkNetwork, UplinkSettings } from '#contracts/settings/uplink.ts';
import { splitEndpoint } from './resolve/endpoint.ts';

/** What the schema cannot say of the settings of a terminal: all complaints at once. Fault: SETTINGS_INVALID. */
export function checkUplink(settings: UplinkSettings, file: string): Result<void> {
  const complaints = [
    ...settings.enrolment.flatMap((text, at) => endpointComplaint(text, `enrolment.${at}`, 'an address')),
    ...networkComplaints(settings),
    ...budgetComplaints(settings),
  ];
  return complaints.length === 0 ? ok(undefined) : fail('SETTINGS_INVALID', [file, ...complaints].join('\n'));
}

/** The same of the network part alone, as it comes signed. Fault: CONFIGURATION_REFUSED. */
export function checkNetwork(network: UplinkNetwork): Result<void> {
  const complaints = networkComplaints(network);
  return complaints.length === 0 ? ok(undefined) : fail('CONFIGURATION_REFUSED', complaints.join('\n'));
}

function networkComplaints(network: UplinkNetwork): string[] {
  return [
    ...network.addresses.flatMap((text, at) => prefixComplaint(text, `addresses.${at}`)),
    ...network.reach.flatMap((text, at) => prefixComplaint(text, `reach.${at}`)),
    ...(['dns', 'time'] as const).flatMap((name) =>
      network[name].flatMap((text, at) => addressComplaint(text, `${name}.${at}`)),
    ),
    ...network.uplinks.flatMap((uplink, at) => uplinkComplaints(uplink, `uplinks.${at}`)),
    ...network.hubs.flatMap((hub, at) => hubComplaints(hub, `hubs.${at}`, network)),
    ...uniqueUplinks(network),
    ...uniqueHubs(network),
    ...tunnelAddresses(network),
  ];
}

type Line = UplinkNetwork['uplinks'][number];
type Hub = UplinkNetwork['hubs'][number];

function uplinkComplaints(uplink: Line, place: string): string[] {
  const { gateway, probeAddress, metered, monthlyMegabytes } = uplink;
  return [
    ...(gateway === undefined ? [] : addressComplaint(gateway, `${place}.gateway`)),
    ...addressComplaint(probeAddress, `${place}.probeAddress`),
    ...(monthlyMegabytes > 0 && !metered
      ? [`${place}.monthlyMegabytes: found ${monthlyMegabytes}; allowed: 0 while metered is false`]
      : []),
  ];
}

function hubComplaints(
  { endpoint, pinned, address, probeAddress }: Hub,
  place: string,
  network: UplinkNetwork,
): string[] {
  const { host } = splitEndpoint(endpoint);
  const isFindable =
    isIP(host) !== 0 || looksLikeAddress(host) || network.dns.length > 0 || pinned.length > 0;
  return [
    ...endpointComplaint(endpoint, `${place}.endpoint`, 'a name or an address'),
    ...pinned.flatMap((text, at) => addressComplaint(text, `${place}.pinned.${at}`)),
    ...addressComplaint(address, `${place}.address`),
    ...addressComplaint(probeAddress, `${place}.probeAddress`),
    ...(isFindable
      ? []
      : [
          `${place}.endpoint: found the name ${host}; allowed: a name only where dns or pinned holds an address`,
        ]),
  ];
}

function prefixComplaint(text: string, place: string): string[] {
  const [address = '', length = ''] = text.split('/');
  const family = isIP(address);
  if (family === 0)
    return [`${place}: found ${text}; allowed: an IPv4 or IPv6 address with its prefix length`];
  const most = family === 4 ? 32 : 128;
  return Number(length) <= most
    ? []
    : [`${place}: found ${text}; allowed: a prefix length from 0 to ${most}`];
}

function addressComplaint(text: string, place: string): string[] {
  return isIP(text) === 0 ? [`${place}: found ${text}; allowed: an IPv4 or IPv6 address`] : [];
}

function endpointComplaint(text: string, place: string, what: string): string[] {
  const { host, port } = splitEndpoint(text);
  const isHost = isIP(host) !== 0 || !looksLikeAddress(host);
  return isHost && port >= 1 && port <= 65_535
    ? []
    : [`${place}: found ${text}; allowed: ${what} and a port from 1 to 65535`];
}

/** Of a host that is none of the two families: no name ends in a number (RFC 1123 section 2.1), or has a colon. */
function looksLikeAddress(host: string): boolean {
  return /(^|\.)\d+$/.test(host) || host.includes(':');
}

/** Two that share one of these would be taken for one another, or stand in one another's way, in silence. */
function uniqueUplinks({ uplinks }: UplinkNetwork): string[] {
  return [
    ...doubled(uplinks, 'uplinks', 'name', ({ name }) => name),
    ...doubled(uplinks, 'uplinks', 'device', ({ device }) => device),
    ...doubled(uplinks, 'uplinks', 'metric', ({ metric }) => String(metric)),
  ];
}

function uniqueHubs({ hubs }: UplinkNetwork): string[] {
  return [
    ...doubled(hubs, 'hubs', 'name', ({ name }) => name),
    ...doubled(hubs, 'hubs', 'publicKey', ({ publicKey }) => publicKey),
    ...doubled(hubs, 'hubs', 'endpoint', ({ endpoint }) => endpoint.toLowerCase()),
  ];
}

function doubled<T>(all: readonly T[], list: string, name: string, of: (one: T) => string): string[] {
  const seen = new Set<string>();
  return all.flatMap((one, at) => {
    const value = of(one);
    if (seen.has(value))
      return [`${list}.${at}.${name}: found ${value} again; allowed: a value that no other of ${list} has`];
    seen.add(value);
    return [];
  });
}

/**
 * Each address at an end of a tunnel belongs to one thing: WireGuard gives an address to the peer that was told last,
 * and a probe address that is also in the tunnel would be measured by the wrong way.
 */
function tunnelAddresses({ addresses, reach, uplinks, hubs }: UplinkNetwork): string[] {
  const owned = [
    ...addresses.map((text, at) => [`addresses.${at}`, text.split('/')[0] ?? ''] as const),
    ...hubs.map(({ address }, at) => [`hubs.${at}.address`, address] as const),
    ...hubs.map(({ probeAddress }, at) => [`hubs.${at}.probeAddress`, probeAddress] as const),
    ...uplinks.map(({ probeAddress }, at) => [`uplinks.${at}.probeAddress`, probeAddress] as const),
  ];
  const first = new Map<string, string>();
  const twice = owned.flatMap(([place, address]) => {
    const before = first.get(address.toLowerCase());
    first.set(address.toLowerCase(), before ?? place);
    return before === undefined
      ? []
      : [`${place}: found ${address}, which ${before} has; allowed: one of its own`];
  });
  const reached = listOf(reach);
  const probes = owned.filter(
    ([place, address]) => place.endsWith('.probeAddress') && isIn(reached, address),
  );
  return [
    ...twice,
    ...probes.map(
      ([place, address]) =>
        `${place}: found ${address}; allowed: an address outside of reach, which goes by the tunnel`,
    ),
  ];
}

function listOf(prefixes: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of prefixes) {
    const [address = '', length = ''] = text.split('/');
    const family = isIP(address);
    // One that is none has its own complaint.
    if (family === 0 || Number(length) > (family === 4 ? 32 : 128)) continue;
    list.addSubnet(address, Number(length), family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Probes alone must not use up what the month allows. */
function budgetComplaints({ uplinks, probe }: UplinkSettings): string[] {
  return uplinks.flatMap(({ metered, monthlyMegabytes }, at) => {
    const budget = monthlyMegabytes * 1_000_000;
    if (!metered || budget === 0 || budget > probe.meteredBytesPerMonth) return [];
    return [
      `uplinks.${at}.monthlyMegabytes: found ${monthlyMegabytes} MB; allowed: more than the probes of a month (probe.meteredBytesPerMonth, ${probe.meteredBytesPerMonth} B)`,
    ];
  });
}

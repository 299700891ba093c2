import { BlockList, isIP } from 'node:net';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import type { Part } from './part.ts';

/**
 * What the schema cannot say: that addresses are addresses, that no two hubs share one, and, where the tunnel is not
 * in a namespace of its own, that the way to a hub does not lead through the tunnel. All complaints at once.
 */
export function checkUplink(settings: UplinkSettings, part: Part, file: string): Result<void> {
  const complaints = [
    ...settings.addresses.flatMap((text, at) => prefixComplaint(text, `addresses.${at}`)),
    ...settings.hubs.flatMap((hub, at) => [
      ...endpointComplaint(hub.endpoint, `hubs.${at}.endpoint`),
      ...hub.allowedIps.flatMap((text, i) => prefixComplaint(text, `hubs.${at}.allowedIps.${i}`)),
    ]),
    ...doubled(settings, 'name', (hub) => [hub.name]),
    ...doubled(settings, 'publicKey', (hub) => [hub.publicKey]),
    ...doubled(settings, 'allowedIps', (hub) => hub.allowedIps.map((text) => text.toLowerCase())),
  ];
  if (complaints.length === 0 && part === 'whole') complaints.push(...circles(settings));
  return complaints.length === 0 ? ok(undefined) : fail('SETTINGS_INVALID', [file, ...complaints].join('\n'));
}

function prefixComplaint(text: string, name: string): string[] {
  const [address = '', length = ''] = text.split('/');
  const family = isIP(address);
  if (family === 0)
    return [`${name}: found ${text}; allowed: an IPv4 or IPv6 address with its prefix length`];
  const most = family === 4 ? 32 : 128;
  return Number(length) <= most ? [] : [`${name}: found ${text}; allowed: a prefix length from 0 to ${most}`];
}

function endpointComplaint(text: string, name: string): string[] {
  const { address, port } = splitEndpoint(text);
  const good = isIP(address) !== 0 && port >= 1 && port <= 65_535;
  return good ? [] : [`${name}: found ${text}; allowed: an address and a port from 1 to 65535`];
}

function splitEndpoint(text: string): { address: string; port: number } {
  const at = text.lastIndexOf(':');
  return { address: text.slice(0, at).replaceAll(/[[\]]/g, ''), port: Number(text.slice(at + 1)) };
}

function doubled(
  { hubs }: UplinkSettings,
  name: string,
  of: (hub: UplinkSettings['hubs'][number]) => string[],
): string[] {
  const seen = new Set<string>();
  return hubs.flatMap((hub, at) =>
    of(hub).flatMap((value) => {
      if (!seen.has(value)) {
        seen.add(value);
        return [];
      }
      return [`hubs.${at}.${name}: stands twice; allowed: a value that no other hub has`];
    }),
  );
}

function circles({ hubs }: UplinkSettings): string[] {
  const tunnel = new BlockList();
  for (const text of hubs.flatMap((hub) => hub.allowedIps)) {
    const [address = '', length = ''] = text.split('/');
    tunnel.addSubnet(address, Number(length), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return hubs.flatMap(({ endpoint }, at) => {
    const { address } = splitEndpoint(endpoint);
    if (!tunnel.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')) return [];
    return [
      `hubs.${at}.endpoint: found ${endpoint}; allowed: an address outside every hub's allowedIps, or else the way to the hub would lead through the tunnel itself`,
    ];
  });
}

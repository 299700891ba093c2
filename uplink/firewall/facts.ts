import { isIP } from 'node:net';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';

/** An address (never a name: nft would ask for it) and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A service at an address, as a rule names it. */
export interface Target extends Endpoint {
  readonly protocol: 'tcp' | 'udp';
}

/** The two modes that open more for a while. */
export const timedModes = ['enrolment', 'portal-check'] as const;
export type TimedMode = (typeof timedModes)[number];

/** Most uplinks that the settings take; the marks after the main one are theirs whether they are used or not. */
export const mostUplinks = 8;
/** Most hubs that the settings take. */
export const mostHubs = 4;

/** What the closed list is made of: the settings, the hubs as they are resolved now, and users by number. */
export interface ClosedListFacts {
  /** How the names of our WireGuard interfaces begin. */
  readonly interface: string;
  /** Mark of the tunnel; those of the probes follow it. */
  readonly mark: number;
  /** Devices of the uplinks. */
  readonly uplinks: readonly string[];
  /** Every endpoint at which a hub may be now, resolved and pinned. */
  readonly hubs: readonly Endpoint[];
  /** The hubs inside the probe tunnels: their address and the port of their service. */
  readonly probeHubs: readonly Endpoint[];
  readonly dns: readonly string[];
  readonly time: readonly string[];
  readonly uplinkUser: number;
  readonly timeUser: number;
  /** `any` while the settings are not known yet: at boot, and as long as the helper has not started. */
  readonly officer: { readonly port: number; readonly devices: readonly string[] | 'any' };
  readonly enrolment: readonly Endpoint[];
  /** TCP port of the page that tells a portal; undefined where there is no such check. */
  readonly portalPort: number | undefined;
}

/**
 * The facts of a terminal. `hubs` are the endpoints that its hubs may have now; `uplinkUser` is the number of the user
 * that the helper runs as.
 */
export function factsOf(
  settings: UplinkSettings,
  hubs: readonly Endpoint[],
  uplinkUser: number,
): ClosedListFacts {
  return {
    interface: settings.interface,
    mark: settings.mark,
    uplinks: settings.uplinks.map(({ device }) => device),
    hubs,
    probeHubs: settings.hubs.map(({ probeAddress, servicePort }) => ({
      address: probeAddress,
      port: servicePort,
    })),
    dns: settings.dns,
    time: settings.time,
    uplinkUser,
    timeUser: settings.timeUser,
    officer: settings.officer,
    enrolment: settings.enrolment.map(endpointOf),
    portalPort: settings.portalCheck === null ? undefined : portOf(settings.portalCheck.url),
  };
}

/** `192.0.2.1:443` or `[2001:db8::1]:443`. */
function endpointOf(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon).replaceAll(/[[\]]/g, ''), port: Number(text.slice(colon + 1)) };
}

function portOf(url: string): number {
  const port = URL.parse(url)?.port ?? '';
  return port === '' ? 80 : Number(port);
}

/**
 * What is wrong with the facts, in words, or undefined. Whatever nft could read as something else than an address, a
 * port or a device ends here: a name in the place of an address would make it ask DNS while it loads the rules.
 */
export function wrongFact(facts: ClosedListFacts): string | undefined {
  const { hubs, probeHubs, enrolment, dns, time, uplinks, officer } = facts;
  const services = [...hubs, ...probeHubs, ...enrolment];
  const addresses = [...services.map(({ address }) => address), ...dns, ...time];
  const devices = [...uplinks, ...(officer.devices === 'any' ? [] : officer.devices)];
  const ports = [...services.map(({ port }) => port), officer.port, facts.portalPort ?? 80];
  const numbers = [facts.mark, facts.uplinkUser, facts.timeUser];
  const address = addresses.find((one) => !isAddress(one));
  if (address !== undefined) return `“${address}” is not an address.`;
  const device = devices.find((one) => !/^[A-Za-z0-9_.-]{1,15}$/.test(one));
  if (device !== undefined) return `“${device}” cannot be the name of a device.`;
  if (!/^[a-z][a-z0-9]{0,9}$/.test(facts.interface))
    return `“${facts.interface}” cannot begin the name of an interface.`;
  const port = ports.find((one) => !isPort(one));
  if (port !== undefined) return `${port} is not a port.`;
  const number = numbers.find((one) => !Number.isSafeInteger(one) || one < 0 || one > 0xffff_ffff);
  return number === undefined ? undefined : `${number} cannot be a mark or the number of a user.`;
}

export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

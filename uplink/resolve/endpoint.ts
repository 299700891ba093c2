import { isIP } from 'node:net';
import type { Hub } from '#contracts/settings/uplink.ts';

/** Where packets to a hub are sent. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A hub as the search for its address sees it. */
export interface HubTarget {
  readonly name: string;
  /** Its address or its name in DNS. */
  readonly host: string;
  readonly port: number;
  /** The address, where it is one: nothing is to be searched for then. */
  readonly literal: string | undefined;
  readonly pinned: readonly string[];
}

/** Splits `host:port`; the brackets of an IPv6 address are taken off. A port that is none is NaN. */
export function splitEndpoint(text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replaceAll(/[[\]]/g, ''), port: Number(text.slice(at + 1)) };
}

export function hubTarget({ name, endpoint, pinned }: Pick<Hub, 'name' | 'endpoint' | 'pinned'>): HubTarget {
  const { host, port } = splitEndpoint(endpoint);
  return { name, host, port, literal: isIP(host) === 0 ? undefined : host, pinned };
}

/** As `wg` takes it: an IPv6 address stands in brackets. */
export function endpointText({ address, port }: Endpoint): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

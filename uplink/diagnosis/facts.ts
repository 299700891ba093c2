import { BlockList, isIP } from 'node:net';
import type { PathStatus } from '#contracts/uplink.ts';
import type { UplinkLine } from '#contracts/settings/uplink.ts';
import type { NeighbourState } from './neighbours.ts';

/** How the last question for the name of a hub ended that left by this uplink. */
export type DnsFact =
  | { readonly result: 'not-asked' }
  /** An address, or a sound "no such name". `byRouter`: the server is the router of this uplink, which may have it stored. */
  | { readonly result: 'answered'; readonly byRouter: boolean }
  /** A server answered, but not with an answer: SERVFAIL, REFUSED, nonsense. */
  | { readonly result: 'failed'; readonly code: string }
  | { readonly result: 'silent' };

/** How the last portal check ended that left by this uplink. */
export type PortalFact =
  | { readonly result: 'not-done' }
  | { readonly result: 'ok' }
  /** Something else answered in place of the page. `host`: where it wants to lead to; null where it does not say. */
  | { readonly result: 'portal'; readonly status: number; readonly host: string | null }
  /** `asked`: false where not even the name of the page was resolved, so that nothing was asked at all. */
  | { readonly result: 'no-answer'; readonly asked: boolean; readonly why: string };

/**
 * What was measured of one uplink. Of `dns`, `portal` and `counters` the caller gives only what was seen since its hubs
 * fell silent (or since the start): an answer from before says nothing about now.
 */
export interface LineFacts {
  readonly device: string;
  readonly kind: UplinkLine['kind'];
  readonly present: boolean;
  /** Administratively up: IFF_UP. */
  readonly switchedOn: boolean;
  /** Null where the driver does not say. */
  readonly carrier: boolean | null;
  /** All of the device, without prefix length. */
  readonly addresses: readonly string[];
  /** Where packets go: a router on a shared medium, a line with only one other end, or nowhere. */
  readonly gateway:
    | { readonly way: 'router'; readonly address: string; readonly neighbour: NeighbourState }
    | { readonly way: 'point-to-point' }
    | null;
  /** Packets of the device since its probes are unanswered; null where nothing is unanswered or it was not read. */
  readonly counters: { readonly sent: number; readonly received: number } | null;
  /** `failed`: some hub has only a name, and it could not be resolved over this uplink when it was last asked for. */
  readonly names: 'not-needed' | 'resolved' | 'failed';
  readonly dns: DnsFact;
  readonly portal: PortalFact;
  readonly paths: readonly Pick<PathStatus, 'hub' | 'state'>[];
  /** The largest packet that passes, bytes; `none` where small ones pass and no large size does; null while unknown. */
  readonly largest: number | 'none' | null;
}

/**
 * Of these addresses those by which a packet can go out and come back: not link-local (RFC 3927, RFC 4291 section
 * 2.5.6), which a device gives itself when nobody else does, and not loopback or unspecified.
 */
export function usableAddresses(addresses: readonly string[]): string[] {
  const useless = new BlockList();
  useless.addSubnet('169.254.0.0', 16, 'ipv4');
  useless.addSubnet('127.0.0.0', 8, 'ipv4');
  useless.addAddress('0.0.0.0', 'ipv4');
  useless.addSubnet('fe80::', 10, 'ipv6');
  useless.addAddress('::1', 'ipv6');
  useless.addAddress('::', 'ipv6');
  return addresses.filter((address) => {
    const family = isIP(address);
    return family !== 0 && !useless.check(address, family === 4 ? 'ipv4' : 'ipv6');
  });
}

import type { Endpoint, Target, TimedMode } from './facts.ts';

/** One line of the closed list. */
export interface ClosedListEntry {
  readonly id: string;
  readonly direction: 'out' | 'in';
  /** Why it must pass, in plain words. */
  readonly why: string;
  readonly where: Where;
  readonly what: Match;
  /** `none` where no rule of nftables can see it; the kernel alone sends it. */
  readonly enforcement: 'nftables' | 'none';
}

/** Which interfaces; the probe tunnels are not physical, but in the same namespace. */
export type Where =
  | { readonly at: 'uplinks'; readonly devices: readonly string[] }
  | { readonly at: 'site-lan'; readonly devices: readonly string[] }
  | { readonly at: 'any-physical' }
  | { readonly at: 'probes' };

/** A service, at any address where none is given. */
export type Permit = Omit<Target, 'address'> & { readonly address?: string };

export interface Marks {
  readonly first: number;
  readonly last: number;
}

/** What a packet must be. Those that end in `answer` belong to a flow that began the other way. */
export type Match =
  | { readonly match: 'arp' }
  | { readonly match: 'wireguard'; readonly hubs: readonly Endpoint[]; readonly marks: Marks }
  | { readonly match: 'wireguard-answer'; readonly hubs: readonly Endpoint[] }
  /** ICMPv6 of these types; the hop limit of 255 proves that no router passed it on (RFC 4861 section 11.2). */
  | { readonly match: 'neighbours'; readonly types: readonly number[] }
  /** "Fragmentation needed" (RFC 1191) and "packet too big" (RFC 8201) about a flow of ours. */
  | { readonly match: 'path-mtu' }
  | {
      readonly match: 'udp';
      readonly family: 4 | 6;
      readonly from: number;
      readonly to: number;
      /** Where it may be addressed to; empty for everywhere. */
      readonly destinations: readonly string[];
    }
  | { readonly match: 'client'; readonly targets: readonly Target[]; readonly user: number }
  | { readonly match: 'client-answer'; readonly targets: readonly Target[] }
  | { readonly match: 'page'; readonly port: number; readonly from: readonly string[] }
  | { readonly match: 'page-answer'; readonly port: number; readonly to: readonly string[] }
  /** Open only while the mode is, to the targets that it was opened for; each must be one of `permits`. */
  | {
      readonly match: 'timed';
      readonly mode: TimedMode;
      readonly permits: readonly Permit[];
      readonly user: number | undefined;
    }
  | { readonly match: 'timed-answer'; readonly mode: TimedMode }
  | { readonly match: 'echo'; readonly hubs: readonly string[] }
  | { readonly match: 'echo-answer'; readonly hubs: readonly string[] };

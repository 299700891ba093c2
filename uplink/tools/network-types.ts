import type { Family } from './prefix.ts';

/** An address that a device has. */
export interface DeviceAddress {
  readonly address: string;
  readonly family: Family;
  readonly prefixLength: number;
  /** `link` for one that is only good on its own cable, as fe80::… is. */
  readonly scope: 'global' | 'link' | 'host' | 'other';
}

export interface DeviceState {
  readonly name: string;
  readonly index: number;
  /** What the kernel calls its kind: wireguard, tun, veth …; undefined for hardware. For a tap it is `tap`. */
  readonly kind: string | undefined;
  /** Whether it was switched on. */
  readonly up: boolean;
  /** Whether there is somebody at the other end: a cable, a radio network. */
  readonly carrier: boolean;
  readonly pointToPoint: boolean;
  /** Bytes. */
  readonly mtu: number;
  readonly addresses: readonly DeviceAddress[];
}

/** One way out of a routing table. A route over several ways stands here once for each. */
export interface RouteState {
  readonly family: Family;
  readonly table: number;
  /** unicast, unreachable, local … */
  readonly type: string;
  /** `default`, an address, or a network with its length. */
  readonly destination: string;
  readonly device?: string;
  readonly gateway?: string;
  /** 0 where none was given. */
  readonly metric: number;
  /** Address that packets get which have none yet. */
  readonly source?: string;
  /** Whether the kernel made it by itself. */
  readonly byKernel: boolean;
  /** One of several ways of one route. */
  readonly shared: boolean;
}

export interface RuleState {
  readonly family: Family;
  readonly priority: number;
  readonly fwmark?: number;
  /** Source address or network; without it every source is meant. */
  readonly from?: string;
  /** 0 where it leads to no table. */
  readonly table: number;
  /** Whether it has conditions or effects beyond these. */
  readonly special: boolean;
}

/** What the kernel says of one network namespace. */
export interface NetworkState {
  /** The families whose rules the kernel can keep: without 6 where IPv6 is switched off. */
  readonly families: readonly Family[];
  readonly devices: readonly DeviceState[];
  readonly routes: readonly RouteState[];
  readonly rules: readonly RuleState[];
}

/** Numbers of the kernel's own tables: rtnetlink(7), RT_TABLE_LOCAL and so on. */
export const tables = { default: 253, main: 254, local: 255 } as const;

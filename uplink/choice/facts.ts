import type { MonotonicTime } from '#contracts/units.ts';
import type { PathView } from '../probes/path-meter.ts';

/** What the choice knows of a path; a `PathView` is one. */
export type PathFacts = Pick<PathView, 'state' | 'upSince' | 'downSince' | 'lostInRow'>;

export interface UplinkFacts {
  readonly name: string;
  /** Order of preference: the lowest carries. */
  readonly metric: number;
  /** Whether it has a device, an address and a route. Nothing else is ever chosen. */
  readonly usable: boolean;
  /** Whether its data of this month is used up. */
  readonly overBudget: boolean;
  /** Whether it loses large packets at every size. */
  readonly largeLost: boolean;
  /** By name of the hub; a hub that is missing was not tested. */
  readonly paths: Readonly<Record<string, PathFacts>>;
}

/** What somebody asked for by hand: an uplink, a hub or both. It holds until that fails. */
export interface Preference {
  readonly uplink?: string | undefined;
  readonly hub?: string | undefined;
  /** When it was asked for. */
  readonly at: MonotonicTime;
}

export interface ChoiceFacts {
  readonly uplinks: readonly UplinkFacts[];
  /** Names, the preferred one first. */
  readonly hubs: readonly string[];
  readonly preference?: Preference | undefined;
}

export interface ChoiceOptions {
  /** So long a better pair must have worked without a break before the traffic goes back to it, in ms. */
  readonly failbackMillis: number;
}

/** One way to the centre. */
export interface Pair {
  readonly uplink: UplinkFacts;
  readonly hub: string;
  readonly hubPlace: number;
  readonly path: PathFacts;
}

const untested: PathFacts = { state: 'untested', upSince: undefined, downSince: undefined, lostInRow: 0 };

/** Every pair of an uplink that can be used and a hub. */
export function pairsOf({ uplinks, hubs }: ChoiceFacts): readonly Pair[] {
  return uplinks
    .filter(({ usable }) => usable)
    .flatMap((uplink) =>
      hubs.map((hub, hubPlace) => ({ uplink, hub, hubPlace, path: uplink.paths[hub] ?? untested })),
    );
}

/**
 * How good an uplink is by kind: 0 good, 1 over its budget, 2 large packets are lost on it. Over budget it costs money,
 * but it works; without large packets no TLS does.
 */
export const classOf = ({ overBudget, largeLost }: UplinkFacts): number =>
  largeLost ? 2 : overBudget ? 1 : 0;

/** Compares by the first number that differs. */
export function byNumbers<T>(numbers: (one: T) => readonly number[]): (a: T, b: T) => number {
  return (a, b) => {
    const [x, y] = [numbers(a), numbers(b)];
    const at = x.findIndex((value, index) => value !== y[index]);
    return at < 0 ? 0 : (x[at] ?? 0) - (y[at] ?? 0);
  };
}

/** The order of pairs where nothing is known of the past. */
export const standing = ({ uplink, hubPlace }: Pair): readonly number[] => [
  classOf(uplink),
  uplink.metric,
  hubPlace,
];
export const byStanding = byNumbers(standing);

import { existsSync } from 'node:fs';
import type { ReaderId } from '#contracts/names.ts';
import { type Millis, type MonotonicTime, monotonic } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { assign, type Assignment, type Wanted } from './assign.ts';
import type { Device } from './device.ts';

/** Where a configured reader stands at this moment. */
export type Located =
  /** `moved` to another port, or `replaced` by another of the same model; both are said, neither is refused. */
  | {
      readonly kind: 'found';
      readonly node: string;
      readonly how: 'exact' | 'moved' | 'replaced';
      readonly device?: Device;
    }
  | { readonly kind: 'absent' }
  | { readonly kind: 'ambiguous'; readonly nodes: readonly string[] };

/** Finds configured readers among the devices that are plugged in. */
export interface Locator {
  locate(reader: ReaderId): Located;
}

export interface LocatorParts {
  readonly wanted: readonly Wanted[];
  readonly scan: () => Device[];
  readonly clock: Clock;
  /** For so long one look serves all readers. */
  readonly keep: Millis;
}

/** All readers are assigned together, so that no device is taken for two of them. */
export function createLocator({ wanted, scan, clock, keep }: LocatorParts): Locator {
  const byPath = new Map(
    wanted.filter(({ device }) => device.startsWith('/')).map((one) => [one.id, one.device]),
  );
  let seen: ReadonlyMap<string, Assignment> = new Map();
  let at: MonotonicTime = monotonic(Number.NEGATIVE_INFINITY);
  return {
    locate(reader) {
      const path = byPath.get(reader);
      if (path !== undefined) {
        return existsSync(path) ? { kind: 'found', node: path, how: 'exact' } : { kind: 'absent' };
      }
      const now = clock.monotonic();
      if (now - at > keep) {
        seen = assign(wanted, scan());
        at = now;
      }
      return located(seen.get(reader));
    },
  };
}

function located(assignment: Assignment | undefined): Located {
  switch (assignment?.kind) {
    case 'found': {
      const { device, how } = assignment;
      return { kind: 'found', node: device.node, how, device };
    }
    case 'ambiguous':
      return { kind: 'ambiguous', nodes: assignment.devices.map(({ node }) => node) };
    default:
      return { kind: 'absent' };
  }
}

import { existsSync } from 'node:fs';
import type { ReaderId } from '#contracts/names.ts';
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
}

/**
 * All readers are assigned together, so that no device is taken for two of them. It looks anew each time: the kernel
 * may have given a name to another device a moment ago.
 */
export function createLocator({ wanted, scan }: LocatorParts): Locator {
  const paths = new Map(
    wanted.filter(({ device }) => device.startsWith('/')).map((one) => [one.id, one.device]),
  );
  return {
    locate(reader) {
      const path = paths.get(reader);
      if (path === undefined) return located(assign(wanted, scan()).get(reader));
      return existsSync(path) ? { kind: 'found', node: path, how: 'exact' } : { kind: 'absent' };
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

import type { TerminalState } from '#contracts/api/fleet.ts';
import type { LayerScope } from '#contracts/configuration.ts';
import type { Condition } from '#contracts/health.ts';
import type { Result } from '#contracts/result.ts';

/** Where a terminal belongs. */
export interface Place {
  readonly terminal: string;
  readonly site: string;
  readonly bureau: string;
}

/** What the fleet view knows to be wrong with one terminal. */
export interface TerminalTroubles extends Place {
  readonly state: TerminalState;
  /** When the state began, by the controller's clock; null where it has never been seen. */
  readonly since: string | null;
  /** It runs in the metered profile: its silence is noticed later. */
  readonly metered: boolean;
  /** All that stand as it reported last, and those that the controller found itself; not the causes alone. */
  readonly conditions: readonly Condition[];
}

/** Where the engine asks; a terminal that is no longer registered is left out of the answers. */
export interface TroubleSource {
  all(): Promise<Result<readonly TerminalTroubles[]>>;
  of(terminals: readonly string[]): Promise<Result<readonly TerminalTroubles[]>>;
}

/** Whether a scope holds a terminal; without one, whether it holds the centre itself, which only the whole fleet does. */
export function covers(scope: LayerScope, place: Place | undefined): boolean {
  if (scope.layer === 'fleet') return true;
  return place !== undefined && place[scope.layer] === scope.key;
}

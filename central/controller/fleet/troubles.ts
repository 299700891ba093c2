import type { TerminalState } from '#contracts/api/fleet.ts';
import type { Condition } from '#contracts/health.ts';
import { meteredKeepAlive } from '#contracts/metered.ts';
import type { Remembered } from './rows.ts';

/** What is wrong with one terminal, and where it belongs. */
export interface TerminalTroubles {
  readonly terminal: string;
  readonly site: string;
  readonly bureau: string;
  readonly state: TerminalState;
  /** When the state began, by the controller's clock; null where it has never been seen. */
  readonly since: string | null;
  /** It runs in the metered profile: its silence is noticed later. */
  readonly metered: boolean;
  /** All that stand as it reported last, and those that the controller found itself; not the causes alone. */
  readonly conditions: readonly Condition[];
}

export function troublesOf({ row, conditions, keepAlive }: Remembered): TerminalTroubles {
  const { terminal, site, bureau, state, since } = row;
  const metered = keepAlive !== null && keepAlive >= meteredKeepAlive;
  return { terminal, site, bureau, state, since, metered, conditions };
}

import { askingOf } from '#agent/metered.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { simulate } from './day.ts';
import type { Pieces } from './pieces.ts';
import { type CostTable, tableOf } from './table.ts';

export interface Profile {
  readonly hours: number;
  readonly reads: number;
  readonly keepAliveSeconds: number;
}

export const profiles = {
  /** A day on which nobody comes. */
  idle: { hours: 24, reads: 0, keepAliveSeconds: 30 },
  /** A day of a busy post. */
  busy: { hours: 24, reads: 2000, keepAliveSeconds: 30 },
  /** A month of the metered profile. */
  metered: { hours: 720, reads: 0, keepAliveSeconds: 600 },
} as const satisfies Readonly<Record<string, Profile>>;

/** What a terminal with these settings costs: the simulated time of the profile, at the prices that were measured. */
export async function costOf(
  profile: Profile,
  pieces: Pieces,
  settings: AgentSettings,
  seed: number,
): Promise<CostTable> {
  const { hours, reads, keepAliveSeconds } = profile;
  const own = { ...settings, fleet: { ...settings.fleet, keepAliveSeconds } };
  const { headEvery } = settings.audit;
  const day = await simulate({ hours, reads, headEvery, seed, settings: own.fleet });
  return tableOf(day, pieces, { hours, lookups: (reads * hours) / 24, ...askingOf(own) });
}

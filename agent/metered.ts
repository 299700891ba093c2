import { meteredKeepAlive } from '#contracts/metered.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { type Millis, ms } from '#contracts/units.ts';

/** On a line that is paid by volume each of these is a new connection with both certificates: about 10 KB. */
const leastProbe = ms(86_400_000);
/** Four times within the age that an edition may have. */
const leastPoll = ms(43_200_000);

export interface Asking {
  /** How often the lookup service is tried while nothing is asked. */
  readonly probeEvery: Millis;
  /** How often the centre is asked for a newer edition. */
  readonly pollEvery: Millis;
}

/**
 * How often the centre is asked of the agent's own accord: as the settings say, or more seldom where the MQTT keep-alive
 * puts the terminal into the metered profile. A lookup that fails has the service tried at once either way.
 */
export function askingOf({
  central,
  edition,
  fleet,
}: Pick<AgentSettings, 'central' | 'edition' | 'fleet'>): Asking {
  const [probe, poll] = [central.probeMillis, edition.pollSeconds * 1000];
  if (fleet.keepAliveSeconds < meteredKeepAlive) return { probeEvery: ms(probe), pollEvery: ms(poll) };
  return { probeEvery: ms(Math.max(probe, leastProbe)), pollEvery: ms(Math.max(poll, leastPoll)) };
}

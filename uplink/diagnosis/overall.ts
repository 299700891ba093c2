import type { UplinkStateName } from '#contracts/uplink.ts';
import { type Millis, ms } from '#contracts/units.ts';
import type { Diagnosis } from './diagnose.ts';

/** So long after the start a line that is not tested yet excuses the others. */
export const startingFor: Millis = ms(30_000);

/**
 * How the whole is, from how its lines are; pure. `running` is how long the uplink has been running.
 *
 * `up` where a hub answers over any line; `starting` while no line has been tested, or, in the first half minute, not
 * every one; `hubs-down` where something behind the router answers over some line, yet no hub over any; else
 * `lines-down`.
 */
export function overall(
  lines: readonly (Diagnosis & { readonly name: string })[],
  running: Millis,
): { readonly state: UplinkStateName; readonly evidence: string } {
  const say = (state: UplinkStateName, evidence: string) => ({ state, evidence: evidence.slice(0, 300) });
  const named = (some: readonly { name: string }[]): string => some.map(({ name }) => name).join(', ');
  const up = lines.filter(({ state }) => state === 'up' || state === 'large-lost');
  if (up.length > 0) {
    const small = up.every(({ state }) => state === 'large-lost');
    return say('up', `hubs answer over ${named(up)}${small ? ', but only to small packets' : ''}`);
  }
  const untested = lines.filter(({ state }) => state === 'untested');
  if (untested.length === lines.length || (untested.length > 0 && running < startingFor))
    return say('starting', `not tested yet: ${named(untested)}`);
  const working = lines.filter(({ works }) => works);
  if (working.length > 0)
    return say('hubs-down', working.map(({ name, evidence }) => `${name}: ${evidence}`).join('; '));
  return say('lines-down', lines.map(({ name, evidence }) => `${name}: ${evidence}`).join('; '));
}

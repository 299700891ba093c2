import { classOf, type Pair } from './facts.ts';

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Why a pair that fails is left for another one. */
export function whyLeft(from: Pair, to: Pair, lost: string): string {
  if (from.path.state === 'untested')
    return `${from.uplink.name} has not answered yet; ${to.uplink.name} with ${to.hub} works`;
  if (from.uplink.name === to.uplink.name)
    return `${from.hub} does not answer over ${from.uplink.name} (${lost} lost in a row); ${to.hub} does`;
  return `${from.uplink.name} has lost ${lost} in a row; ${to.uplink.name} is the next that works`;
}

/** Why a pair that works is left for a better one. */
export function whyBack(from: Pair, to: Pair, failbackMillis: number): string {
  const seconds = plural(Math.round(failbackMillis / 1000), 'second');
  if (classOf(from.uplink) > classOf(to.uplink)) {
    const reason = from.uplink.largeLost
      ? 'loses large packets at every size'
      : 'has used up its data of this month';
    return `${from.uplink.name} ${reason}; ${to.uplink.name} is the next that works`;
  }
  if (from.uplink.name === to.uplink.name)
    return `${to.hub} has worked for ${seconds} without a break and is preferred to ${from.hub}`;
  return `${to.uplink.name} has worked for ${seconds} without a break and is preferred to ${from.uplink.name}`;
}

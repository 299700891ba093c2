import type { MetricName } from '#contracts/api/fleet.ts';

/**
 * Samples as they are kept: a row for each terminal and block of time, whose text only ever grows by whole lines, so that
 * adding is one statement that reads nothing. A line is the number of its step within the block and what was measured:
 *
 *     3 m=52428800 l=0.25 s=1200        one value
 *     12 d=580,612.5,701                least, mean, most (blocks of roll-ups)
 *
 * Letters are kept on disk: one, once used, is never used for another metric.
 */
const letters: Readonly<Record<MetricName, string>> = {
  // From the periods of states; it is never in a line.
  online: 'n',
  'uplink-delay': 'd',
  'uplink-loss': 'x',
  memory: 'm',
  'memory-available': 'a',
  load: 'l',
  temperature: 't',
  'disk-free': 'f',
  'clock-offset': 'c',
  outbox: 'o',
  reads: 'r',
  hits: 'h',
  unresolved: 'u',
  unreadable: 'e',
  sent: 's',
  received: 'v',
};
const names = new Map(Object.entries(letters).map(([name, letter]) => [letter, name as MetricName]));

/** What is counted: steps hold the total of their time, not a mean. */
export const counted: ReadonlySet<MetricName> = new Set([
  'reads',
  'hits',
  'unresolved',
  'unreadable',
  'sent',
  'received',
]);

/** A level of history: how long a step is, how many make a block, and how long they are kept, in seconds. */
export interface Level {
  readonly step: number;
  readonly block: number;
  readonly keep: number;
}
const day = 86_400;
export const levels = [
  { step: 60, block: 900, keep: 2 * day },
  { step: 900, block: day, keep: 60 * day },
  { step: day / 4, block: 30 * day, keep: 2 * 365 * day },
] as const satisfies readonly Level[];

export type Values = Partial<Record<MetricName, number>>;

/** Least, mean and most of a step; of what is counted, each is the total. */
export type Measured = readonly [least: number, mean: number, most: number];

/** The line of what was measured in a step of a block. */
export function lineOf(step: number, values: ReadonlyMap<MetricName, Measured>): string {
  const parts = [...values].map(([name, [least, mean, most]]) => {
    const value = least === mean && mean === most ? short(mean) : [least, mean, most].map(short).join(',');
    return `${letters[name]}=${value}`;
  });
  return `${step} ${parts.join(' ')}\n`;
}

export function single(values: Values): Map<MetricName, Measured> {
  return new Map(
    Object.entries(values).map(([name, value]) => [name as MetricName, [value, value, value] as const]),
  );
}

/** Six digits are more than any sensor has. */
function short(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** Everything in the text of a block, in the order in which it was written. Metrics of a later release are passed over. */
export function* readLines(
  data: string,
): Generator<{ readonly step: number; readonly name: MetricName; readonly measured: Measured }> {
  for (const line of data.split('\n')) {
    const [first, ...parts] = line.split(' ');
    const step = Number(first);
    for (const part of parts) {
      const name = names.get(part.slice(0, 1));
      const [least, mean, most] = part.slice(2).split(',').map(Number);
      if (name === undefined || least === undefined) continue;
      yield { step, name, measured: [least, mean ?? least, most ?? least] };
    }
  }
}

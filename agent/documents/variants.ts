import { maxNumbers } from '#contracts/lookup.ts';
import { gain, type NumberReading, placeOf, type Way, withoutTail } from './number.ts';

/**
 * Pairs of characters that look alike and whose values differ by a multiple of ten, so that no check digit can tell
 * them apart (weights 7, 3 and 1 are all prime to ten).
 */
const unseen = ['6G', '1L', '1B', '8S', '8I', 'K<', '0U', '0A', '5Z', 'FP', 'MW', 'O4'] as const;
/** Pairs that look alike and that a check digit does tell apart when one stands alone. */
const seen = ['O0', '1I', '5S', '2Z', '8B'] as const;

/** What each character may really have been, the likeliest first. */
const lookAlikes = ((): ReadonlyMap<string, readonly LookAlike[]> => {
  const found = [
    ...seen.map((pair) => ({ pair, seen: true })),
    ...unseen.map((pair) => ({ pair, seen: false })),
  ];
  const both = found.flatMap(({ pair, seen }) => [
    { from: pair.charAt(0), to: pair.charAt(1), seen },
    { from: pair.charAt(1), to: pair.charAt(0), seen },
  ]);
  return Map.groupBy(both, ({ from }) => from);
})();

interface LookAlike {
  readonly to: string;
  /** Whether a check digit sees the difference. */
  readonly seen: boolean;
}

/** One character read as another, and what that gains in each sum. */
interface Change {
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly seen: boolean;
  readonly number: readonly number[];
  readonly composite: number;
}

/**
 * Other numbers that a reader may have confused with this one and whose check digits hold as well: the likeliest first
 * and never more than one question may ask for. First those with one look-alike; then those in which the reader took
 * the same character for the same other one throughout; then those with two look-alikes whose errors cancel.
 *
 * A number whose own digit does not hold is searched with the ones that would make it hold.
 *
 * @param composite what the composite digit's sum lacks, modulo 10; undefined where this format has none or none could
 *   be read. One that fails for the number as read as well, for whatever reason, rules nothing out.
 */
export function variantsOf(reading: NumberReading, composite: number | undefined): string[] {
  const { ways } = reading;
  // A trailing filler may be a K.
  const text = reading.number.length < reading.field ? `${reading.number}<` : reading.number;
  const changes = changesOf(text, reading.field, ways);
  const found = new Set<string>();
  const consider = (together: readonly Change[]): void => {
    const isRight = ways.some((way, at) => way.lacks === sum(together.map(({ number }) => number[at] ?? 0)));
    if (!isRight) return;
    const whole = sum(together.map((change) => change.composite));
    if (composite === 0 && whole !== 0) return;
    const number = withoutTail(applied(text, together));
    if (number !== reading.number && /[^<]/.test(number)) found.add(number);
  };
  for (const change of changes) consider([change]);
  for (const alike of throughout(changes)) consider(alike);
  for (const pair of pairsOf(changes.filter((change) => change.seen))) consider(pair);
  // Nothing proves that the optional data belongs to the number: the field alone is searched too.
  const short = reading.short === undefined ? [] : [reading.short];
  return [...short, ...found].slice(0, maxNumbers - 1);
}

/**
 * Places in the number, from 0, in which another character would make its check digit hold: where the variants of the
 * same length differ from it. None where the digit holds.
 */
export function doubtfulOf(reading: NumberReading, variants: readonly string[]): number[] {
  if (reading.holds) return [];
  const alike = variants.filter((variant) => variant.length === reading.number.length);
  return Array.from(reading.number, (_, at) => at).filter((at) =>
    alike.some((variant) => variant.charAt(at) !== reading.number.charAt(at)),
  );
}

function changesOf(text: string, field: number, ways: readonly Way[]): Change[] {
  const changes: Change[] = [];
  for (let at = 0; at < text.length; at++) {
    const from = text.charAt(at);
    for (const { to, seen } of lookAlikes.get(from) ?? []) {
      // A filler in the optional data would end the number: it is no part of it.
      if (to === '<' && at >= field) continue;
      changes.push({
        at,
        from,
        to,
        seen,
        number: ways.map(({ gap }) => gain(from, to, placeOf(at, field, gap))),
        // The composite digit covers the number's field, its digit and what follows as they are printed.
        composite: gain(from, to, placeOf(at, field, 1)),
      });
    }
  }
  return changes;
}

/** The same change wherever it is possible, where that is more than once. */
function throughout(changes: readonly Change[]): Change[][] {
  const groups = Map.groupBy(changes, ({ from, to }) => `${from}${to}`);
  return [...groups.values()].filter((group) => group.length > 1);
}

function pairsOf(changes: readonly Change[]): [Change, Change][] {
  return changes.flatMap((one, at) =>
    changes
      .slice(at + 1)
      .filter((other) => other.at !== one.at)
      .map((other): [Change, Change] => [one, other]),
  );
}

function applied(text: string, changes: readonly Change[]): string {
  const characters = text.split('');
  for (const { at, to } of changes) characters[at] = to;
  return characters.join('');
}

function sum(gains: readonly number[]): number {
  return gains.reduce((total, gained) => total + gained, 0) % 10;
}

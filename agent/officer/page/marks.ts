/** A character of a number as it is drawn. */
export interface Cell {
  readonly character: string;
  readonly marked: boolean;
}

/** The number with these places (from 0) marked. */
export function markPlaces(number: string, places: readonly number[] = []): readonly Cell[] {
  return number.split('').map((character, at) => ({ character, marked: places.includes(at) }));
}

/** A place that only the other number has. */
const gap = '\u00a0';

/**
 * Two numbers as long as each other, one to stand above the other, marked where they differ. A recorded number has no
 * fillers, so that it may be shorter; then it is stretched where that leaves the fewest differences.
 */
export function compare(
  read: string,
  recorded: string,
): { readonly read: readonly Cell[]; readonly recorded: readonly Cell[] } {
  const pairs: readonly (readonly [string, string])[] =
    read.length === recorded.length
      ? read.split('').map((character, at) => [character, recorded.charAt(at)] as const)
      : aligned(read, recorded);
  const differs = ([a, b]: readonly [string, string]): boolean => a !== b && !(a === '<' && b === gap);
  return {
    read: pairs.map((pair) => ({ character: pair[0], marked: differs(pair) })),
    recorded: pairs.map((pair) => ({ character: pair[1], marked: differs(pair) })),
  };
}

/** The shortest way from one to the other, as pairs (Wagner and Fischer's table; both are at most 30 long). */
function aligned(a: string, b: string): (readonly [string, string])[] {
  const cost = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  const at = (i: number, j: number): number => cost[i]?.[j] ?? Infinity;
  // That the record has no filler is no difference.
  const drop = (i: number): number => (a.charAt(i) === '<' ? 0 : 1);
  const change = (i: number, j: number): number => (a.charAt(i) === b.charAt(j) ? 0 : 1);
  for (let i = a.length; i >= 0; i--) {
    for (let j = b.length; j >= 0; j--) {
      const best = Math.min(at(i + 1, j) + drop(i), at(i, j + 1) + 1, at(i + 1, j + 1) + change(i, j));
      cost[i]![j] = Number.isFinite(best) ? best : 0;
    }
  }
  const pairs: (readonly [string, string])[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const both = i < a.length && j < b.length && at(i, j) === at(i + 1, j + 1) + change(i, j);
    const onlyA = !both && i < a.length && at(i, j) === at(i + 1, j) + drop(i);
    pairs.push([both || onlyA ? a.charAt(i) : gap, both || !onlyA ? b.charAt(j) : gap]);
    if (both || onlyA) i++;
    if (both || !onlyA) j++;
  }
  return pairs;
}

/** "Character 3 in doubt.", "Characters 3 and 5 in doubt.", for those who hear the page; '' where none is. */
export function placesWords(cells: readonly Cell[], what: string): string {
  const places = cells.flatMap(({ marked }, at) => (marked ? [at + 1] : []));
  const last = places.at(-1);
  if (last === undefined) return '';
  if (places.length === 1) return `Character ${last} ${what}.`;
  return `Characters ${places.slice(0, -1).join(', ')} and ${last} ${what}.`;
}

/** Words that are not of a closed list in the code all the same have a most: what comes after it is `other`. */
const mostWords = 100;
export const mostBureaus = 50;
export const other = 'other';

/** A label's words: lower-case, short, and never more than so many different ones, whatever is passed in. */
export class Words {
  readonly #seen = new Set<string>();

  of(word: string): string {
    if (this.#seen.has(word)) return word;
    if (this.#seen.size >= mostWords || !/^[A-Za-z][A-Za-z0-9 :/{}_-]{0,79}$/.test(word)) return other;
    this.#seen.add(word);
    return word;
  }
}

/** The bureaus that have a label of their own: the first of the alphabet, so that it is always the same ones. */
export function namedBureaus(all: Iterable<string>): ReadonlySet<string> {
  return new Set([...new Set(all)].toSorted().slice(0, mostBureaus));
}

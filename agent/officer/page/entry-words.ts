import type { EntryCheck } from '#contracts/entry.ts';
import type { Draft } from './draft.ts';

type Part = EntryCheck['parts'][number];
type Problem = EntryCheck['problems'][number];

export const partWords: Record<Part['part'], string> = {
  number: 'Number',
  birth: 'Birth',
  expiry: 'Expiry',
  optional: 'Optional data',
  composite: 'Whole line',
};

/** Whether a check digit holds, in words that are no verdict. */
export function holdsWords(holds: Part['holds'], draft: Draft, check: EntryCheck): string {
  if (holds !== null) return holds ? 'check digit holds' : 'check digit does not hold';
  if (draft.kind === 'number') return 'no check digit typed';
  return check.ready ? 'no check digit' : 'not complete';
}

const fields: Record<Problem['field'], string> = {
  state: 'The state',
  number: 'The number',
  digit: 'The check digit',
  line: 'The line',
};

/** What is still wrong, a sentence each. */
export function stillWanted({ problems }: EntryCheck): readonly string[] {
  return problems.map(({ field, problem, found, wanted }) => {
    switch (problem) {
      case 'missing':
        return `${fields[field]} is missing.`;
      case 'length':
        return found === undefined || wanted === undefined
          ? `${fields[field]} has the wrong length.`
          : `${fields[field]} has ${charactersWords(found)}; wanted: ${orWords(wanted)}.`;
      case 'not-read':
        return `${fields[field]} still has gaps (_).`;
      case 'characters':
      default:
        return `${fields[field]} has characters that it cannot have.`;
    }
  });
}

/** Whether a whole state is typed, in its field or in the line, that no list has. */
export function isUnlisted({ issuingState }: Draft, { stateListed, problems, ready }: EntryCheck): boolean {
  const isWhole = ready || (issuingState.trim() !== '' && problems.every(({ field }) => field !== 'state'));
  return isWhole && !stateListed;
}

/** What to do where a check digit does not hold, beside the button; undefined where none fails. */
export function cautionWords({ parts, ready }: EntryCheck): string | undefined {
  const failing = parts.filter(({ holds }) => holds === false).length;
  // What cannot be searched yet has other words.
  if (failing === 0 || !ready) return undefined;
  const words = failing === 1 ? 'A check digit does not hold.' : `${failing} check digits do not hold.`;
  return `${words} Compare with the document; it is searched all the same.`;
}

/** How many characters of the number or the line are typed, and how many there should be. */
export function countWords({ kind, documentNumber, line }: Draft, check: EntryCheck | undefined): string {
  if (kind === 'number')
    return documentNumber === '' ? '' : charactersWords(documentNumber.replace(/\s/g, '').length);
  const text = line.replace(/\s/g, '');
  const typed = text.replaceAll('_', '').length;
  const wanted = check?.problems.find(
    ({ field, problem }) => field === 'line' && problem === 'length',
  )?.wanted;
  if (wanted !== undefined) return `${typed} of ${orWords(wanted)} characters`;
  if (typed < text.length) return `${typed} of ${text.length} characters`;
  return typed === 0 ? '44 characters, or 36 or 30 on cards and small visas' : charactersWords(typed);
}

/** `30, 36 or 44`. */
function orWords(numbers: readonly number[]): string {
  const last = numbers.slice(-1).join('');
  return numbers.length < 2 ? last : `${numbers.slice(0, -1).join(', ')} or ${last}`;
}

function charactersWords(count: number): string {
  return count === 1 ? '1 character' : `${count} characters`;
}

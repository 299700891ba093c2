import type { DocumentWarning, UnreadableReason, UnreadableSpot } from '#contracts/documents.ts';
import type { ShownDocument } from '#contracts/officer.ts';
import type { UnresolvedReason } from '#contracts/verdict.ts';

/** Words for what could not be answered or read, and for what is wrong with the document itself. */

export const unresolvedReasons: Record<UnresolvedReason, { why: string; todo: string }> = {
  'no-basis': {
    why: 'The centre is out of reach and there is no offline copy.',
    todo: 'Ask the bureau by telephone, or check the document another way.',
  },
  'edition-too-old': {
    why: 'The centre is out of reach and the offline copy is too old to be relied on.',
    todo: 'Ask the bureau by telephone, and tell it that the copy is old.',
  },
  'edition-damaged': {
    why: 'The centre is out of reach and part of the offline copy is damaged.',
    todo: 'Ask the bureau by telephone, and tell it that the copy is damaged.',
  },
  'clock-unverified': {
    why: 'The clock was not verified since power-on, so nobody knows how old the offline copy is.',
    todo: 'Ask the bureau by telephone. The clock verifies itself when the centre is reached.',
  },
  'central-stale': {
    why: 'The centre answered from a collection that is too old or incomplete.',
    todo: 'Ask the bureau by telephone, and tell it that the centre is behind.',
  },
  'not-recorded': {
    why: 'The answer could not be recorded on this terminal, so it is not shown.',
    todo: 'Note the document on paper and call the bureau: the disk of the terminal fails or is full.',
  },
  'not-searchable': {
    why: 'The document has no number or state that can be searched.',
    todo: 'Check the document by hand, and ask the bureau.',
  },
  'number-doubtful': {
    why: 'Nothing is recorded under this number, but a check digit does not hold: it may be misread.',
    todo: 'Compare it with the document character by character. Swipe again, or type the number.',
  },
};

export const unreadableReasons: Record<UnreadableReason, string> = {
  empty: 'The reader saw no text.',
  'line-count': 'A line is missing or there is one too many.',
  'line-length': 'A line is too short or too long.',
  characters: 'There are characters that no passport has.',
  'not-read': 'The reader could not make out some characters.',
  'document-code': 'This is not a passport, identity card or visa.',
  'number-missing': 'The document number is missing.',
  damaged: 'What the reader sent was damaged on its way. Swipe again; if it happens often, check its cable.',
};

/** What is said of a spot, of one character and of several. */
const spotVerbs: Record<UnreadableReason, readonly [string, string] | undefined> = {
  empty: undefined,
  damaged: undefined,
  'line-count': ['is missing', 'are missing'],
  'line-length': ['is missing', 'are missing'],
  characters: ['is not one that a passport has', 'are not ones that a passport has'],
  'not-read': ['could not be read', 'could not be read'],
  'document-code': ['is wrong', 'are wrong'],
  'number-missing': ['is empty', 'are empty'],
};

/** Where a whole line ends, in any format. */
const lineEnds = [30, 36, 44];

/** Where reading failed, in words: "Line 2: characters 18 to 44 are missing." */
export function spotWords(reason: UnreadableReason, { line, from, to }: UnreadableSpot): string {
  const isLength = reason === 'line-count' || reason === 'line-length';
  if (isLength && from === 1 && lineEnds.includes(to)) return `Line ${line} is missing.`;
  // What is missing reaches to the end of a line; what ends elsewhere stands behind it.
  const verbs = isLength && !lineEnds.includes(to) ? tooMany : spotVerbs[reason];
  const [one, several] = verbs ?? ['', ''];
  const where = from === to ? `character ${from} ${one}` : `characters ${from} to ${to} ${several}`;
  return `Line ${line}: ${where.trim()}.`;
}
const tooMany = ['is too many', 'are too many'] as const;

const warningWords: Record<DocumentWarning, string> = {
  expired: 'Expired',
  specimen: 'Specimen document',
  'number-check-digit': 'Check digit of the number is wrong',
  'birth-check-digit': 'Check digit of the birth date is wrong',
  'expiry-check-digit': 'Check digit of the expiry date is wrong',
  'optional-check-digit': 'Check digit of the optional data is wrong',
  'composite-check-digit': 'Check digit of the whole is wrong',
  'birth-date-impossible': 'Birth date does not exist',
  'expiry-date-impossible': 'Expiry date does not exist',
  'expiry-implausible': 'Expiry date is too far ahead',
  'birth-after-expiry': 'Born after it expires',
  'state-unlisted': 'Issuing state is not in the list of states',
  repaired: 'Characters put right',
  'maybe-cut': 'May be a part of longer lines',
};

/** A warning in words, with how many characters were put right where the document says it. */
export function warningOf(warning: DocumentWarning, document: ShownDocument | null): string {
  const { repairs } = document ?? {};
  const words = warningWords[warning];
  return warning === 'repaired' && repairs !== undefined ? `${words}: ${repairs}` : words;
}

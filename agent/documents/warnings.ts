import type { DocumentFormat, DocumentWarning, TravelDocument } from '#contracts/documents.ts';
import type { CalendarDay, DateReading } from './dates.ts';
import { isListedState } from './states.ts';

/**
 * For how many years from today a document of each format can still be valid. More than that is a misread date or an
 * odd document; a warning only.
 */
const longestValidity: Readonly<Record<DocumentFormat, number>> = {
  // Most passports are issued for ten years, a few for more; some months that were left of the old one may be added.
  TD3: 15,
  // Visas and the stickers of residence permits end with the passport that they are in, or not long after it.
  'MRV-A': 15,
  'MRV-B': 15,
  // Cards: ten years as a rule, but thirty and more for elderly holders of some states.
  TD1: 35,
  TD2: 35,
  // These have no date of expiry.
  'FRA-ID': 0,
  typed: 0,
};

/**
 * What is odd about the document itself, apart from what any collection says of it.
 *
 * @param maybeCut its lines may be parts of longer ones
 */
export function warningsOf(
  document: TravelDocument,
  birth: DateReading,
  expiry: DateReading,
  maybeCut: boolean,
  today: CalendarDay,
): DocumentWarning[] {
  const { checks, issuingState, repairs } = document;
  const found: Record<DocumentWarning, boolean> = {
    expired: expiry.past,
    specimen: isSpecimen(document),
    'number-check-digit': checks.number === false,
    'birth-check-digit': checks.birth === false,
    'expiry-check-digit': checks.expiry === false,
    'optional-check-digit': checks.optional === false,
    'composite-check-digit': checks.composite === false,
    'birth-date-impossible': birth.impossible,
    'expiry-date-impossible': expiry.impossible,
    'expiry-implausible': isTooFar(document, today),
    'birth-after-expiry': isAfter(birth.date.iso, expiry.date.iso),
    'state-unlisted': !isListedState(issuingState),
    repaired: repairs.length > 0,
    'maybe-cut': maybeCut,
  };
  return (Object.keys(found) as DocumentWarning[]).filter((warning) => found[warning]);
}

function isTooFar({ format, expiry }: TravelDocument, { year, month, day }: CalendarDay): boolean {
  const last = year + longestValidity[format];
  const two = (value: number): string => String(value).padStart(2, '0');
  return isAfter(expiry.iso, `${last}-${two(month)}-${two(day)}`);
}

/** ISO days sort as text. */
function isAfter(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one > other;
}

/**
 * Specimens: of the standard's own state, or with the word where states put it on theirs, in the number (SPECI2021,
 * SPECIMEN1) or as the name.
 */
function isSpecimen({ issuingState, nationality, documentNumber, names }: TravelDocument): boolean {
  return (
    issuingState === 'UTO' ||
    nationality === 'UTO' ||
    documentNumber.startsWith('SPECI') ||
    names.primary === 'SPECIMEN'
  );
}

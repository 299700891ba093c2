import type { DocumentWarning, TravelDocument } from '#contracts/documents.ts';
import type { DateReading } from './dates.ts';
import { isListedState } from './states.ts';

/** What is odd about the document itself, apart from what any collection says of it. */
export function warningsOf(
  document: TravelDocument,
  birth: DateReading,
  expiry: DateReading,
): DocumentWarning[] {
  const { checks, issuingState } = document;
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
    'state-unlisted': !isListedState(issuingState),
  };
  return (Object.keys(found) as DocumentWarning[]).filter((warning) => found[warning]);
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

import type { CheckDigits } from '#contracts/documents.ts';
import { cut, type Layout, type Span } from './layouts.ts';

/**
 * Whether the second line of a passport or a visa of 44 characters is here, of which eight are missing: with the same
 * number missing in the first line they look like a card's or a smaller visa's 36, with a wrong number. Where the gap
 * is before the ninth character, and only there does it spoil the number, the end of the birth, its check digit and the
 * sex stand in the columns of the nationality: two digits and one of M, F, X and the filler. No code of a state looks
 * so, unless two of its letters were misread.
 */
export function isCutLongLine(lines: readonly string[], { length, nationality }: Layout): boolean {
  return length === 36 && nationality !== undefined && /^\d\d[MFX<]$/.test(cut(lines, nationality));
}

/**
 * Whether two lines of 36 may be parts of longer ones, although that cannot be seen: a check digit behind the number
 * does not hold. A filler for a digit is none of that where the birth is unknown (ICAO Doc 9303 part 3 § 4.8). Where the
 * expiry seems to be, the composite digit has to hold as well: the empty end of a longer line looks the same.
 */
export function mayBeCut(lines: readonly string[], layout: Layout, checks: CheckDigits): boolean {
  if (layout.length !== 36) return false;
  const { birth, birthDigit, expiry, expiryDigit } = layout;
  const isUnknown = (date: Span | undefined, digit: Span | undefined): boolean =>
    date !== undefined && digit !== undefined && /^<+$/.test(cut(lines, date) + cut(lines, digit));
  if (checks.birth === false && !isUnknown(birth, birthDigit)) return true;
  if (checks.composite === false) return true;
  return checks.expiry === false && !(isUnknown(expiry, expiryDigit) && checks.composite === true);
}

import type { CheckDigits, DocumentWarning, TravelDocument } from '#contracts/documents.ts';
import { checkDigit, holds } from './check-digits.ts';
import { mayBeCut } from './cut-lines.ts';
import { type CalendarDay, type DateReading, noDate, readDate } from './dates.ts';
import { cut, type Layout, type Span } from './layouts.ts';
import { lacking, type NumberReading, readNumber, withoutTail } from './number.ts';
import { repaired } from './repair.ts';
import { doubtfulOf, variantsOf } from './variants.ts';
import { warningsOf } from './warnings.ts';

/**
 * What whole lines say.
 *
 * @param asRead lines without flaw; a line that this layout needs nothing of may be absent
 * @param today decides centuries and what has expired
 */
export function documentOf(
  asRead: readonly string[],
  layout: Layout,
  today: CalendarDay,
): {
  readonly kind: 'document';
  readonly document: TravelDocument;
  readonly warnings: readonly DocumentWarning[];
} {
  const { lines, repairs } = repaired(asRead, layout);
  const number = readNumber(lines, layout);
  const birth = dateOf(lines, asRead, layout.birth, 'birth', today);
  const expiry = dateOf(lines, asRead, layout.expiry, 'expiry', today);
  const composite = compositeOf(lines, layout);
  const variants = variantsOf(number, composite);
  const document: TravelDocument = {
    format: layout.format,
    documentCode: withoutTail(cut(lines, layout.code)),
    issuingState: withoutTail(cut(lines, layout.state)),
    documentNumber: number.number,
    variants,
    doubtful: doubtfulOf(number, variants),
    repairs,
    names: namesOf(lines, layout),
    nationality: layout.nationality === undefined ? '' : withoutTail(cut(lines, layout.nationality)),
    sex: layout.sex === undefined ? 'unspecified' : sexOf(cut(lines, layout.sex)),
    birth: birth.date,
    expiry: expiry.date,
    optional: optionalOf(lines, layout, number),
    checks: checksOf(lines, layout, number, composite),
  };
  const maybeCut = mayBeCut(lines, layout, document.checks);
  return { kind: 'document', document, warnings: warningsOf(document, birth, expiry, maybeCut, today) };
}

function dateOf(
  lines: readonly string[],
  asRead: readonly string[],
  span: Span | undefined,
  kind: 'birth' | 'expiry',
  today: CalendarDay,
): DateReading {
  return span === undefined ? noDate : readDate(cut(lines, span), cut(asRead, span), kind, today);
}

/** What the composite digit's sum lacks, modulo 10; undefined where there is no such digit. */
function compositeOf(lines: readonly string[], { composite }: Layout): number | undefined {
  if (composite === undefined) return undefined;
  const covered = composite.covers.map((span) => cut(lines, span)).join('');
  return lacking(checkDigit(covered), cut(lines, composite.digit));
}

function checksOf(
  lines: readonly string[],
  layout: Layout,
  number: NumberReading,
  composite: number | undefined,
): CheckDigits {
  const { birth, birthDigit, expiry, expiryDigit, optional, optionalDigit } = layout;
  const check = (field: Span, digit: Span): boolean => holds(cut(lines, field), cut(lines, digit));
  const checks: { -readonly [key in keyof CheckDigits]: boolean } = {
    number: number.holds,
  };
  if (birth !== undefined && birthDigit !== undefined) checks.birth = check(birth, birthDigit);
  if (expiry !== undefined && expiryDigit !== undefined) checks.expiry = check(expiry, expiryDigit);
  const [personal] = optional;
  if (personal !== undefined && optionalDigit !== undefined) {
    // Where there is no optional data, its digit may be a filler: part 4 § 4.2.2.2.
    const bare = /^<+$/.test(cut(lines, personal)) && cut(lines, optionalDigit) === '<';
    checks.optional = bare || check(personal, optionalDigit);
  }
  if (layout.composite !== undefined) checks.composite = composite === 0;
  return checks;
}

/** Each field of optional data without the fillers at its end; `''` where it is empty or all of it is the number's. */
function optionalOf(lines: readonly string[], layout: Layout, number: NumberReading): string[] {
  return layout.optional.map((span, at) =>
    at === 0 && number.rest !== undefined ? number.rest : withoutTail(cut(lines, span)),
  );
}

/**
 * Names as printed: fillers are blanks, `<<` divides the primary from the secondary identifier, and a holder may have
 * a primary one only. Apostrophes are left out in the zone, hyphens are fillers (ICAO Doc 9303 part 3 § 4.6).
 *
 * Names that do not fit are shortened so that a letter stands in the last place of their field; names that just fit
 * end there as well. A letter there therefore says that some of them may be missing (part 4 § 4.2.3; parts 5 to 7 have
 * the same rule for their fields). Each field of the old French card is looked at for itself.
 */
function namesOf(lines: readonly string[], { names: [first, second] }: Layout): TravelDocument['names'] {
  if (first === undefined) return { primary: '', secondary: '', truncated: false };
  const asWords = (text: string): string => text.replace(/<+/g, ' ').trim();
  const whole = cut(lines, first);
  if (second !== undefined) {
    const given = cut(lines, second);
    const truncated = isFull(whole) || isFull(given);
    return { primary: asWords(whole), secondary: asWords(given), truncated };
  }
  const truncated = isFull(whole);
  const divide = whole.indexOf('<<');
  if (divide < 0) return { primary: asWords(whole), secondary: '', truncated };
  return { primary: asWords(whole.slice(0, divide)), secondary: asWords(whole.slice(divide)), truncated };
}

/** Whether names go on to the last place of their field; one that was not read does not tell. */
function isFull(field: string): boolean {
  return /[A-Z]$/.test(field);
}

function sexOf(text: string): TravelDocument['sex'] {
  return text === 'M' || text === 'F' || text === 'X' ? text : 'unspecified';
}

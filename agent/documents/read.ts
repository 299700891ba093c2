import type { CheckDigits, Reading, TravelDocument } from '#contracts/documents.ts';
import { checkDigit, holds } from './check-digits.ts';
import { type CalendarDay, type DateReading, readDate } from './dates.ts';
import { type Flaw, linesOf, spotsOf } from './frame-text.ts';
import { cut, type Layout, layoutOf, type Span } from './layouts.ts';
import { lacking, type NumberReading, readNumber, withoutTail } from './number.ts';
import { repaired } from './repair.ts';
import { variantsOf } from './variants.ts';
import { warningsOf } from './warnings.ts';

/**
 * Reads the bytes of one frame as a travel document: TD1, TD2, TD3, MRV-A, MRV-B (ICAO Doc 9303 parts 3 to 7) or the
 * old French card. It never throws, whatever the bytes.
 *
 * A check digit that does not hold, an impossible date, an unknown state are warnings: the document is searched all the
 * same. Unreadable is what would be searched under a wrong key or none: lines of the wrong count or length, characters
 * that are no MRZ's, characters that the reader could not read (outside the names), no document code, no number.
 *
 * @param today decides centuries and what has expired
 */
export function readDocument(bytes: Uint8Array, today: CalendarDay): Reading {
  const lines = linesOf(bytes);
  if ('reason' in lines) return { kind: 'unreadable', ...lines };
  const layout = layoutOf(lines);
  const flaw = flawOf(lines, layout);
  return flaw === undefined ? documentOf(lines, layout, today) : { kind: 'unreadable', ...flaw };
}

/** `_`, `?` and `*` stand for a character that the reader could not read: never data. */
const notRead = '_?*';

function flawOf(lines: readonly string[], layout: Layout): Flaw | undefined {
  const foreign = spotsOf(lines, (character) => !/[A-Z0-9<]/.test(character) && !notRead.includes(character));
  if (foreign.length > 0) return { reason: 'characters', spots: foreign };
  const missing = spotsOf(
    lines,
    (character, line, column) =>
      notRead.includes(character) && !layout.dispensable.some((span) => isWithin(span, line, column)),
  );
  if (missing.length > 0) return { reason: 'not-read', spots: missing };
  const code = cut(lines, layout.code);
  // A visa has no layout of three lines (part 7 knows MRV-A and MRV-B only).
  if (!/^[A-Z][A-Z<]$/.test(code) || (layout.format === 'TD1' && code.startsWith('V'))) {
    return { reason: 'document-code', spots: [layout.code] };
  }
  // A digit can only be a misread letter, but which? A wrong state is a wrong key.
  const inState = spotsOf(
    lines,
    (character, line, column) => /\d/.test(character) && isWithin(layout.state, line, column),
  );
  if (inState.length > 0) return { reason: 'characters', spots: inState };
  if (/^<*$/.test(cut(lines, layout.number))) return { reason: 'number-missing', spots: [layout.number] };
  return undefined;
}

function isWithin(span: Span, line: number, column: number): boolean {
  return span.line === line && column >= span.from && column <= span.to;
}

function documentOf(asRead: readonly string[], layout: Layout, today: CalendarDay): Reading {
  const lines = repaired(asRead, layout);
  const number = readNumber(lines, layout);
  const birth = readDate(cut(lines, layout.birth), cut(asRead, layout.birth), 'birth', today);
  const expiry: DateReading =
    layout.expiry === undefined
      ? { date: { raw: '' }, impossible: false, past: false }
      : readDate(cut(lines, layout.expiry), cut(asRead, layout.expiry), 'expiry', today);
  const composite = compositeOf(lines, layout);
  const document: TravelDocument = {
    format: layout.format,
    documentCode: withoutTail(cut(lines, layout.code)),
    issuingState: withoutTail(cut(lines, layout.state)),
    documentNumber: number.number,
    variants: variantsOf(number, composite),
    names: namesOf(lines, layout),
    nationality: layout.nationality === undefined ? '' : withoutTail(cut(lines, layout.nationality)),
    sex: sexOf(cut(lines, layout.sex)),
    birth: birth.date,
    expiry: expiry.date,
    optional: optionalOf(lines, layout, number),
    checks: checksOf(lines, layout, number, composite),
  };
  return { kind: 'document', document, warnings: warningsOf(document, birth, expiry) };
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
    birth: check(birth, birthDigit),
  };
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

/** Names as printed: fillers are blanks, `<<` divides the primary from the secondary identifier (part 3 § 4.6). */
function namesOf(lines: readonly string[], { names: [first, second] }: Layout): TravelDocument['names'] {
  const asWords = (text: string): string => text.replace(/<+/g, ' ').trim();
  const whole = cut(lines, first);
  if (second !== undefined) return { primary: asWords(whole), secondary: asWords(cut(lines, second)) };
  const divide = whole.indexOf('<<');
  if (divide < 0) return { primary: asWords(whole), secondary: '' };
  return { primary: asWords(whole.slice(0, divide)), secondary: asWords(whole.slice(divide)) };
}

function sexOf(text: string): TravelDocument['sex'] {
  return text === 'M' || text === 'F' || text === 'X' ? text : 'unspecified';
}

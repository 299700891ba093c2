import { type Layout, layouts, type Span } from './layouts.ts';

/**
 * Which characters may stand in each column of each line, as one letter a column: `A` letters and fillers, `N` digits
 * and fillers, `D` digits only, `X` any. What the standard allows (ICAO Doc 9303 part 3 § 4.3), so that a line can be
 * told from another one, and a line that begins too late from one that ends too early.
 */
export type Shape = string;

/** The shapes of a layout's lines. */
export function shapesOf(layout: Layout): readonly Shape[] {
  return known.get(layout.format) ?? drawn(layout);
}

const known = new Map(layouts.map((layout) => [layout.format, drawn(layout)]));

function drawn(layout: Layout): readonly Shape[] {
  const columns = Array.from({ length: layout.lines }, () =>
    Array.from({ length: layout.length }, () => 'X'),
  );
  const put = (span: Span | undefined, kind: string): void => {
    if (span !== undefined) columns[span.line - 1]?.fill(kind, span.from - 1, span.to);
  };
  const { code, state, names, nationality, sex, birth, expiry, composite } = layout;
  for (const span of [code, state, nationality, sex, ...names]) put(span, 'A');
  for (const span of [birth, expiry]) put(span, 'N');
  for (const span of [layout.numberDigit, layout.birthDigit, layout.expiryDigit, layout.optionalDigit])
    put(span, 'N');
  put(composite?.digit, 'D');
  return columns.map((kinds) => kinds.join(''));
}

/** Whether a character may stand in a column of this kind; one that was not read may stand anywhere. */
export function mayStand(character: string, kind: string): boolean {
  if (kind === 'X' || !isRead(character)) return true;
  if (kind === 'A') return character === '<' || (character >= 'A' && character <= 'Z');
  // Letters that readers take digits for do not speak against a date.
  return (
    (character >= '0' && character <= '9') ||
    'OIZSB'.includes(character) ||
    (kind === 'N' && character === '<')
  );
}

/** A to Z, 0 to 9 or the filler: everything else is no character of an MRZ. */
export function isRead(character: string): boolean {
  return (
    (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9') || character === '<'
  );
}

/** In how many columns something stands that may not. */
export function misfits(line: string, shape: Shape): number {
  let count = 0;
  for (let at = 0; at < shape.length; at++) {
    if (!mayStand(line.charAt(at), shape.charAt(at))) count += 1;
  }
  return count;
}

/** A line may have so many characters that do not belong where they stand: readers err. */
export const mostMisfits = 2;

/** A line with dates or check digits has a digit among this many characters, or it is a line of names. */
const readEnough = 12;

/** Whether this may be a line of this shape at all: one that has digits has some, where enough of it was read. */
export function hasItsDigits(line: string, shape: Shape): boolean {
  if (!/[ND]/.test(shape)) return true;
  let read = 0;
  for (const character of line) {
    if (character >= '0' && character <= '9') return true;
    if (isRead(character)) read += 1;
  }
  return read < readEnough;
}

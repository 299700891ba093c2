import type { Reading } from '#contracts/documents.ts';
import { isCutLongLine } from './cut-lines.ts';
import type { CalendarDay } from './dates.ts';
import { documentOf } from './document.ts';
import { isUsualBegin } from './evidence.ts';
import { type Flaw, linesOf, spotsOf } from './frame-text.ts';
import { cut, type Layout, type Span } from './layouts.ts';
import { partialOf } from './partial.ts';
import { hasItsDigits, misfits, shapesOf } from './shapes.ts';
import { isMistakenFrenchCard, layoutOf } from './which-layout.ts';

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
  const frame = frameOf(bytes);
  if ('reason' in frame) return { kind: 'unreadable', ...frame };
  return documentOf(frame.lines, frame.layout, today);
}

/** The lines of a frame and where their fields stand, or why it is no document. */
export function frameOf(
  bytes: Uint8Array,
): { readonly lines: readonly string[]; readonly layout: Layout } | Flaw {
  const lines = linesOf(bytes);
  if ('reason' in lines) return lines;
  const layout = layoutOf(lines);
  return flawOf(lines, layout) ?? { lines, layout };
}

/** `_`, `?` and `*` stand for a character that the reader could not read: never data. */
const notRead = '_?*';

function flawOf(lines: readonly string[], layout: Layout): Flaw | undefined {
  const foreign = spotsOf(lines, (character) => !/[A-Z0-9<]/.test(character) && !notRead.includes(character));
  if (foreign.length > 0) return { reason: 'characters', spots: foreign };
  // Nobody knows where in the lines the gap is, so nothing of them is shown.
  const isFrench = isMistakenFrenchCard(lines, layout);
  if (!isFrench && isCutLongLine(lines, layout)) return { reason: 'line-length', spots: [] };
  const missing = spotsOf(
    lines,
    (character, line, column) =>
      notRead.includes(character) && !layout.dispensable.some((span) => isWithin(span, line, column)),
  );
  if (missing.length > 0) {
    const partial = partialOf(lines, layout, true);
    return { reason: 'not-read', spots: missing, ...(partial === undefined ? {} : { partial }) };
  }
  const code = cut(lines, layout.code);
  // A visa has no layout of three lines (part 7 knows MRV-A and MRV-B only).
  if (!/^[A-Z][A-Z<]$/.test(code) || (layout.format === 'TD1' && code.startsWith('V'))) {
    return { reason: 'document-code', spots: [layout.code] };
  }
  if (isFrench) {
    return { reason: 'document-code', spots: [{ ...layout.code, to: layout.state.to }] };
  }
  if (lines[0] === lines[1] || isNumberLine(lines[0] ?? '', layout))
    return { reason: 'document-code', spots: [layout.code] };
  // A digit can only be a misread letter, but which? A wrong state is a wrong key.
  const inState = spotsOf(
    lines,
    (character, line, column) => /\d/.test(character) && isWithin(layout.state, line, column),
  );
  if (inState.length > 0) return { reason: 'characters', spots: inState };
  // Both dates and their check digits stand in a second line, so one without any digit is another one: names that were
  // sent twice, for example.
  const second = lines[1] ?? '';
  const isOther = layout.lines === 2 && !hasItsDigits(second, shapesOf(layout)[1] ?? '');
  if (isOther || /^<*$/.test(cut(lines, layout.number))) {
    return { reason: 'number-missing', spots: [layout.number] };
  }
  return undefined;
}

/**
 * Whether a second line stands where the first one belongs: a reader that sends lines twice sends two of them in one
 * frame. Its check digits would hold, and its state would be made of characters of the number. Where that is one which
 * exists only their being the same tells.
 */
function isNumberLine(first: string, layout: Layout): boolean {
  if (layout.lines !== 2 || isUsualBegin(first, layout) || !/\d.*\d.*\d.*\d/.test(first)) return false;
  const [asFirst = '', asSecond = ''] = shapesOf(layout);
  return misfits(first, asFirst) > misfits(first, asSecond);
}

function isWithin(span: Span, line: number, column: number): boolean {
  return span.line === line && column >= span.from && column <= span.to;
}

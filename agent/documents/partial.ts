import type { PartialRead } from '#contracts/documents.ts';
import { documentTypeOf } from '#contracts/search-key.ts';
import { isCutLongLine } from './cut-lines.ts';
import { cut, type Layout } from './layouts.ts';
import { withoutTail } from './number.ts';
import { hasItsDigits, isRead, misfits, mostMisfits, shapesOf } from './shapes.ts';
import { isFrenchLine } from './which-layout.ts';

/**
 * What was read of the line that holds the number. None for the old French card, in which that line has the given
 * names, and none where the line does not look like one with a number: then it may be one with names.
 *
 * @param lines all lines of the layout in their length
 * @param divided the reader's line ends divide them; otherwise a first line of full length may have grown together of
 *   what is left of it and the beginning of the second, which then lacks it
 */
export function partialOf(
  lines: readonly string[],
  layout: Layout,
  divided: boolean,
): PartialRead | undefined {
  const { line } = layout.number;
  const read = lines[line - 1] ?? '';
  const shape = shapesOf(layout)[line - 1] ?? '';
  if (layout.format === 'FRA-ID' || misfits(read, shape) > mostMisfits || !hasItsDigits(read, shape))
    return undefined;
  if (isCutLongLine(lines, layout)) return undefined;
  // It may be the old French card's after all, with given names in these columns.
  if (layout.length === 36 && isFrenchLine(read) && /[A-Z]/.test(read.slice(13, 27))) return undefined;
  // Its first line, cut to a shorter card's length, has names where that one has the number.
  if (layout.lines === 3 && read.startsWith('IDFRA') && !/\d/.test(read.slice(5, 15))) return undefined;
  const text = Array.from(read, (character) => (isRead(character) ? character : '_')).join('');
  const first = lines[0] ?? '';
  const state = cut(lines, layout.state);
  // In a line with a gap nobody knows what stands before it: a name may, or what is left of code and state.
  const isWhole = Array.from(first).every(isRead) && (divided || !text.startsWith('_'));
  const ofOtherLine = layout.state.line !== line && isWhole && /^[A-Z]{1,3}<*$/.test(state);
  return {
    line,
    text,
    ...(ofOtherLine ? { issuingState: withoutTail(state) } : {}),
    documentType: typeOf(isWhole ? cut(lines, layout.code) : '', layout),
  };
}

/** By the document code where it was read, otherwise what most documents of this layout are. */
function typeOf(code: string, { format }: Layout): PartialRead['documentType'] {
  if (/^[A-Z][A-Z<]$/.test(code)) return documentTypeOf(code);
  if (format === 'TD3') return 'passport';
  return format.startsWith('MRV') ? 'visa' : 'identity-card';
}

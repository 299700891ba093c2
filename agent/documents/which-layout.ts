import { cut, type Layout, layoutNamed } from './layouts.ts';
import { misfits, shapesOf } from './shapes.ts';

/** The layout of lines of a right count and length; a document code may still contradict it. */
export function layoutOf(lines: readonly string[]): Layout {
  const first = lines[0] ?? '';
  if (lines.length === 3) return layoutNamed('TD1');
  const visa = first.startsWith('V');
  if (first.length === 44) return layoutNamed(visa ? 'MRV-A' : 'TD3');
  if (first.startsWith('IDFRA') && isFrenchLine(lines[1] ?? '')) return layoutNamed('FRA-ID');
  return layoutNamed(visa ? 'MRV-B' : 'TD2');
}

/**
 * Whether a second line of 36 characters behind IDFRA is the old French card's and not a TD2's. It is where two of three
 * digits stand for a nationality. Otherwise what may stand in the columns of the one and of the other tells: it differs
 * in more than twenty of them, so that some misread characters do not matter. Where both fit alike, because a reader
 * could not read what tells them apart, it is one that has no nationality.
 */
export function isFrenchLine(second: string): boolean {
  const nationality = cut(['', second], { line: 2, from: 11, to: 13 });
  if (/\d.?\d/.test(nationality)) return true;
  const more = misfitsAsFrench(second) - misfits(second, shapesOf(layoutNamed('TD2'))[1] ?? '');
  return more === 0 ? !/^[A-Z<]{3}$/.test(nationality) : more < 0;
}

/**
 * Whether the second line is the old French card's although the first one begins otherwise: its code or its state was
 * misread, and read as any other document it would have a wrong number.
 */
export function isMistakenFrenchCard(lines: readonly string[], layout: Layout): boolean {
  if (layout.length !== 36 || layout.format === 'FRA-ID') return false;
  const second = lines[1] ?? '';
  return misfitsAsFrench(second) < misfits(second, shapesOf(layout)[1] ?? '');
}

function misfitsAsFrench(second: string): number {
  return misfits(second, shapesOf(layoutNamed('FRA-ID'))[1] ?? '');
}

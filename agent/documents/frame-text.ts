import type { PartialRead, UnreadableReason, UnreadableSpot } from '#contracts/documents.ts';
import { partialOf } from './partial.ts';
import { fits, joinedPiecesOf, type Pieces, piecesOf } from './pieces.ts';
import { layoutOf } from './which-layout.ts';

/** Why the lines are no document's, and where. */
export interface Flaw {
  readonly reason: UnreadableReason;
  readonly spots: readonly UnreadableSpot[];
  readonly partial?: PartialRead;
}

/** No reader wraps the 92 bytes of the longest zone in more than this; whatever is longer is noise. */
const longestFrame = 1024;
const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
/** ASCII's SUBSTITUTE: drivers put it where characters are lost. */
const SUB = 0x1a;
/** Stands for any other control character until it is known whether it is around a line or inside it. */
const control = '\0';

/**
 * The lines of a frame: two of 44 or 36 characters or three of 30, letters in upper case. Line ends may be CR, LF or
 * both, or be missing altogether; control characters (STX, ETX, NUL, the brackets of the framings) and blanks around a
 * line go. Inside a line a control character stands for one that was not read, `_`: noise on the line makes them of any
 * character. SUBSTITUTE does so everywhere. Which other characters stand in the lines is not looked at.
 */
export function linesOf(bytes: Uint8Array): readonly string[] | Flaw {
  if (bytes.length > longestFrame) return { reason: 'line-length', spots: [] };
  const lines = divide(bytes);
  const [only, more] = lines;
  if (only === undefined) return { reason: 'empty', spots: [] };
  return more === undefined ? unjoin(only) : (wrongShape(lines) ?? lines);
}

function divide(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  let line = '';
  const end = (): void => {
    const trimmed = withoutBlanks(withoutEnds(line).replaceAll(control, '_'));
    if (trimmed !== '') lines.push(trimmed);
    line = '';
  };
  for (const byte of bytes) {
    if (byte === CR || byte === LF) end();
    else if (byte === TAB) line += ' ';
    else if (byte === SUB) line += '_';
    else if (byte < 0x20 || byte === 0x7f) line += control;
    else line += String.fromCharCode(isLower(byte) ? byte - 0x20 : byte);
  }
  end();
  return lines;
}

function isLower(byte: number): boolean {
  return byte >= 0x61 && byte <= 0x7a;
}

/** Without the blanks and control characters around a line. */
function withoutEnds(line: string): string {
  const isAround = (at: number): boolean => line.charAt(at) === control || line.charAt(at).trim() === '';
  let from = 0;
  let to = line.length;
  while (from < to && isAround(from)) from += 1;
  while (to > from && isAround(to - 1)) to -= 1;
  return line.slice(from, to);
}

/** A blank inside a line goes, unless it stands in the place of a character that is missing. */
function withoutBlanks(line: string): string {
  return isLineLength(line.length) ? line : line.replaceAll(' ', '');
}

function isLineLength(length: number): boolean {
  return length === 30 || length === 36 || length === 44;
}

/** A reader that sends no line ends, or a lone line: the length alone says where the line ends were. */
function unjoin(joined: string): readonly string[] | Flaw {
  const length = { 72: 36, 88: 44, 90: 30 }[joined.length];
  if (length === undefined) return flawOf('line-count', joinedPiecesOf(joined));
  const lines: string[] = [];
  for (let from = 0; from < joined.length; from += length) lines.push(joined.slice(from, from + length));
  if (fits(lines, layoutOf(lines))) return lines;
  // A longer document that was cut may have the length of a shorter one: its number would be a wrong one.
  const pieces = joinedPiecesOf(joined);
  return pieces === undefined ? lines : flawOf('line-count', pieces);
}

function wrongShape(lines: readonly string[]): Flaw | undefined {
  if (lines.length > 3) return { reason: 'line-count', spots: [] };
  const lengths = lines.map((line) => line.length);
  const alike = lengths.every((length) => length === lengths[0]) && isLineLength(lengths[0] ?? 0);
  const wanted = lines.length === 3 ? 30 : Math.max(...lengths) > 40 ? 44 : 36;
  if (alike && lengths[0] === wanted) return undefined;
  const reason = alike ? 'line-count' : 'line-length';
  const pieces = piecesOf(lines);
  if (pieces !== undefined || alike) return flawOf(reason, pieces);
  return {
    reason,
    spots: lengths.flatMap((length, at) => {
      if (length === wanted) return [];
      return [{ line: at + 1, from: Math.min(length, wanted) + 1, to: Math.max(length, wanted) }];
    }),
  };
}

function flawOf(reason: UnreadableReason, pieces: Pieces | undefined): Flaw {
  if (pieces === undefined) return { reason, spots: [] };
  const partial = partialOf(pieces.lines, pieces.layout, pieces.divided);
  return { reason, spots: pieces.spots, ...(partial === undefined ? {} : { partial }) };
}

/** Where characters fulfil the test, neighbours joined. */
export function spotsOf(
  lines: readonly string[],
  test: (character: string, line: number, column: number) => boolean,
): UnreadableSpot[] {
  const spots: UnreadableSpot[] = [];
  lines.forEach((text, at) => {
    let from = 0;
    for (let column = 1; column <= text.length + 1; column++) {
      const found = column <= text.length && test(text.charAt(column - 1), at + 1, column);
      if (found && from === 0) from = column;
      if (found || from === 0) continue;
      spots.push({ line: at + 1, from, to: column - 1 });
      from = 0;
    }
  });
  return spots;
}

import type { UnreadableSpot } from '#contracts/documents.ts';
import { evidenceOf, isUsualBegin, isUsualCode } from './evidence.ts';
import { type Layout, layouts } from './layouts.ts';
import { hasItsDigits, mayStand, misfits, mostMisfits, type Shape, shapesOf } from './shapes.ts';

/** A document of which not everything came. */
export interface Pieces {
  readonly layout: Layout;
  /** All lines in their length; `_` stands for what is missing. */
  readonly lines: readonly string[];
  /** What is missing. */
  readonly spots: readonly UnreadableSpot[];
  /** The reader's line ends divide the lines, so that what has a line's length is one. */
  readonly divided: boolean;
}

interface Candidate extends Pieces {
  readonly score: number;
}

/** Fewer characters than this may be a piece of anything. */
const tooFew = 10;

/**
 * What document these lines are pieces of: which of its lines they are and where in them they stand, told by what may
 * stand where (ICAO Doc 9303 part 3 § 4.3) and by the lengths of those that are whole. Undefined where they may be
 * pieces of several and those lack different columns.
 */
export function piecesOf(lines: readonly string[]): Pieces | undefined {
  const read = lines.reduce((sum, line) => sum + line.length, 0);
  if (lines.length > 3 || read < tooFew) return undefined;
  return best(layouts.flatMap((layout) => candidatesOf(lines, layout, lines.length > 1)));
}

/** The same for lines that came without line ends. */
export function joinedPiecesOf(joined: string): Pieces | undefined {
  if (joined.length > 90) return undefined;
  const isLine = layouts.some(({ length }) => length === joined.length);
  const divided = layouts.flatMap((layout) =>
    joined.length > layout.length && !isLine
      ? candidatesOf(chunks(joined, layout.length), layout, false)
      : [],
  );
  return best([...divided, ...layouts.flatMap((layout) => candidatesOf([joined], layout, false))]);
}

/** Whether these whole lines may be a document as they stand, at least as far as a reader's errors let it be seen. */
export function fits(lines: readonly string[], layout: Layout): boolean {
  return shapesOf(layout).every((shape, at) => misfits(lines[at] ?? '', shape) <= mostMisfits);
}

function chunks(text: string, length: number): string[] {
  return Array.from({ length: Math.ceil(text.length / length) }, (_, at) =>
    text.slice(at * length, (at + 1) * length),
  );
}

/** The one with the highest score, if those that share it agree about what is missing. */
function best(candidates: readonly Candidate[]): Pieces | undefined {
  const highest = Math.max(...candidates.map(({ score }) => score));
  const [first, ...others] = candidates.filter(({ score }) => score === highest);
  if (first === undefined) return undefined;
  const wanted = JSON.stringify(first.spots);
  return others.every(({ spots }) => JSON.stringify(spots) === wanted) ? first : undefined;
}

/**
 * @param divided the reader's line ends divide the lines; otherwise they may be parts of two lines grown together, such
 *   as names with the end of the next line
 */
function candidatesOf(lines: readonly string[], layout: Layout, divided: boolean): Candidate[] {
  if (lines.length > layout.lines) return [];
  const places = placesOf(lines.length, layout.lines);
  return places.flatMap((where) => candidateOf(lines, where, layout, divided) ?? []);
}

/** Ways in which so many lines may be lines of a document, in their order, counted from 0. */
function placesOf(count: number, of: number): readonly (readonly number[])[] {
  if (count === of) return [Array.from({ length: of }, (_, at) => at)];
  if (count === 1) return Array.from({ length: of }, (_, at) => [at]);
  return [
    [0, 1],
    [1, 2],
    [0, 2],
  ];
}

function candidateOf(
  lines: readonly string[],
  places: readonly number[],
  layout: Layout,
  divided: boolean,
): Candidate | undefined {
  const [only = '', ...others] = lines;
  const isAlone = !divided && others.length === 0;
  // It begins as first lines do: it is one, or one that the end of the next has grown to, with names in it.
  if (isAlone && places[0] !== 0 && layouts.some((one) => isUsualBegin(only, one))) return undefined;
  const shapes = shapesOf(layout);
  const whole = shapes.map(() => '_'.repeat(layout.length));
  const spots: UnreadableSpot[] = [];
  let score = 0;
  for (const [place, shape] of shapes.entries()) {
    const at = places.indexOf(place);
    const line = lines[at] ?? '';
    const placed = at < 0 ? absent(shape) : placeIn(line, shape, place + 1, layout);
    if (placed === undefined || (at >= 0 && !divided && !isProven(line, shape, placed, lines.length)))
      return undefined;
    // A card's first line without its second may be a TD2's, or have names behind it: where the number is, or goes on.
    const isLess = isAlone ? placed.missing !== undefined : !divided && !places.includes(1);
    const mayBeNames = place === 0 && isLess && /A.*X/.test(shape);
    if (!mayBeNames) whole[place] = placed.text;
    score += placed.score;
    if (placed.missing !== undefined) spots.push({ line: place + 1, ...placed.missing });
  }
  const begin = beginOf(whole[0] ?? '', layout);
  if (begin === undefined) return undefined;
  const isLine = isAlone && only.length === layout.length;
  return { layout, lines: whole, spots, divided: divided || isLine, score: score + begin };
}

/** Whether something in a line says what it is. One of names has nothing that could: alone, it must be whole. */
function isProven(line: string, shape: Shape, { evidence }: Placed, count: number): boolean {
  return evidence > 0 || (!/[ND]/.test(shape) && (count > 1 || line.length === shape.length));
}

interface Placed {
  readonly text: string;
  readonly missing?: { readonly from: number; readonly to: number };
  readonly evidence: number;
  readonly score: number;
}

function absent(shape: Shape): Placed {
  return { text: '_'.repeat(shape.length), missing: { from: 1, to: shape.length }, evidence: 0, score: 0 };
}

/**
 * Where in a line what was read of it stands: what may stand in the columns tells, and where both its beginning and its
 * end may be missing, check digits, code and state. Where they say nothing, a part of the line that holds the number
 * counts as not read, since it would give a wrong number; of other lines it is the end that is missing as a rule.
 */
function placeIn(line: string, shape: Shape, number: number, layout: Layout): Placed | undefined {
  const { length } = shape;
  if (line.length > length || !hasItsDigits(line, shape)) return undefined;
  if (line.length === length) {
    const wrong = misfits(line, shape);
    if (wrong > mostMisfits) return undefined;
    return { text: line, evidence: evidenceOf(line, number, layout), score: 8 - 3 * wrong };
  }
  const { head, tail } = fitting(line, shape);
  const put = (end: number, begin: number, score: number): Placed => {
    const last = line.slice(begin);
    const text = line.slice(0, end).padEnd(length - last.length, '_') + last;
    const evidence = evidenceOf(text, number, layout);
    return { text, missing: { from: end + 1, to: length - last.length }, evidence, score: score + evidence };
  };
  const holdsNumber = number === layout.number.line;
  const sound = (found: Placed): Placed => (holdsNumber ? withSoundNumber(found, shape, layout) : found);
  // Neither its end nor its beginning alone: a part inside, and what fits on both sides of it may belong to either.
  if (head < line.length && tail < line.length) {
    return head + tail < line.length ? undefined : sound(put(line.length - tail, head, 0));
  }
  if (tail < line.length) return sound(put(line.length, line.length, 2));
  const atTail = put(0, 0, 0);
  if (head < line.length) return sound(atTail);
  const atHead = put(line.length, line.length, 2);
  if (holdsNumber && atHead.evidence === atTail.evidence) return absent(shape);
  return sound(atTail.evidence > atHead.evidence ? atTail : atHead);
}

/**
 * A line without what would give a wrong number: all of it where the check digit does not hold, since characters are
 * missing inside then, and all of the number where the gap is somewhere in it, since any of it may be before the gap.
 */
function withSoundNumber(found: Placed, shape: Shape, layout: Layout): Placed {
  const { text, missing, evidence } = found;
  const { number, numberDigit } = layout;
  if (evidence < 0 || (missing !== undefined && mayStandLate(text, layout))) return absent(shape);
  if (missing === undefined || missing.to === shape.length) return found;
  if (missing.to < number.from || missing.from > numberDigit.to) return found;
  const wide = { from: Math.min(missing.from, number.from), to: Math.max(missing.to, numberDigit.to) };
  const gap = '_'.repeat(wide.to - wide.from + 1);
  return { ...found, text: text.slice(0, wide.from - 1) + gap + text.slice(wide.to), missing: wide };
}

/**
 * Whether the gap of a line with code and number may be before the number: it does not begin with a code, or a filler
 * stands where the number's check digit would prove the number's place.
 */
function mayStandLate(text: string, layout: Layout): boolean {
  if (layout.code.line !== layout.number.line) return false;
  return !isUsualCode(text, layout) || text.charAt(layout.numberDigit.from - 1) === '<';
}

/** How many characters from the beginning may stand there, and how many from the end at the end. */
function fitting(line: string, shape: Shape): { readonly head: number; readonly tail: number } {
  let head = 0;
  while (head < line.length && mayStand(line.charAt(head), shape.charAt(head))) head += 1;
  const fromEnd = (text: string): string => text.charAt(text.length - 1 - tail);
  let tail = 0;
  while (tail < line.length && mayStand(fromEnd(line), fromEnd(shape))) tail += 1;
  return { head, tail };
}

/** How well the first line begins: undefined where this layout cannot begin so. */
function beginOf(first: string, layout: Layout): number | undefined {
  if (first.startsWith('_')) return 0;
  const isVisa = first.startsWith('V');
  if (!/^[A-Z][A-Z<_][A-Z<_]{3}/.test(first) || isVisa !== layout.format.startsWith('MRV')) return undefined;
  if (layout.format === 'FRA-ID' && !'IDFRA'.startsWith(first.slice(0, 5).replace(/_.*/, '')))
    return undefined;
  if (!isUsualCode(first, layout)) return 0;
  return isUsualBegin(first, layout) ? 8 : 4;
}

import type { Repair } from '#contracts/documents.ts';
import { checkDigit, holds } from './check-digits.ts';
import { cut, type Layout, type Span } from './layouts.ts';

/** Letters that readers take digits for. */
const digitFor: Readonly<Record<string, string>> = { O: '0', I: '1', Z: '2', S: '5', B: '8' };

/** The lines after repair, and each character of them that is not as it was read. */
export interface Repaired {
  readonly lines: readonly string[];
  readonly repairs: readonly Repair[];
}

/**
 * The lines with letters in dates and in the places of check digits turned into the digits that they must have been.
 *
 * Two things together prove a repair: only a digit or a filler may stand there (ICAO Doc 9303 parts 4 to 7), so that
 * the letter is wrong whatever was printed, and with the digit that it looks like the check digit holds. The first
 * alone says that something was misread, not what. A letter in the place of a check digit that would not hold either
 * is therefore left: nobody knows then which of the characters is wrong.
 *
 * Left alone as well: the document number and the optional data, where letters and digits are both at home and some
 * states print a genuine O; the issuing state, which no check digit covers and in which a guess would make a wrong key;
 * nationality, names and sex, which nothing is searched by.
 */
export function repaired(lines: readonly string[], layout: Layout): Repaired {
  const state = { lines, repairs: [] };
  const { birth, birthDigit, expiry, expiryDigit, number, numberDigit, optional, optionalDigit } = layout;
  dated(state, birth, birthDigit);
  dated(state, expiry, expiryDigit);
  digit(state, [number], numberDigit);
  const [personal] = optional;
  if (personal !== undefined) digit(state, [personal], optionalDigit);
  // Last: it covers what was put right before.
  if (layout.composite !== undefined) digit(state, layout.composite.covers, layout.composite.digit);
  return state;
}

interface State {
  lines: readonly string[];
  readonly repairs: Repair[];
}

/** A date and its check digit: either of them or both may be misread. */
function dated(state: State, date: Span | undefined, place: Span | undefined): void {
  if (date === undefined || place === undefined) return;
  const text = cut(state.lines, date);
  const printed = cut(state.lines, place);
  if (!hasLetter(text) && !hasLetter(printed)) return;
  const digits = asDigits(text);
  if (!/^[0-9<]*$/.test(digits) || !holds(digits, asDigits(printed))) return;
  put(state, date, digits);
  put(state, place, asDigits(printed));
}

/** The place of one check digit over fields that stay as they are. */
function digit(state: State, covers: readonly Span[], place: Span | undefined): void {
  if (place === undefined) return;
  const printed = cut(state.lines, place);
  if (!hasLetter(printed)) return;
  const right = String(checkDigit(covers.map((span) => cut(state.lines, span)).join('')));
  if (asDigits(printed) === right) put(state, place, right);
}

function hasLetter(text: string): boolean {
  return /[OIZSB]/.test(text);
}

/** The digits that letters look like, in the place of digits. */
export function asDigits(text: string): string {
  return text.replace(/[OIZSB]/g, (letter) => digitFor[letter] ?? letter);
}

function put(state: State, { line, from, to }: Span, text: string): void {
  const old = state.lines[line - 1] ?? '';
  const before = old.slice(from - 1, to);
  if (before === text) return;
  for (let at = 0; at < text.length; at++) {
    if (before.charAt(at) === text.charAt(at)) continue;
    state.repairs.push({ line, column: from + at, from: before.charAt(at), to: text.charAt(at) });
  }
  state.lines = state.lines.with(line - 1, old.slice(0, from - 1) + text + old.slice(to));
}

import { holds } from './check-digits.ts';
import { cut, type Layout, type Span } from './layouts.ts';
import { withoutTail } from './number.ts';
import { asDigits } from './repair.ts';
import { isListedState } from './states.ts';

/** What a number whose check digit does not hold weighs: more than all that may speak for a line. */
const wrongNumber = -5;

/**
 * How much speaks for these characters standing in these places of a line: one for each check digit that holds, two for
 * a usual code and a listed state; as much against it where they do not, and a wrong number decides. What was not read
 * says nothing.
 *
 * @param text the whole line, `_` for each character that was not read
 * @param line 1 is the first
 */
export function evidenceOf(text: string, line: number, layout: Layout): number {
  const lines = Array.from({ length: line }, (_, at) => (at === line - 1 ? text : ''));
  const digit = (field: Span | undefined, place: Span | undefined): number => {
    if (field === undefined || place?.line !== line || field.line !== line) return 0;
    const covered = cut(lines, field);
    const printed = cut(lines, place);
    if (/_/.test(covered + printed)) return 0;
    // A filler stands for no digit: of a number that goes on, or of a date that is unknown.
    const mayLack = field === layout.number ? goesOn(lines, layout) : /^<+$/.test(covered);
    if (printed === '<') return mayLack ? 0 : -1;
    const digit = asDigits(printed);
    return holds(covered, digit) || holds(asDigits(covered), digit) ? 1 : -1;
  };
  const begin =
    layout.code.line === line ? beginning(cut(lines, layout.code) + cut(lines, layout.state), layout) : 0;
  const number = digit(layout.number, layout.numberDigit);
  const dates = digit(layout.birth, layout.birthDigit) + digit(layout.expiry, layout.expiryDigit);
  return begin + dates + (number < 0 ? wrongNumber : number);
}

/** Whether the number may go on behind its field. */
function goesOn(lines: readonly string[], { number, continuation }: Layout): boolean {
  return (
    continuation !== undefined &&
    !cut(lines, continuation).startsWith('<') &&
    !cut(lines, number).endsWith('<')
  );
}

function beginning(text: string, layout: Layout): number {
  if (text.includes('_')) return 0;
  return isUsualBegin(text, layout) ? 2 : -2;
}

const usualCodes: Readonly<Record<Layout['format'], RegExp>> = {
  TD1: /^[ACI][A-Z<]/,
  TD2: /^[ACI][A-Z<]/,
  TD3: /^P[A-Z<]/,
  'MRV-A': /^V[A-Z<]/,
  'MRV-B': /^V[A-Z<]/,
  'FRA-ID': /^ID/,
  typed: /^$/,
};

/** Whether a first line that begins so has a code that documents of this layout have, and a state that is known. */
export function isUsualBegin(first: string, layout: Layout): boolean {
  return usualCodes[layout.format].test(first) && isListedState(withoutTail(first.slice(2, 5)));
}

/** The same for the code alone. */
export function isUsualCode(first: string, layout: Layout): boolean {
  return usualCodes[layout.format].test(first);
}

import { holds } from './check-digits.ts';
import { cut, type Layout, type Span } from './layouts.ts';

/** Letters that readers take digits for; only where nothing but a digit may stand. */
const digitFor: Readonly<Record<string, string>> = { O: '0', I: '1', Z: '2', S: '5', B: '8' };

/**
 * The lines with letters in dates and check digits turned into the digits that they must have been. A date only where
 * its check digit then holds. The document number is left alone: letters and digits are both at home there, and some
 * states print a genuine O.
 */
export function repaired(lines: readonly string[], layout: Layout): readonly string[] {
  const { numberDigit, birthDigit, expiryDigit, optionalDigit, composite } = layout;
  const digits = [numberDigit, birthDigit, expiryDigit, optionalDigit, composite?.digit];
  let result = lines;
  for (const span of digits) {
    if (span !== undefined) result = put(result, span, asDigits(cut(result, span)));
  }
  for (const [span, digit] of [
    [layout.birth, birthDigit],
    [layout.expiry, expiryDigit],
  ] as const) {
    if (span === undefined || digit === undefined) continue;
    const date = asDigits(cut(result, span));
    if (holds(date, cut(result, digit))) result = put(result, span, date);
  }
  return result;
}

function asDigits(text: string): string {
  return text.replace(/[OIZSB]/g, (letter) => digitFor[letter] ?? letter);
}

function put(lines: readonly string[], { line, from, to }: Span, text: string): readonly string[] {
  const old = lines[line - 1] ?? '';
  if (old.slice(from - 1, to) === text) return lines;
  return lines.with(line - 1, old.slice(0, from - 1) + text + old.slice(to));
}

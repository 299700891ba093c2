/**
 * Check digits of the machine readable zone: ICAO Doc 9303 part 3 § 4.9. Each character's value (0 to 9 are
 * themselves, A to Z are 10 to 35, the filler is 0) times the weights 7, 3, 1, repeated from the left; modulo 10.
 */
const weights = [7, 3, 1] as const;

/** Weight of the character at this place, counted from 0. */
export function weightAt(place: number): number {
  return weights[place % 3] ?? 0;
}

/** Value of one character, 0 to 35; anything that is neither digit nor letter counts as the filler, 0. */
export function valueOf(character: string): number {
  const code = character.charCodeAt(0);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x5a) return code - 0x41 + 10;
  return 0;
}

/** The check digit of a text, 0 to 9. */
export function checkDigit(text: string): number {
  let sum = 0;
  for (let place = 0; place < text.length; place++) sum += valueOf(text.charAt(place)) * weightAt(place);
  return sum % 10;
}

/** Whether the digit printed is the check digit of the text; a filler or a letter in its place never is. */
export function holds(text: string, printed: string): boolean {
  return String(checkDigit(text)) === printed;
}

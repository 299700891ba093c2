/**
 * A reader that plays a keyboard, as key strokes: which key it presses for a character, on the layout that it is set to.
 * Written from the letters' places alone, apart from the tables that it tests.
 */
export type Layout = 'us' | 'uk' | 'de' | 'fr' | 'ru';

/** One key down or up, by the kernel's code. */
export interface Stroke {
  readonly code: number;
  readonly down: boolean;
}

export const shiftKey = 42;
const enter = 28;
const places: Readonly<Record<string, number>> = {
  ...along('QWERTYUIOP', 16),
  ...along('ASDFGHJKL', 30),
  ...along('ZXCVBNM', 44),
};
/** Where a layout has a letter on another letter's key, or beside them. */
const moved: Readonly<Record<Layout, Readonly<Record<string, number>>>> = {
  us: {},
  uk: {},
  ru: {},
  de: { Y: 44, Z: 21 },
  fr: { A: 16, Q: 30, Z: 17, W: 44, M: 39 },
};

export function strokesOf(text: string, layout: Layout): Stroke[] {
  return Array.from(text).flatMap((char) => {
    const { code, shift } = keyOf(char, layout);
    return [
      ...(shift ? [{ code: shiftKey, down: true }] : []),
      { code, down: true },
      { code, down: false },
      ...(shift ? [{ code: shiftKey, down: false }] : []),
    ];
  });
}

/** The key of a character of a machine readable zone, or of CR. */
function keyOf(char: string, layout: Layout): { code: number; shift: boolean } {
  if (char === '\r') return { code: enter, shift: false };
  if (char === '<')
    return layout === 'de' || layout === 'fr' ? { code: 86, shift: false } : { code: 51, shift: true };
  if (char >= '0' && char <= '9')
    return { code: char === '0' ? 11 : Number(char) + 1, shift: layout === 'fr' };
  const code = moved[layout][char] ?? places[char];
  if (code === undefined) throw new Error(`no reader types ${JSON.stringify(char)}`);
  return { code, shift: true };
}

function along(letters: string, from: number): Record<string, number> {
  return Object.fromEntries(Array.from(letters).map((letter, at) => [letter, from + at]));
}

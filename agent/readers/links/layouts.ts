import type { KeyboardLayout } from '#contracts/readers.ts';

/**
 * What the keys of each layout type, by the kernel's key codes (linux/input-event-codes.h): the same places on every
 * keyboard, named there after the American letters. Characters outside ASCII stand as themselves; `◌` is a dead key, or
 * one on which systems disagree. Neither is ever a character of a machine readable zone.
 */
const rowsBegin = [
  2, // KEY_1 … KEY_EQUAL
  16, // KEY_Q … KEY_RIGHTBRACE
  30, // KEY_A … KEY_GRAVE
  43, // KEY_BACKSLASH, KEY_Z … KEY_SLASH
  86, // KEY_102ND: beside the left shift, where a keyboard has it
];

/** One layout as five rows a level. */
interface Drawn {
  readonly plain: readonly string[];
  readonly shift: readonly string[];
  readonly altGr?: Readonly<Record<number, string>>;
}

export interface Layout {
  readonly plain: ReadonlyMap<number, string>;
  readonly shift: ReadonlyMap<number, string>;
  readonly altGr: ReadonlyMap<number, string>;
  /**
   * Whether CapsLock moves the keys that are no letters too: on German and French keyboards some systems say so and
   * others not, so that nobody knows what such a key types.
   */
  readonly capsDisputed: boolean;
}

const us: Drawn = {
  plain: ['1234567890-=', 'qwertyuiop[]', "asdfghjkl;'`", '\\zxcvbnm,./', '◌'],
  shift: ['!@#$%^&*()_+', 'QWERTYUIOP{}', 'ASDFGHJKL:"~', '|ZXCVBNM<>?', '◌'],
};
const uk: Drawn = {
  plain: ['1234567890-=', 'qwertyuiop[]', "asdfghjkl;'`", '#zxcvbnm,./', '\\'],
  shift: ['!"£$%^&*()_+', 'QWERTYUIOP{}', 'ASDFGHJKL:@¬', '~ZXCVBNM<>?', '|'],
};
const de: Drawn = {
  plain: ['1234567890ß◌', 'qwertzuiopü+', 'asdfghjklöä◌', '#yxcvbnm,.-', '<'],
  shift: ['!"§$%&/()=?◌', 'QWERTZUIOPÜ*', 'ASDFGHJKLÖÄ°', "'YXCVBNM;:_", '>'],
  altGr: { 8: '{', 9: '[', 10: ']', 11: '}', 12: '\\', 16: '@', 27: '~', 86: '|' },
};
const fr: Drawn = {
  plain: ['&é"\'(-è_çà)=', 'azertyuiop◌$', 'qsdfghjklmù²', '*wxcvbn,;:!', '<'],
  shift: ['1234567890°+', 'AZERTYUIOP◌£', 'QSDFGHJKLM%◌', 'µWXCVBN?./§', '>'],
  altGr: { 4: '#', 5: '{', 6: '[', 7: '|', 9: '\\', 10: '^', 11: '@', 12: ']', 13: '}' },
};
const cyrillic: Drawn = {
  plain: ['1234567890-=', 'йцукенгшщзхъ', 'фывапролджэё', '\\ячсмитьбю.', '◌'],
  shift: ['!"№;%:?*()_+', 'ЙЦУКЕНГШЩЗХЪ', 'ФЫВАПРОЛДЖЭЁ', '/ЯЧСМИТЬБЮ,', '◌'],
};

/**
 * The groups of each layout, the first of which holds at the beginning. A Russian keyboard has two and changes over by
 * Alt+Shift or Ctrl+Shift; a document has Latin letters only, which are in the first.
 */
export const layouts: Readonly<Record<KeyboardLayout, readonly [Layout, ...Layout[]]>> = {
  us: [layoutOf(us)],
  uk: [layoutOf(uk)],
  de: [layoutOf(de, true)],
  fr: [layoutOf(fr, true)],
  ru: [layoutOf(us), layoutOf(cyrillic)],
};

function layoutOf({ plain, shift, altGr = {} }: Drawn, capsDisputed = false): Layout {
  return {
    plain: byCode(plain),
    shift: byCode(shift),
    altGr: new Map(Object.entries(altGr).map(([code, char]) => [Number(code), char])),
    capsDisputed,
  };
}

function byCode(level: readonly string[]): ReadonlyMap<number, string> {
  return new Map(
    rowsBegin.flatMap((from, row) =>
      Array.from(level[row] ?? '').map((char, at) => [from + at, char] as const),
    ),
  );
}

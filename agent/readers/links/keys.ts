import type { KeyboardLayout } from '#contracts/readers.ts';
import type { InputEvent } from './input-event.ts';
import { type Layout, layouts } from './layouts.ts';

// Types, codes and values of linux/input-event-codes.h and linux/input.h.
const evSyn = 0;
const evKey = 1;
const synReport = 0;
const synDropped = 3;
const down = 1;
const repeated = 2;

const leftAlt = 56;
const capsLock = 58;
const key102nd = 86;
type Modifier = 'shift' | 'ctrl' | 'alt' | 'altGr' | 'meta';
/** Both keys of each modifier; the right Alt is AltGr. */
const modifiers: ReadonlyMap<number, Modifier> = new Map([
  [42, 'shift'],
  [54, 'shift'],
  [29, 'ctrl'],
  [97, 'ctrl'],
  [leftAlt, 'alt'],
  [100, 'altGr'],
  [125, 'meta'],
  [126, 'meta'],
]);
const cr = 0x0d;
const space = 0x20;
/** Keys that type the same in every layout: Tab, Enter, the keypad's Enter, LineFeed, space, the keypad's signs. */
const fixed: ReadonlyMap<number, number> = new Map([
  // A form's next field: how a reader that fills forms ends a line.
  [15, cr],
  [28, cr],
  [96, cr],
  [101, 0x0a],
  [57, space],
  [55, 0x2a],
  [74, 0x2d],
  [78, 0x2b],
  [98, 0x2f],
  [117, 0x3d],
]);
const keypad: ReadonlyMap<number, number> = new Map(
  [82, 79, 80, 81, 75, 76, 77, 71, 72, 73].map((code, digit) => [code, digit]),
);
/** Backspace, Home, Up, PageUp, Left, Right, End, Down, PageDown, Insert, Delete: they change what was typed before. */
const editing = new Set([14, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111]);

/** A character that the reader did not read, by the readers' own sign: never data. */
const unread = 0x5f;
/** ASCII's substitute: no reader sends it, so that the framing calls the whole frame noisy. */
const substitute = 0x1a;

/**
 * Keys of a reader that plays a keyboard to the bytes that it means: Enter and Tab as CR, Ctrl with a letter as the
 * control character, Alt with a number on the keypad as that character. What would have typed something that is not
 * known is `_`, never another letter. Pure: it knows no device and no clock.
 */
export class KeyDecoder {
  readonly #groups: readonly [Layout, ...Layout[]];
  #group = 0;
  #held = new Set<number>();
  #caps = false;
  /** The number that is being typed on the keypad while Alt is held. */
  #altCode = '';
  /** Modifiers that change the group are held, and no other key came since. */
  #changingGroup = false;
  #dropping = false;

  constructor(layout: KeyboardLayout) {
    this.#groups = layouts[layout];
  }

  /** What one event types: mostly nothing or one byte. */
  take({ type, code, value }: InputEvent): readonly number[] {
    if (type === evSyn && code === synDropped) return this.#dropped();
    if (type === evSyn && code === synReport) this.#dropping = false;
    if (type !== evKey || this.#dropping || value === repeated) return [];
    if (modifiers.has(code)) return this.#modifier(code, value === down);
    if (value !== down) return [];
    this.#changingGroup = false;
    if (code === capsLock) {
      this.#caps = !this.#caps;
      return [];
    }
    return this.#press(code);
  }

  /**
   * The kernel's buffer was full and keys are lost: all up to the next report, and perhaps the release of a modifier.
   * The device is well, so it is not `lost`; but a frame with a hole must not look whole.
   */
  #dropped(): readonly number[] {
    this.#dropping = true;
    this.#held.clear();
    this.#altCode = '';
    this.#changingGroup = false;
    return [substitute];
  }

  #modifier(code: number, isDown: boolean): readonly number[] {
    if (isDown) {
      this.#held.add(code);
      this.#changingGroup = this.#holds('shift') && (this.#holds('alt') || this.#holds('ctrl'));
      return [];
    }
    this.#held.delete(code);
    if (this.#changingGroup) this.#group = (this.#group + 1) % this.#groups.length;
    this.#changingGroup = false;
    if (code !== leftAlt || this.#altCode === '') return [];
    const typed = Number(this.#altCode);
    this.#altCode = '';
    return [typed > 0 && typed < 0x7f ? typed : unread];
  }

  #holds(modifier: Modifier): boolean {
    for (const code of this.#held) if (modifiers.get(code) === modifier) return true;
    return false;
  }

  #press(code: number): readonly number[] {
    if (isSilent(code)) return [];
    if (editing.has(code)) return [substitute];
    const digit = keypad.get(code);
    const alone = this.#held.size === 0 || (this.#held.size === 1 && this.#held.has(leftAlt));
    if (digit !== undefined && this.#held.has(leftAlt) && alone) {
      this.#altCode = `${this.#altCode}${digit}`.slice(0, 4);
      return [];
    }
    if (this.#holds('meta')) return [unread];
    // Some systems have no right Alt of their own: there Ctrl+Alt is AltGr.
    if (this.#holds('altGr') || (this.#holds('ctrl') && this.#holds('alt')))
      return [ascii(this.#layout().altGr.get(code))];
    if (this.#holds('alt')) return [unread];
    if (this.#holds('ctrl')) return [this.#control(code)];
    if (digit !== undefined) return [this.#holds('shift') ? unread : 0x30 + digit];
    return [fixed.get(code) ?? this.#typed(code)];
  }

  #layout(): Layout {
    return this.#groups[this.#group] ?? this.#groups[0];
  }

  /** Ctrl+B is STX, Ctrl+\ is FS: the low five bits of the Latin letter or sign, as on a terminal. */
  #control(code: number): number {
    const [{ shift, plain }] = this.#groups;
    const sign = (this.#holds('shift') ? shift : plain).get(code) ?? '';
    return /^[@-_a-z]$/.test(sign) ? sign.charCodeAt(0) & 0x1f : unread;
  }

  #typed(code: number): number {
    const layout = this.#layout();
    const plain = layout.plain.get(code) ?? '';
    const isLetter = /^[a-z]$/.test(plain);
    if (this.#caps && !isLetter && layout.capsDisputed && code !== key102nd) return unread;
    const shifted = this.#holds('shift') !== (this.#caps && isLetter);
    return ascii(shifted ? layout.shift.get(code) : plain);
  }
}

/** The character as a byte; `_` for none, or one that no machine readable zone has. */
function ascii(char: string | undefined): number {
  const code = char?.charCodeAt(0) ?? unread;
  return code >= space && code < 0x7f ? code : unread;
}

/** Keys that type nothing: Esc, F1 to F24, locks, Print, sound, power, Pause, Menu, and buttons of mice and pads. */
function isSilent(code: number): boolean {
  return (
    code === 0 ||
    code === 1 ||
    (code >= 59 && code <= 70) ||
    code === 87 ||
    code === 88 ||
    code === 99 ||
    (code >= 113 && code <= 116) ||
    code === 119 ||
    code === 127 ||
    code === 142 ||
    code === 143 ||
    (code >= 183 && code <= 194) ||
    (code >= 0x100 && code <= 0x15f)
  );
}

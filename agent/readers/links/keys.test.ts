import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyboardLayout } from '#contracts/readers.ts';
import { strokesOf } from '#test/rigs/typist.ts';
import { KeyDecoder } from './keys.ts';
import { layouts } from './layouts.ts';

const all: readonly KeyboardLayout[] = ['us', 'uk', 'de', 'fr', 'ru'];
const key = (code: number, value: number) => ({ type: 1, code, value });
const report = { type: 0, code: 0, value: 0 };
const overflow = { type: 0, code: 3, value: 0 };
const [ctrl, leftShift, rightShift, leftAlt, altGr, caps] = [29, 42, 54, 56, 100, 58];
const [a, b, q, six, minus, comma, enter, f1, backspace] = [30, 48, 16, 7, 12, 51, 28, 59, 14];

/** What is typed by keys that are pressed and released one after the other, with others held all the while. */
function typed(layout: KeyboardLayout, codes: readonly number[], held: readonly number[] = []): string {
  const decoder = new KeyDecoder(layout);
  return text(decoder, [
    ...held.map((code) => key(code, 1)),
    ...codes.flatMap((code) => [key(code, 1), key(code, 0)]),
    ...held.map((code) => key(code, 0)),
  ]);
}

function text(decoder: KeyDecoder, events: readonly { type: number; code: number; value: number }[]): string {
  return String.fromCharCode(...events.flatMap((event) => decoder.take(event)));
}

describe('documents', () => {
  test.each(all)('Whatever a reader types on the layout %s is what it read', (layout) => {
    const zone = fc
      .array(fc.constantFrom(...Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<\r')), { maxLength: 120 })
      .map((chars) => chars.join(''));
    fc.assert(
      fc.property(zone, (document) => {
        const events = strokesOf(document, layout).flatMap(({ code, down }) => [
          { type: 4, code: 4, value: 458_756 },
          key(code, down ? 1 : 0),
          report,
        ]);
        expect(text(new KeyDecoder(layout), events)).toBe(document);
      }),
    );
  });

  test('< is Shift and comma on the American and British keyboard, and beside the left shift on the German and French', () => {
    expect([typed('us', [comma], [leftShift]), typed('uk', [comma], [rightShift])]).toEqual(['<', '<']);
    expect([typed('de', [86]), typed('fr', [86])]).toEqual(['<', '<']);
    expect([typed('de', [comma], [leftShift]), typed('uk', [86]), typed('us', [86])]).toEqual([
      ';',
      '\\',
      '_',
    ]);
  });

  test('The keys of the same places are other letters on other layouts', () => {
    const row = [16, 17, 18, 19, 20, 21];
    expect(all.map((layout) => typed(layout, row, [leftShift]))).toEqual([
      'QWERTY',
      'QWERTY',
      'QWERTZ',
      'AZERTY',
      'QWERTY',
    ]);
  });
});

describe('modifiers', () => {
  test('A key that repeats itself is one letter, and letting go types nothing', () => {
    const decoder = new KeyDecoder('us');
    expect(text(decoder, [key(a, 1), key(a, 2), key(a, 2), key(a, 0)])).toBe('a');
  });

  test('One of two shift keys still held is shift', () => {
    const decoder = new KeyDecoder('us');
    const events = [
      key(leftShift, 1),
      key(rightShift, 1),
      key(leftShift, 0),
      key(a, 1),
      key(rightShift, 0),
      key(b, 1),
    ];
    expect(text(decoder, events)).toBe('Ab');
  });

  test('CapsLock stays until it is pressed again, turns shift round for letters, and leaves digits alone', () => {
    expect(typed('us', [caps, a, six, caps, a])).toBe('A6a');
    const decoder = new KeyDecoder('us');
    text(decoder, [key(caps, 1), key(caps, 0), key(leftShift, 1)]);
    expect(text(decoder, [key(a, 1), key(six, 1)])).toBe('a^');
  });

  test('With CapsLock on a German or French keyboard nobody knows what a digit key types, so it is not read', () => {
    expect([typed('de', [caps, six, a, 86]), typed('fr', [caps, six, q, 86])]).toEqual(['_A<', '_A<']);
  });

  test('AltGr, or Ctrl with Alt, is the third level of a layout, and nothing that is known where it has none', () => {
    expect(typed('de', [q, 86, a], [altGr])).toBe('@|_');
    expect(typed('de', [q], [ctrl, leftAlt])).toBe('@');
    expect(typed('us', [q], [altGr])).toBe('_');
  });

  test('Ctrl with a letter is the control character, as some readers send STX, ETX and FS', () => {
    expect(typed('us', [b, 46, 43, 27], [ctrl])).toBe('\x02\x03\x1c\x1d');
    expect(typed('fr', [q], [ctrl])).toBe('\x01');
    expect([typed('us', [six], [ctrl]), typed('de', [minus, 26], [ctrl])]).toEqual(['_', '__']);
  });

  test('Alt with a number on the keypad is that character, whatever the layout', () => {
    const number = (...codes: number[]) => typed('fr', codes, [leftAlt]);
    // 060 is <, 65 is A, 0233 is no character of a document.
    expect([number(82, 77, 82), number(77, 76), number(82, 80, 81, 81)]).toEqual(['<', 'A', '_']);
    expect(typed('us', [a], [leftAlt])).toBe('_');
  });

  test('A Russian keyboard changes over by Alt and Shift; its Cyrillic letters are not read, and not taken for Latin', () => {
    const decoder = new KeyDecoder('ru');
    const press = (code: number) => [key(code, 1), key(code, 0)];
    const change = [key(leftAlt, 1), key(leftShift, 1), key(leftShift, 0), key(leftAlt, 0)];
    expect(text(decoder, [...press(a), ...change, ...press(a), ...press(six), ...change, ...press(a)])).toBe(
      'a_6a',
    );
  });
});

describe('other keys', () => {
  test('Enter, Tab and the Enter of the keypad end a line', () => {
    expect(typed('de', [enter, 15, 96])).toBe('\r\r\r');
  });

  test('The keypad types digits, and nothing that is known with shift', () => {
    expect(typed('fr', [82, 79, 80, 81, 75, 76, 77, 71, 72, 73])).toBe('0123456789');
    expect(typed('us', [79], [leftShift])).toBe('_');
  });

  test('Keys that type nothing give nothing; what is unknown is not read; what edits makes the frame noisy', () => {
    expect(typed('us', [f1, 1, 69, 0x110, 113])).toBe('');
    expect([typed('us', [179]), typed('de', [13]), typed('fr', [3])]).toEqual(['_', '_', '_']);
    expect(typed('us', [a, backspace, 105])).toBe('a\x1a\x1a');
  });

  test('When the kernel has dropped keys, the hole makes the frame noisy and no shift is believed to be held', () => {
    const decoder = new KeyDecoder('us');
    const events = [key(leftShift, 1), key(a, 1), overflow, key(b, 1), key(leftShift, 0), report, key(a, 1)];
    expect(text(decoder, events)).toBe('A\x1aa');
  });

  test('Whatever comes, each event types at most one byte, and never throws', () => {
    const event = fc.record({
      type: fc.constantFrom(0, 1, 1, 1, 4, 17),
      code: fc.oneof(fc.nat(130), fc.nat(0x2ff)),
      value: fc.integer({ min: -1, max: 2 }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.array(event, { maxLength: 200 }), (layout, events) => {
        const decoder = new KeyDecoder(layout);
        for (const one of events) {
          const bytes = decoder.take(one);
          expect(bytes.length).toBeLessThanOrEqual(1);
          for (const byte of bytes) expect(byte).toBeGreaterThanOrEqual(0);
          for (const byte of bytes) expect(byte).toBeLessThan(0x7f);
        }
      }),
    );
  });
});

test('Every layout has a character on every key of its five rows, on both levels', () => {
  for (const group of all.flatMap((layout) => layouts[layout])) {
    expect([group.plain.size, group.shift.size]).toEqual([48, 48]);
    for (const char of [...group.plain.values(), ...group.shift.values()]) expect(char).toHaveLength(1);
  }
});

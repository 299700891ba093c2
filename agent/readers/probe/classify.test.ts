import { describe, expect, test } from 'vitest';
import { stolenPassport } from '#test/rigs/documents.ts';
import { swipe } from '#test/rigs/reader-simulator/encode.ts';
import { received } from '#test/rigs/reader-simulator/uart.ts';
import { classify } from './classify.ts';
import { line } from './line.ts';

const at = line(9600);
const passport = swipe(stolenPassport);
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

describe('What a burst is', () => {
  test('Lines of a machine readable zone are known by their length and their characters', () => {
    expect(classify(passport, at)).toEqual({
      kind: 'zone',
      bytes: passport,
      format: { dataBits: 8, parity: 'none', stopBits: 1 },
    });
    expect(classify(text(`${stolenPassport[1]?.replace('L', '?')}\r`), at).kind).toBe('part');
  });

  test.each([
    ['even parity', line(9600, 7, 'even'), { dataBits: 7, parity: 'even', stopBits: 1 }],
    ['odd parity', line(9600, 7, 'odd'), { dataBits: 7, parity: 'odd', stopBits: 1 }],
    ['two stop bits', line(9600, 7, 'none', 2), { dataBits: 7, parity: 'none', stopBits: 2 }],
  ])(
    '7 data bits with %s are seen in bit 7, which is the same for every byte, and taken off',
    (_, sent, format) => {
      expect(classify(received(passport, sent, at), at)).toEqual({ kind: 'zone', bytes: passport, format });
    },
  );

  test('A zone with a few bytes of noise in it is part of one, and bit 7 here and there is no parity', () => {
    const noisy = passport.slice();
    noisy[7] = 0xf3;
    expect(classify(noisy, at)).toMatchObject({ kind: 'part', format: { dataBits: 8 } });
  });

  test('Noise before a frame that says itself where it begins leaves the zone whole', () => {
    const frame = swipe(stolenPassport, undefined, 'text-etx');
    const noisy = Uint8Array.from([...Array.from({ length: 12 }, (_, n) => 0x85 + 9 * n), ...frame]);
    expect(classify(noisy, at).kind).toBe('zone');
  });

  test('A third of a document is a part wherever it is cut, also where it is as long as a line of a card', () => {
    for (let length = 12; length < passport.length - 1; length++) {
      expect(classify(passport.subarray(0, length), at).kind, `${length}`).toBe('part');
    }
  });

  test('Characters that were not read leave a zone whole', () => {
    const lines = stolenPassport.map((one) => one.replace('<', '?'));
    expect(classify(swipe(lines), at).kind).toBe('zone');
  });

  test('A bar code or the name of a reader is text, no zone', () => {
    expect(classify(text('4006381333931\r'), at).kind).toBe('text');
    expect(classify(text('READY 1.04\r\n'), at).kind).toBe('text');
  });

  test.each([
    ['bytes at the wrong speed', Uint8Array.of(0x00, 0x80, 0xf8, 0xff, 0xe0, 0x80, 0x80, 0x98, 0xe6, 0x1e)],
    ['four characters', text('ABCD')],
    ['characters among which are zeros', Uint8Array.of(0x41, 0x42, 0x00, 0x43, 0x44, 0x45, 0x46)],
    ['nothing', new Uint8Array()],
  ])('%s are garbage', (_, bytes) => expect(classify(bytes, at).kind).toBe('garbage'));

  test('Characters of which every one has an odd number of ones are what is left by a wrong parity, no text', () => {
    const odd = passport.filter((byte) => byte.toString(2).replaceAll('0', '').length % 2 === 1);
    expect(odd.length).toBeGreaterThan(20);
    expect(classify(odd, at).kind).toBe('garbage');
  });
});

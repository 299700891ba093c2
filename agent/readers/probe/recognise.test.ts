import { describe, expect, test } from 'vitest';
import type { FramingProfile } from '#contracts/readers.ts';
import { cleanPassport, stolenPassport } from '#test/rigs/documents.ts';
import { encodeRead, joined, latin, swipe } from '#test/rigs/reader-simulator/encode.ts';
import { agree, recognise } from './recognise.ts';

// The bytes are made by the simulator's encoder, which shares no code with what is tested here.

const card = [
  'I<UTOD231458907<<<<<<<<<<<<<<<',
  '7408122F1204159UTO<<<<<<<<<<<6',
  'ERIKSSON<<ANNA<MARIA<<<<<<<<<<',
];
const lines = { kind: 'lines', lastLineEnd: true, blockCheck: 'none' } as const;

describe('How a reader wraps what it read', () => {
  test.each<FramingProfile>([
    lines,
    { ...lines, lastLineEnd: false },
    { ...lines, blockCheck: 'text' },
    { ...lines, blockCheck: 'text-etx' },
    { ...lines, blockCheck: 'stx-text-etx' },
    { kind: 'ocr31x' },
    { kind: 'rte6701', blockCheck: 'none' },
    { kind: 'rte6701', blockCheck: 'text' },
    { kind: 'rte6701', blockCheck: 'text-etx' },
    { kind: 'rte6701', blockCheck: 'stx-text-etx' },
    { kind: 'elyctis' },
  ])('%j is seen for what it is, of passports and cards', (framing) => {
    for (const document of [stolenPassport, cleanPassport, card]) {
      expect(recognise(encodeRead(framing, document))).toMatchObject({
        framing,
        lineEnd: 'CR',
        whole: true,
        repeats: false,
        unknownCheck: false,
      });
    }
    const two = [stolenPassport, cleanPassport].map((document) => recognise(encodeRead(framing, document)));
    expect(agree(two)?.framing).toEqual(framing);
  });

  test.each([
    ['\r', 'CR'],
    ['\r\n', 'CRLF'],
    ['\n', 'LF'],
  ] as const)('the line end %j is named %s, bare and between STX and ETX', (lineEnd, name) => {
    for (const enveloped of [false, true]) {
      const seen = recognise(swipe(card, { lineEnd, enveloped }));
      expect(seen).toMatchObject({ framing: lines, lineEnd: name, lines: [30, 30, 30] });
    }
  });

  test('ETX ends a frame whose last line has no line end, and a line end after ETX is no block check', () => {
    const bare = latin(stolenPassport.join('\r'));
    expect(recognise(joined(Uint8Array.of(0x02), bare, Uint8Array.of(0x03))).framing).toEqual(lines);
    const followed = joined(swipe(stolenPassport, { lineEnd: '\r', enveloped: true }), latin('\r\n'));
    expect(recognise(followed)).toMatchObject({ framing: lines, unknownCheck: false, repeats: false });
  });

  test('a byte after ETX that is no XOR of the frame is said to be unknown, not taken for one', () => {
    const odd = joined(swipe(stolenPassport, { lineEnd: '\r', enveloped: true }), Uint8Array.of(0x7e));
    expect(recognise(odd)).toMatchObject({ framing: lines, unknownCheck: true });
  });

  test('a check that holds for one read only was chance', () => {
    const right = recognise(swipe(stolenPassport, undefined, 'text'));
    const bytes = swipe(cleanPassport, undefined, 'text').slice();
    bytes[bytes.length - 1] = 0x7e;
    expect(agree([right, recognise(bytes)])).toMatchObject({ framing: lines, unknownCheck: true });
  });

  test('a frame that is sent twice is one read, and said', () => {
    for (const framing of [lines, { ...lines, blockCheck: 'text-etx' }, { kind: 'ocr31x' }] as const) {
      const once = encodeRead(framing, stolenPassport);
      expect(recognise(joined(once, once))).toMatchObject({ framing, repeats: true, lines: [44, 44] });
    }
  });

  test('only whole zones are whole: not a line of one, nor one with a character too few, but several of them', () => {
    const read = (...lines: readonly string[]) => recognise(swipe(lines)).whole;
    const [first, second] = stolenPassport;
    expect(read(first, second)).toBe(true);
    expect(read(first, second, ...card)).toBe(true);
    expect(read(first)).toBe(false);
    expect(read(first, second.slice(1))).toBe(false);
    expect(read(...card.slice(1))).toBe(false);
    expect(read(first, second, first)).toBe(false);
    expect(read(first, second.replace('U', 'u'))).toBe(false);
    expect(read()).toBe(false);
  });

  test('noise before a frame changes nothing', () => {
    const framing = { ...lines, blockCheck: 'text-etx' } as const;
    const noisy = joined(Uint8Array.of(0xf3, 0x00), encodeRead(framing, stolenPassport));
    expect(recognise(noisy).framing).toEqual(framing);
  });

  test('nothing of what a document says is in it', () => {
    for (const framing of [lines, { kind: 'rte6701', blockCheck: 'text-etx' }] as const) {
      const seen = JSON.stringify(recognise(encodeRead(framing, stolenPassport)));
      expect(seen).not.toMatch(/L898902|ERIKSSON|UTO/);
    }
  });
});

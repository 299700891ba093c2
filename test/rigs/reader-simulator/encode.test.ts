import { describe, expect, test } from 'vitest';
import type { BlockCheck, FramingProfile } from '#contracts/readers.ts';
import { specimens } from '../specimens.ts';
import { barcode, elyctis, encodeRead, magneticStripe, ocr31x, rte6701, swipe } from './encode.ts';
import { hidReports, keyEvents } from './usb.ts';

const { passport, card, smallCard } = specimens;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const xor = (of: string): string =>
  String.fromCharCode(Array.from(of).reduce((sum, character) => sum ^ character.charCodeAt(0), 0));

describe('What a family of readers sends of a document', () => {
  test('swipe readers: lines ended by CR, CRLF or LF, bare or between STX and ETX', () => {
    const [first, second] = passport;
    expect(text(swipe(passport))).toBe(`${first}\r${second}\r`);
    expect(text(swipe(passport, { lineEnd: '\r\n', enveloped: false }))).toBe(`${first}\r\n${second}\r\n`);
    expect(text(swipe(passport, { lineEnd: '\n', enveloped: true }))).toBe(`\x02${first}\n${second}\n\x03`);
  });

  test.each<[BlockCheck, (body: string) => string]>([
    ['text', (body) => body],
    ['text-etx', (body) => `${body}\x03`],
    ['stx-text-etx', (body) => `\x02${body}\x03`],
  ])('a block check over %s is the XOR of just these bytes', (check, covered) => {
    const body = `${card.join('\r')}\r`;
    const style = { lineEnd: '\r', enveloped: false } as const;
    expect(text(swipe(card, style, check))).toBe(`\x02${body}\x03${xor(covered(body))}`);
  });

  test('Access-IS OCR31x: 1C 02 … 03 1D, and other marks for a magnetic stripe and a barcode', () => {
    expect(text(ocr31x(card))).toBe(`\x1c\x02${card.join('\r')}\r\x03\x1d`);
    expect(text(magneticStripe('%B1'))).toBe('\x0e\x02%B1\x03\x0f');
    expect(text(barcode('M1'))).toBe('\x1e\x02M1\x03\x1f');
  });

  test('RTE6701: three lines, the document at the bottom, an absent line a bare CR, a short one filled with _', () => {
    const two = text(rte6701(passport, 'text-etx'));
    expect(two.slice(0, 6)).toBe(`\x01\x00\x60OU\x02`);
    expect(two.slice(6, -1)).toBe(`1\r${passport.join('\r')}\r\x03`);
    expect(two.at(-1)).toBe(xor(two.slice(6, -1)));
    // The length counts from OU to ETX.
    expect(two.indexOf('\x03') - two.indexOf('OU') + 1).toBe(0x60);
    const small = text(rte6701(smallCard));
    expect(small.slice(6)).toBe(`1\r${smallCard.map((line) => `${line}________`).join('\r')}\r\x03`);
    expect(text(rte6701(card)).match(/_{14}\r/g)).toHaveLength(3);
  });

  test('Elyctis: a letter, two bytes of length, the lines', () => {
    expect([...elyctis('C', Uint8Array.of(1))]).toEqual([0x43, 0x00, 0x01, 0x01]);
    expect(text(encodeRead({ kind: 'elyctis' }, passport))).toBe(`I\x00\x5a${passport.join('\r')}\r`);
  });

  test('Honeywell imagers: no line end after the last line', () => {
    const framing: FramingProfile = { kind: 'lines', lastLineEnd: false, blockCheck: 'none' };
    expect(text(encodeRead(framing, card))).toBe(card.join('\r'));
  });

  test('a HID reader: reports of one length byte and what it counts, bit 7 set where more follow', () => {
    const reports = hidReports(passport);
    expect(reports.map((report) => report.length)).toEqual([64, 64]);
    expect(reports.map(([first]) => first)).toEqual([63 | 0x80, ocr31x(passport).length - 63]);
    const bytes = reports.flatMap((report) => [...report.subarray(1, 1 + ((report[0] ?? 0) & 0x7f))]);
    expect(Uint8Array.from(bytes)).toEqual(ocr31x(passport));
  });

  test('a keyboard: keys of its layout, < where the layout has it, and Enter at the end of each line', () => {
    const typed = (layout: 'us' | 'de' | 'fr') =>
      keyEvents(['A<1'], layout)
        .filter(({ down }) => down)
        .map(({ code }) => code);
    // A, <, 1 and Enter; 42 is Shift.
    expect(typed('us')).toEqual([42, 30, 42, 51, 2, 28]);
    expect(typed('de')).toEqual([42, 30, 86, 2, 28]);
    expect(typed('fr')).toEqual([42, 16, 86, 42, 2, 28]);
    const held = new Set<number>();
    for (const { code, down } of keyEvents(passport, 'fr')) {
      expect(held.has(code)).toBe(!down);
      if (down) held.add(code);
      else held.delete(code);
    }
    expect(held).toEqual(new Set());
  });
});

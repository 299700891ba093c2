import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stolenPassport } from '../documents.ts';
import { type Line, received } from './uart.ts';

const line = (baudRate: number, shape: Partial<Line> = {}): Line => ({
  baudRate,
  dataBits: 8,
  parity: 'none',
  stopBits: 1,
  ...shape,
});
const sevenEven = line(9600, { dataBits: 7, parity: 'even' });
const text = Buffer.from(`${stolenPassport.join('\r')}\r`, 'latin1');
const readable = (bytes: Uint8Array): number =>
  bytes.filter((byte) => byte === 0x0d || (byte >= 0x20 && byte < 0x7f)).length;

describe('A serial line', () => {
  test('between two ends that are set alike gives what was sent, with and without rests between bytes', () => {
    const lines: Line[] = [300, 9600, 115_200].flatMap((baudRate) =>
      (['none', 'even', 'odd'] as const).flatMap((parity) =>
        ([1, 2] as const).map((stopBits) => line(baudRate, { parity, stopBits })),
      ),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(...lines),
        fc.nat(30),
        (bytes, one, gap) => {
          expect(received(bytes, one, one, gap)).toEqual(bytes);
        },
      ),
    );
  });

  test('carries seven bits where it is set to seven', () => {
    expect(received(text, sevenEven, sevenEven)).toEqual(new Uint8Array(text));
    expect([...received(Uint8Array.of(0xc1), sevenEven, sevenEven)]).toEqual([0x41]);
  });

  test('bears a clock that is 2 per cent off', () => {
    expect(received(text, line(9600), line(9792))).toEqual(new Uint8Array(text));
    expect(received(text, line(9600), line(9408))).toEqual(new Uint8Array(text));
  });

  test('heard at twice its speed gives about twice as many bytes, and not the text', () => {
    const heard = received(text, line(9600), line(19_200));
    expect(heard.length / text.length).toBeGreaterThan(1.3);
    expect(heard.length / text.length).toBeLessThan(2.6);
    expect(Buffer.from(heard).toString('latin1')).not.toContain('UTO');
  });

  test('heard twelve times too slowly gives few bytes', () => {
    const heard = received(text, line(115_200), line(9600));
    expect(heard.length).toBeGreaterThan(0);
    expect(heard.length).toBeLessThan(text.length / 6);
  });

  test('with seven bits and even parity, heard with eight and none, gives the text with the parity in bit 7', () => {
    const heard = received(text, sevenEven, line(9600));
    expect(heard.map((byte) => byte & 0x7f)).toEqual(new Uint8Array(text));
    const parities = [...heard].map((byte) => byte.toString(2).replaceAll('0', '').length % 2);
    expect(new Set(parities)).toEqual(new Set([0]));
    expect(readable(heard)).toBeLessThan(text.length);
  });

  test('gives a byte whose stop bit is missing as it was read, and one 0x00 for a break', () => {
    // 0xff at a tenth of the speed: its start bit is as long as a whole byte of the receiver, and has no stop bit.
    expect([...received(Uint8Array.of(0xff), line(960), line(9600))]).toEqual([0x00]);
    expect([...received(Uint8Array.of(0x00), line(960), line(9600))]).toEqual([0x00]);
  });

  test('with nothing sent gives nothing', () => {
    expect(received(new Uint8Array(), line(9600), line(19_200))).toEqual(new Uint8Array());
  });
});

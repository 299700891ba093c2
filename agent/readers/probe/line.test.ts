import fc from 'fast-check';
import { expect, test } from 'vitest';
import { received } from '#test/rigs/reader-simulator/uart.ts';
import { heard, line, lineName, sameLine, speeds } from './line.ts';

const anyLine = fc
  .record({
    baudRate: fc.constantFrom(...speeds),
    dataBits: fc.constantFrom<7 | 8>(7, 8),
    parity: fc.constantFrom<'none' | 'even' | 'odd'>('none', 'even', 'odd'),
    stopBits: fc.constantFrom<1 | 2>(1, 2),
  })
  .map((one) => line(one.baudRate, one.dataBits, one.parity, one.stopBits));
const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 100 });

test('A line is named as an engineer writes it', () => {
  expect(lineName(line(9600))).toBe('9600 8N1');
  expect(lineName(line(1200, 7, 'even', 2))).toBe('1200 7E2');
  expect(sameLine(line(9600), line(9600, 8, 'none', 2))).toBe(false);
});

test('Heard as it is sent, every byte comes as it is, to a strict driver too', () => {
  fc.assert(
    fc.property(anyBytes, anyLine, fc.boolean(), (bytes, sent, strict) => {
      const whole = sent.dataBits === 7 ? bytes.map((byte) => byte & 0x7f) : bytes;
      expect(heard(whole, sent, sent, strict)).toEqual(whole);
    }),
  );
});

test('Heard otherwise, it is what the simulator’s line makes of it, which was written by another hand', () => {
  fc.assert(
    fc.property(anyBytes, anyLine, anyLine, (bytes, sent, at) => {
      expect(heard(bytes, sent, at, false)).toEqual(received(bytes, sent, at));
    }),
  );
});

test('A strict driver gives less of a line that it is not set to, and nothing that the other would not give', () => {
  fc.assert(
    fc.property(anyBytes, anyLine, anyLine, (bytes, sent, at) => {
      expect(heard(bytes, sent, at, true).length).toBeLessThanOrEqual(heard(bytes, sent, at, false).length);
    }),
  );
});

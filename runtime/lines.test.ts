import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineCutter } from './lines.ts';

test('However a stream is cut into pieces, the lines are the same, letters of several bytes too', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''));
  fc.assert(
    fc.property(fc.array(line), fc.integer({ min: 1, max: 7 }), (lines, size) => {
      const stream = Buffer.from(lines.map((one) => `${one}\n`).join(''));
      const cutter = new LineCutter(100_000);
      const got: string[] = [];
      for (let at = 0; at < stream.length; at += size)
        got.push(...cutter.push(stream.subarray(at, at + size)));
      expect(got).toEqual(lines);
    }),
  );
});

test('A line of just the limit comes, a longer one ends the stream, and what came before it is kept', () => {
  const cutter = new LineCutter(4);
  expect(cutter.push(Buffer.from('abcd\nab'))).toEqual(['abcd']);
  expect(cutter.overlong).toBe(false);
  expect(cutter.push(Buffer.from('c\nabcde\nok\n'))).toEqual(['abc']);
  expect(cutter.overlong).toBe(true);
  expect(cutter.push(Buffer.from('ok\n'))).toEqual([]);
});

test('A half line is held until its end comes', () => {
  const cutter = new LineCutter(10);
  expect(cutter.push(Buffer.from('ab'))).toEqual([]);
  expect(cutter.push(Buffer.from('c'))).toEqual([]);
  expect(cutter.push(Buffer.from('\n\n'))).toEqual(['abc', '']);
});

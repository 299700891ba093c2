import { describe, expect, test } from 'vitest';
import { barText, ProgressBar } from './progress.ts';

/** A bar with what it has written, on a clock that the test moves. */
function bar(isTTY: boolean | undefined) {
  const written: string[] = [];
  const clock = { now: 0 };
  const out = { write: (text: string) => written.push(text), ...(isTTY !== undefined && { isTTY }) };
  return { bar: new ProgressBar(out, () => clock.now), written, clock };
}

describe('a progress bar', () => {
  test.each([
    ['records read', 0, 200, 'records read [....................] 0 % of 200'],
    ['records read', 50, 200, 'records read [#####...............] 25 % of 200'],
    ['records read', 22_999_999, 23_000_000, 'records read [####################] 99 % of 23,000,000'],
    ['copied', 200, 200, 'copied [####################] 100 % of 200'],
    ['copied', 300, 200, 'copied [####################] 100 % of 200'],
    ['records read', 1_200_000, undefined, 'records read: 1,200,000'],
    ['records written', 0, 0, 'records written: 0'],
  ])('of %s, %d of %s, is "%4$s"', (what, done, total, text) => {
    expect(barText(what, done, total)).toBe(text);
  });

  test.each([false, undefined])('writes nothing where nobody looks (isTTY %s)', (isTTY) => {
    const { bar: one, written } = bar(isTTY);
    one.show('records read', 1, 2);
    one.show('records read', 2, 2);
    one.clear();
    expect(written).toEqual([]);
  });

  test('writes over its line at most ten times a second, but always its end, and clears it once', () => {
    const { bar: one, written, clock } = bar(true);
    for (; clock.now < 1000; clock.now += 10) one.show('copied', clock.now, 2000);
    expect(written).toHaveLength(10);
    one.show('copied', 2000, 2000);
    expect(written).toHaveLength(11);
    expect(written.every((text) => text.startsWith('\r\u001B[Kcopied ['))).toBe(true);
    one.clear();
    one.clear();
    expect(written.slice(11)).toEqual(['\r\u001B[K']);
  });

  test('that never showed anything clears nothing', () => {
    const { bar: one, written } = bar(true);
    one.clear();
    expect(written).toEqual([]);
  });
});

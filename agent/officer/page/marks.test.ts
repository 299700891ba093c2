import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cell, compare, markPlaces, placesWords } from './marks.ts';

/** `L8[9]` with the marked ones in brackets, `·` for a gap. */
const drawn = (cells: readonly Cell[]): string =>
  cells
    .map(({ character, marked }) => (marked ? `[${character}]` : character))
    .join('')
    .replaceAll('\u00a0', '·');

describe('two numbers, one above the other', () => {
  test.each([
    ['look-alikes', 'L898902C3', 'L8989O2C3', 'L8989[0]2C3', 'L8989[O]2C3'],
    ['two of them', '6B1234567', 'G11234567', '[6][B]1234567', '[G][1]1234567'],
    ['a filler read in place of a K', 'AB<12', 'ABK12', 'AB[<]12', 'AB[K]12'],
    ['a filler that the record does not count, and a look-alike', 'AB<12', 'ABL2', 'AB<[1]2', 'AB·[L]2'],
    ['a character too many', 'AB012', 'AB12', 'AB[0]12', 'AB[·]12'],
    ['nothing in common', 'AAA', '1', '[A][A][A]', '[1][·][·]'],
  ])('are marked where they differ: %s', (_what, read, recorded, above, below) => {
    const rows = compare(read, recorded);
    expect([drawn(rows.read), drawn(rows.recorded)]).toEqual([above, below]);
  });

  test('are as long as each other, and nothing of either is left out', () => {
    const number = fc.stringMatching(/^[A-Z0-9<]{1,27}$/);
    fc.assert(
      fc.property(number, number, (read, recorded) => {
        const rows = compare(read, recorded);
        expect(rows.read).toHaveLength(rows.recorded.length);
        const text = (cells: readonly Cell[]) => cells.map(({ character }) => character.trim()).join('');
        expect([text(rows.read), text(rows.recorded)]).toEqual([read, recorded]);
      }),
    );
  });
});

test('Places in doubt are marked and said, counted from 1', () => {
  expect(drawn(markPlaces('L898902C3', [2]))).toBe('L8[9]8902C3');
  expect(drawn(markPlaces('L898902C3'))).toBe('L898902C3');
  expect(placesWords(markPlaces('L898902C3', [2]), 'in doubt')).toBe('Character 3 in doubt.');
  expect(placesWords(markPlaces('L898902C3', [0, 2, 8]), 'in doubt')).toBe('Characters 1, 3 and 9 in doubt.');
  expect(placesWords(markPlaces('L898902C3'), 'in doubt')).toBe('');
});

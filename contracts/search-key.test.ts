import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalNumber, canonicalState, documentTypeOf, searchKey } from './search-key.ts';

describe('The one search key', () => {
  test.each([
    ['UTO', 'L898902C3', 'UTO|L898902C3'],
    ['uto', 'l898902c3', 'UTO|L898902C3'],
    ['UTO', 'L898902<C3', 'UTO|L898902C3'],
    ['UTO', ' L89-8902.C/3 ', 'UTO|L898902C3'],
    ['D<<', 'C01X00T47', 'D|C01X00T47'],
    ['D', 'C01X00T47', 'D|C01X00T47'],
    ['DEU', 'C01X00T47', 'D|C01X00T47'],
    ['ROM', '1', 'ROU|1'],
    ['KS', '1', 'RKS|1'],
    ['XKX', '1', 'RKS|1'],
  ])('of %s and %s is %s', (state, number, key) => {
    expect(searchKey(state, number)).toBe(key);
  });

  test.each([
    ['UTO', ''],
    ['UTO', '<<<<<<<<<'],
    ['', 'L898902C3'],
    ['<<<', 'L898902C3'],
    ['UTOX', 'L898902C3'],
    ['U7O', 'L898902C3'],
    ['UTO', 'Л898902С3'],
    ['UTO', 'A'.repeat(28)],
  ])('does not exist for state "%s" and number "%s"', (state, number) => {
    expect(searchKey(state, number)).toBeUndefined();
  });

  test('never folds look-alikes: O and 0, I and 1, S and 5 are different documents', () => {
    for (const [one, other] of [
      ['O', '0'],
      ['I', '1'],
      ['S', '5'],
      ['B', '8'],
      ['Z', '2'],
    ] as const) {
      expect(searchKey('UTO', `A${one}1`)).not.toBe(searchKey('UTO', `A${other}1`));
    }
  });

  test('folding twice is folding once, so that publisher and terminal cannot drift apart', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (state, number) => {
        expect(canonicalState(canonicalState(state))).toBe(canonicalState(state));
        expect(canonicalNumber(canonicalNumber(number))).toBe(canonicalNumber(number));
      }),
    );
  });

  test('successor states are not the same issuer', () => {
    expect(new Set(['YUG', 'SCG', 'SRB', 'SUN', 'RUS'].map(canonicalState)).size).toBe(5);
  });

  test.each([
    ['P', 'passport'],
    ['PD', 'passport'],
    ['I<', 'identity-card'],
    ['AC', 'other'],
    ['A', 'identity-card'],
    ['V', 'visa'],
    ['X', 'other'],
  ])('the code %s is filed as %s', (code, type) => {
    expect(documentTypeOf(code)).toBe(type);
  });
});

import { describe, expect, test } from 'vitest';
import { readDate } from './dates.ts';

const today = { year: 2026, month: 11, day: 24 };
const birth = (text: string) => readDate(text, text, 'birth', today);
const expiry = (text: string) => readDate(text, text, 'expiry', today);

describe('the century', () => {
  test.each([
    ['261124', '2026-11-24', 'today'],
    ['261125', '1926-11-25', 'nobody is born tomorrow'],
    ['000229', '2000-02-29', 'a leap day'],
    ['270101', '1927-01-01', 'nearly a hundred years'],
    ['991231', '1999-12-31', 'the last century'],
  ])('a birth on %s was on %s: %s', (text, iso) => {
    expect(birth(text).date).toEqual({ raw: text, iso });
  });

  test.each([
    ['261123', '2026-11-23', true],
    ['261124', '2026-11-24', false],
    ['360101', '2036-01-01', false],
    ['751231', '2075-12-31', false],
    ['760101', '1976-01-01', true],
    ['990101', '1999-01-01', true],
    ['000229', '2000-02-29', true],
  ])('an expiry on %s is on %s; expired: %s', (text, iso, past) => {
    expect(expiry(text)).toEqual({ date: { raw: text, iso }, impossible: false, past });
  });

  test('at the end of a century an expiry of the next one is told from one of this', () => {
    const late = { year: 2098, month: 6, day: 1 };
    expect(readDate('050101', '050101', 'expiry', late)).toMatchObject({
      date: { iso: '2105-01-01' },
      past: false,
    });
    expect(readDate('900101', '900101', 'expiry', late)).toMatchObject({
      date: { iso: '2090-01-01' },
      past: true,
    });
  });
});

describe('unknown parts', () => {
  test.each(['<<<<<<', '74<<<<', '7408<<', '74<<12', '<<0812', '<<0229', '<<<<31'])(
    '%s is possible, but is no known day',
    (text) => {
      expect(birth(text)).toEqual({ date: { raw: text }, impossible: false, past: expect.any(Boolean) });
    },
  );

  test.each([
    ['25<<<<', true],
    ['26<<<<', false],
    ['2610<<', true],
    ['2611<<', false],
    ['<<0101', false],
    ['<<<<<<', false],
  ])('an expiry of %s is past only if its last possible day is: %s', (text, past) => {
    expect(expiry(text).past).toBe(past);
  });
});

describe('days that do not exist', () => {
  test.each(['740230', '741301', '740001', '740100', '230229', '740431', '<<0230', '<<1301', '74<<32'])(
    '%s is impossible',
    (text) => {
      expect(birth(text)).toEqual({ date: { raw: text }, impossible: true, past: false });
    },
  );

  test.each(['7408I2', '7<0812', '74<812', 'ABCDEF', '7408'])('%s is no date at all', (text) => {
    expect(birth(text)).toMatchObject({ impossible: true });
  });
});

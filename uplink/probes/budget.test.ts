import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { monotonic, wall } from '#contracts/units.ts';
import { parseValue } from '#runtime/parse.ts';
import {
  type Budget,
  budgetLeft,
  millisUntil,
  openBudget,
  readBudget,
  reserve,
  saveBudget,
  SavedBudget,
  smallProbeCost,
} from './budget.ts';
import { isOverBudget, MonthMeter, readMonth } from './month-meter.ts';

const month = 5_000_000;
const day = 86_400_000;
const at = monotonic;
const daily = month / 32;

function read(
  budget: Budget,
  now: number,
  counter?: number,
  { standsBy = true, doubled = false } = {},
): Budget {
  return readBudget(budget, { at: at(now), counter, standsBy, doubled }, month);
}

describe('the budget of a metered uplink that stands by', () => {
  test('begins with a day’s worth and never holds more', () => {
    const budget = openBudget(undefined, month, at(0));
    expect(budgetLeft(budget)).toBeCloseTo(daily);
    expect(budgetLeft(read(budget, 10 * day))).toBeCloseTo(daily);
  });

  test('what the device really moved is deducted, and comes back with time', () => {
    const budget = read(read(openBudget(undefined, month, at(0)), 1, 1000), 2, 1000 + 100_000);
    expect(budgetLeft(budget)).toBeCloseTo(daily - 100_000, 0);
    expect(budgetLeft(read(budget, 2 + day / 2, 101_000))).toBeCloseTo(daily - 100_000 + daily / 2, 0);
  });

  test('what it moves while it carries is not', () => {
    const budget = read(openBudget(undefined, month, at(0)), 1, 0);
    const carried = read(budget, 2, 900_000_000, { standsBy: false });
    expect(budgetLeft(carried)).toBeCloseTo(daily);
    expect(budgetLeft(read(carried, 3, 900_000_500))).toBeCloseTo(daily - 500, 0);
  });

  test('a counter that begins anew is taken for what was moved since', () => {
    const budget = read(read(openBudget(undefined, month, at(0)), 1, 50_000), 2, 700);
    expect(budgetLeft(budget)).toBeCloseTo(daily - 700, 0);
  });

  test('a device that is gone, or a counter that is none, changes nothing', () => {
    const budget = read(openBudget(undefined, month, at(0)), 1, 50_000);
    expect(budgetLeft(read(budget, 2))).toBeCloseTo(daily);
    expect(budgetLeft(read(budget, 2, Number.NaN))).toBeCloseTo(daily);
    expect(budgetLeft(read(budget, 2, -5))).toBeCloseTo(daily);
  });

  test('a promise counts until the bytes are there, and lapses where they never come', () => {
    const budget = read(openBudget(undefined, month, at(0)), 1, 0);
    const promised = reserve(budget, smallProbeCost, at(1));
    expect(budgetLeft(promised)).toBeCloseTo(daily - smallProbeCost, 0);
    expect(budgetLeft(read(promised, 2, 500))).toBeCloseTo(daily - smallProbeCost, 0);
    expect(budgetLeft(read(promised, 2, 700))).toBeCloseTo(daily - 700, 0);
    expect(budgetLeft(read(promised, 20_000))).toBeCloseTo(daily, 0);
  });

  test('fills twice as fast while nothing else works', () => {
    const spent = read(read(openBudget(undefined, month, at(0)), 1, 0), 2, Math.round(daily));
    const slow = budgetLeft(read(spent, 3_600_002));
    const fast = budgetLeft(read(spent, 3_600_002, undefined, { doubled: true }));
    expect(fast / slow).toBeCloseTo(2, 1);
  });

  test('says how long until there is enough', () => {
    const spent = read(read(openBudget(undefined, month, at(0)), 1, 0), 2, Math.round(daily));
    const millis = millisUntil(spent, smallProbeCost, month);
    expect(millis / 1000).toBeCloseTo((smallProbeCost / daily) * 86_400, -1);
    expect(budgetLeft(read(spent, 2 + millis + 1))).toBeGreaterThanOrEqual(smallProbeCost);
    expect(millisUntil(openBudget(undefined, month, at(0)), smallProbeCost, month)).toBe(0);
  });

  test('survives a restart as plain data, and is neither filled nor emptied by it', () => {
    const spent = read(read(openBudget(undefined, month, at(0)), 1, 0), 2, 100_000);
    const saved = parseValue(SavedBudget, JSON.parse(JSON.stringify(saveBudget(spent))), 'STORE_CORRUPT');
    if (!saved.ok) throw new Error(saved.fault.detail);
    const again = openBudget(saved.value, month, at(500));
    expect(budgetLeft(again)).toBeCloseTo(budgetLeft(spent));
    expect(budgetLeft(read(again, 501, 100_400))).toBeCloseTo(budgetLeft(spent) - 400, 0);
    expect(budgetLeft(openBudget({ level: 1e12, counter: null }, month, at(0)))).toBeCloseTo(daily);
  });

  test('restarts without end do not fill it', () => {
    let budget = read(read(openBudget(undefined, month, at(0)), 1, 0), 2, 100_000);
    const before = budgetLeft(budget);
    for (let turn = 0; turn < 100; turn++) budget = openBudget(saveBudget(budget), month, at(turn));
    expect(budgetLeft(budget)).toBeCloseTo(before);
  });

  test('lets no more through in any 30 days than the budget', () => {
    const spend = fc.record({ wait: fc.integer({ min: 1, max: 6 * 3_600_000 }), bytes: fc.nat(4000) });
    fc.assert(
      fc.property(fc.array(spend, { minLength: 1, maxLength: 400 }), (spends) => {
        let budget = read(openBudget(undefined, month, at(0)), 1, 0);
        let [now, counter] = [1, 0];
        // As dense as it can be: every second, whatever is left, until 30 days are over.
        for (const { wait, bytes } of spends) {
          now = Math.min(now + wait, 30 * day);
          budget = read(budget, now, counter);
          while (budgetLeft(budget) >= smallProbeCost) {
            counter += Math.max(bytes, smallProbeCost);
            budget = read(budget, now, counter);
          }
        }
        expect(counter).toBeLessThan(month);
      }),
      { numRuns: 20 },
    );
  });
});

describe('the data of a calendar month', () => {
  const time = (text: string) => wall(Date.parse(text));
  const reading = (text: string, counter: number | undefined, verified = true) => ({
    wall: time(text),
    verified,
    counter,
  });
  const begun = readMonth(undefined, reading('2026-03-30T00:00:00Z', 1000));

  test('begins at nothing, whatever the device has moved before', () => {
    expect(begun).toEqual({ month: '2026-03', verified: true, bytes: 0, counter: 1000 });
  });

  test('counts on, also over a counter that begins anew', () => {
    const more = readMonth(
      readMonth(begun, reading('2026-03-30T01:00:00Z', 5000)),
      reading('2026-03-30T02:00:00Z', 300),
    );
    expect(more).toMatchObject({ month: '2026-03', bytes: 4300, counter: 300 });
    expect(readMonth(more, reading('2026-03-30T02:00:00Z', undefined))).toEqual(more);
  });

  test('begins anew with a new month, at its first moment in UTC', () => {
    const more = readMonth(begun, reading('2026-03-31T23:59:59.999Z', 9000));
    expect(more).toMatchObject({ month: '2026-03', bytes: 8000 });
    expect(readMonth(more, reading('2026-04-01T00:00:00Z', 9500))).toMatchObject({
      month: '2026-04',
      bytes: 0,
    });
    expect(readMonth(more, reading('2027-01-01T00:00:00Z', 9500))).toMatchObject({
      month: '2027-01',
      bytes: 0,
    });
  });

  test.each(['1970-01-01T00:00:10Z', '2024-12-01T00:00:00Z', '2026-02-28T00:00:00Z'])(
    'is not begun anew by a clock that says %s, and goes on when it is right again',
    (wrong) => {
      const more = readMonth(begun, reading(wrong, 3000, false));
      expect(more).toMatchObject({ month: '2026-03', bytes: 2000, verified: true });
      expect(readMonth(more, reading('2026-03-30T03:00:00Z', 4000))).toMatchObject({
        month: '2026-03',
        bytes: 3000,
      });
    },
  );

  test('does not go back on the word of a verified clock where one has said it before', () => {
    const more = readMonth(begun, reading('2026-02-01T00:00:00Z', 3000, true));
    expect(more).toMatchObject({ month: '2026-03', bytes: 2000 });
  });

  test('that a wrong clock ran ahead to is put right by a verified one, and keeps its bytes', () => {
    const ahead = readMonth(begun, reading('2099-06-01T00:00:00Z', 2000, false));
    expect(ahead).toMatchObject({ month: '2099-06', verified: false, bytes: 0 });
    const more = readMonth(ahead, reading('2099-06-01T01:00:00Z', 7000, false));
    const right = readMonth(more, reading('2026-03-30T02:00:00Z', 8000, true));
    expect(right).toMatchObject({ month: '2026-03', verified: true, bytes: 6000 });
    expect(readMonth(right, reading('2026-04-01T00:00:00Z', 8000, true))).toMatchObject({ bytes: 0 });
  });

  test('where the clock was never right begins when it is', () => {
    const first = readMonth(undefined, reading('1970-01-01T00:00:00Z', 0, false));
    const counted = readMonth(first, reading('1970-01-02T00:00:00Z', 500, false));
    expect(counted).toMatchObject({ verified: false, bytes: 500 });
    expect(readMonth(counted, reading('2026-03-30T00:00:00Z', 600))).toMatchObject({
      month: '2026-03',
      bytes: 0,
    });
  });

  test('of a clock beyond all calendars changes nothing', () => {
    for (const strange of [Number.NaN, 1e20, -1e20, Date.UTC(20_000, 1)])
      expect(readMonth(begun, { wall: wall(strange), verified: true, counter: 1000 })).toEqual(begun);
  });

  test('is plain data', () => {
    expect(parseValue(MonthMeter, JSON.parse(JSON.stringify(begun)), 'STORE_CORRUPT')).toEqual({
      ok: true,
      value: begun,
    });
  });

  test('is over its budget from the last byte on, and never where there is no limit', () => {
    expect(isOverBudget({ ...begun, bytes: 99_999_999 }, 100)).toBe(false);
    expect(isOverBudget({ ...begun, bytes: 100_000_000 }, 100)).toBe(true);
    expect(isOverBudget({ ...begun, bytes: 1e15 }, 0)).toBe(false);
  });
});

import { describe, expect, test } from 'vitest';
import { massOutage, type OfflineTerminal } from './outage.ts';

const rules = { outageSites: 5, outagePercent: 20 };
const down = (sites: number, everySeconds: number, from = 0): OfflineTerminal[] =>
  Array.from({ length: sites }, (_, n) => ({
    terminal: `${from + n}-1`,
    site: String(from + n),
    since: 1_000_000 + n * everySeconds * 1000,
  }));
const online = (sites: number, from = 1000): Set<string> =>
  new Set(Array.from({ length: sites }, (_, n) => String(from + n)));

describe('Many sites at once', () => {
  test('Five sites within a minute are one outage, four are not', () => {
    expect(massOutage(down(5, 10), online(10), rules, false).size).toBe(5);
    expect(massOutage(down(4, 10), online(10), rules, false).size).toBe(0);
  });

  test('In a large fleet it takes a fifth of the sites that were online', () => {
    expect(massOutage(down(20, 1), online(80), rules, false).size).toBe(20);
    expect(massOutage(down(19, 1), online(81), rules, false).size).toBe(0);
  });

  test('Sites that go down slowly, one after the other, are no outage of the centre', () => {
    expect(massOutage(down(9, 20), online(1), rules, false).size).toBe(0);
  });

  test('An outage that takes minutes to unfold is one', () => {
    expect(massOutage(down(60, 10), online(1), { outageSites: 5, outagePercent: 1 }, false).size).toBe(60);
  });

  test('Several terminals of one site count once, and all of them belong to it', () => {
    const second = down(5, 10).map((one) => ({ ...one, terminal: `${one.site}-2` }));
    expect(massOutage([...down(5, 10), ...second], online(10), rules, false).size).toBe(10);
    const site = Array.from({ length: 9 }, (_, n) => ({ terminal: `0-${n}`, site: '0', since: 1_000_000 }));
    expect(massOutage(site, online(0), rules, false).size).toBe(0);
  });

  test('Once it is an alert, it stands until fewer than half are left', () => {
    expect(massOutage(down(3, 10), online(10), rules, true).size).toBe(3);
    expect(massOutage(down(2, 10), online(10), rules, true).size).toBe(0);
  });
});

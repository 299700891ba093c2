import { describe, expect, test } from 'vitest';
import { siteRow, terminalRow } from '#test/rigs/made-up-rows.ts';
import { everything, filtered, filterFrom, filterTo, type FleetFilter } from './filter.ts';
import { hashOf, placeOf } from './place.ts';

const since = '2026-11-25T08:00:00.000Z';
const sites = new Map(
  [siteRow('UTO-0001', { name: 'Old Bridge' }), siteRow('EXA-0001', { name: 'New Pass' })].map((site) => [
    site.site,
    site,
  ]),
);
const rows = [
  terminalRow('UTO-0001', { uplink: 'dsl' }),
  terminalRow('UTO-0001', { terminal: 'UTO-0001-2', state: 'offline' }),
  terminalRow('EXA-0001', {
    version: '0.2.0',
    conditions: [{ code: 'reader-absent', since, subject: 'counter-7' }],
  }),
];
const found = (filter: Partial<FleetFilter>): string[] =>
  filtered(rows, sites, { ...everything, ...filter }).map(({ terminal }) => terminal);

describe('the filter of the fleet', () => {
  test('shows all, those in trouble first and then by id', () => {
    expect(found({})).toEqual(['EXA-0001-1', 'UTO-0001-2', 'UTO-0001-1']);
  });

  test('finds words in any order and letters in the name of the site, conditions, version, uplink', () => {
    expect(found({ words: 'BRIDGE old' })).toEqual(['UTO-0001-2', 'UTO-0001-1']);
    expect(found({ words: 'plugged counter-7' })).toEqual(['EXA-0001-1']);
    expect(found({ words: '0.2.0' })).toEqual(['EXA-0001-1']);
    expect(found({ words: 'dsl' })).toEqual(['UTO-0001-1']);
    expect(found({ words: 'bridge pass' })).toEqual([]);
    expect(found({ words: '   ' })).toHaveLength(3);
  });

  test('holds state, bureau and condition together', () => {
    expect(found({ trouble: ['offline', 'none'] })).toEqual(['UTO-0001-2', 'UTO-0001-1']);
    expect(found({ trouble: ['offline'], bureau: 'EXA' })).toEqual([]);
    expect(found({ condition: 'reader-absent' })).toEqual(['EXA-0001-1']);
    expect(found({ condition: 'disk-low' })).toEqual([]);
  });

  test('survives in the address, whatever is typed', () => {
    const filter: FleetFilter = {
      words: '50 % & <b>#?=/',
      trouble: ['error', 'never'],
      bureau: 'UTO',
      condition: 'disk-low',
    };
    const { view, query } = placeOf(hashOf('fleet', '', filterTo(filter)));
    expect(view).toBe('fleet');
    expect(filterFrom(query)).toEqual(filter);
    expect(hashOf('fleet', '', filterTo(everything))).toBe('#/fleet');
  });

  test('takes no state out of an address that does not exist', () => {
    expect(filterFrom(new URLSearchParams('state=offline,broken,__proto__')).trouble).toEqual(['offline']);
  });
});

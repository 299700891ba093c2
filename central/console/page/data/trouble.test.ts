import { describe, expect, test } from 'vitest';
import { siteRow, terminalRow } from '#test/rigs/made-up-rows.ts';
import { rankOf, sitesOf, troubleOf } from './trouble.ts';

const since = '2026-11-25T08:00:00.000Z';
const warning = { code: 'edition-aging', since };
const error = { code: 'reader-absent', since };

describe('the trouble of a terminal', () => {
  test('is the gravest of its conditions while it is heard', () => {
    expect(troubleOf(terminalRow('UTO-0001'))).toBe('none');
    expect(troubleOf(terminalRow('UTO-0001', { conditions: [warning] }))).toBe('warning');
    expect(troubleOf(terminalRow('UTO-0001', { conditions: [warning, error] }))).toBe('error');
  });

  test('is its silence once it is not heard, whatever it said before', () => {
    const conditions = [error];
    expect(troubleOf(terminalRow('UTO-0001', { state: 'offline', conditions }))).toBe('offline');
    expect(troubleOf(terminalRow('UTO-0001', { state: 'never', conditions }))).toBe('never');
    expect(troubleOf(terminalRow('UTO-0001', { state: 'suspect', conditions }))).toBe('error');
    expect(troubleOf(terminalRow('UTO-0001', { state: 'suspect', conditions: [warning] }))).toBe('suspect');
  });

  test('is an error where the condition is not known to this release', () => {
    expect(troubleOf(terminalRow('UTO-0001', { conditions: [{ code: 'of-tomorrow', since }] }))).toBe(
      'error',
    );
  });
});

test('a site is in the worst trouble of its terminals, and one that is not known is left out', () => {
  const rows = [
    terminalRow('UTO-0001', { terminal: 'UTO-0001-1' }),
    terminalRow('UTO-0001', { terminal: 'UTO-0001-2', state: 'offline' }),
    terminalRow('UTO-0001', { terminal: 'UTO-0001-3', conditions: [warning] }),
    terminalRow('UTO-0009'),
  ];
  const sites = sitesOf(new Map([['UTO-0001', siteRow('UTO-0001')]]), rows);
  expect([...sites.keys()]).toEqual(['UTO-0001']);
  expect(sites.get('UTO-0001')).toMatchObject({ trouble: 'offline', terminals: { length: 3 } });
  expect(rankOf('error')).toBeLessThan(rankOf('offline'));
});

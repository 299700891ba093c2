import { expect, test } from 'vitest';
import { centreConditions } from '#contracts/api/fleet.ts';
import { conditions } from '#contracts/conditions.ts';
import type { UplinkHealth } from '#contracts/health.ts';
import { hitItem, hitRow, terminalRow } from '#test/rigs/made-up-rows.ts';
import {
  agoWords,
  basisWords,
  bytesWords,
  conditionOf,
  copyWords,
  documentWords,
  forWords,
  outcomeOf,
  uplinkWords,
  whenWords,
} from './words.ts';

const now = Date.parse('2026-11-25T08:15:30.000Z');

const dsl = {
  name: 'dsl',
  state: 'up',
  loss: 0.001,
  delayMillis: 24,
  mtu: 1420,
  monthBytes: null,
  overBudget: false,
} as const;
const lte = {
  ...dsl,
  name: 'lte',
  state: 'no-data',
  loss: 1,
  delayMillis: null,
  monthBytes: 12_400_000,
} as const;
const well: UplinkHealth = { state: 'up', uplink: 'dsl', hub: 'hub-one', uplinks: [dsl] };

test('A site that is connected says through what, and how good each uplink is', () => {
  expect(uplinkWords(well)).toEqual([
    { text: 'through dsl and hub-one', amiss: false },
    { text: 'dsl: works, 24 ms', amiss: false },
  ]);
  expect(uplinkWords({ ...well, uplinks: [{ ...dsl, loss: 0.126, overBudget: true }] })[1]).toEqual({
    text: 'dsl: works, 24 ms, loses 13 %, data used up',
    amiss: true,
  });
});

test('One whose uplinks are down says which and why', () => {
  expect(uplinkWords({ state: 'lines-down', uplink: null, hub: null, uplinks: [lte] })).toEqual([
    { text: 'no uplink works', amiss: true },
    { text: 'lte: connected, but no data comes back, 12 MB this month', amiss: true },
  ]);
});

test('A site whose helper has told nothing says nothing of its uplinks', () => {
  expect(uplinkWords(null)).toEqual([]);
  expect(uplinkWords(undefined)).toEqual([]);
});

test('every condition of a terminal and of the centre has words, and one from tomorrow is an error with its code', () => {
  for (const code of [...Object.keys(conditions), ...Object.keys(centreConditions)]) {
    const { title, remedy } = conditionOf(code);
    expect(title, code).not.toBe(code);
    expect(remedy, code).toMatch(/\.$/);
  }
  expect(conditionOf('of-tomorrow')).toMatchObject({ severity: 'error', title: 'of-tomorrow' });
  expect(conditionOf('constructor')).toMatchObject({ severity: 'error', title: 'constructor' });
});

test('times are said as ages, and never lie in the future', () => {
  expect(agoWords('2026-11-25T08:03:00.000Z', now)).toBe('12 min ago');
  expect(agoWords('2026-11-25T08:16:00.000Z', now)).toBe('0 s ago');
  expect(agoWords(null, now)).toBe('never');
  expect(forWords('2026-11-25T05:00:00.000Z', now)).toBe('for 3 h');
  expect(whenWords('2026-11-20T05:00:00.000Z', now)).toMatch(/^20 November, \d\d:\d\d$/);
});

test('the copy of a terminal has an age, and where there is none that is said', () => {
  expect(copyWords(terminalRow('UTO-0001'), now)).toBe('copy 3 h old');
  expect(copyWords(terminalRow('UTO-0001', { editionDate: null }), now)).toBe('no copy');
  expect(copyWords(terminalRow('UTO-0001', { editionDate: null, state: 'never' }), now)).toBe('');
});

test('a hit shows a masked number, its basis, and what became of it', () => {
  const document = { issuingState: 'UTO', documentNumber: 'L898902C3', documentType: 'passport' } as const;
  expect(documentWords(hitItem(1, { document }))).toBe('UTO ••••••2C3');
  expect(basisWords(hitItem(1))).toBe('the offline copy, 3 h old');
  expect(outcomeOf(hitRow(1, 'UTO-0001'))).toBe('No outcome yet');
  expect(outcomeOf(hitRow(1, 'UTO-0001', { hit: hitItem(1, { training: true }) }))).toBe(
    'Training, no outcome yet',
  );
  const acknowledged = { at: '2026-11-25T08:10:00.000Z', outcome: 'false-alarm', officer: 'a17' } as const;
  expect(outcomeOf(hitRow(1, 'UTO-0001', { acknowledged }))).toBe('False alarm, officer a17');
});

test('data is said in units as it is sold', () => {
  expect([0, 999, 1500, 12_345_678, 5e14].map(bytesWords)).toEqual([
    '0 B',
    '999 B',
    '1.5 kB',
    '12.3 MB',
    '500 TB',
  ]);
});

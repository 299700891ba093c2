import { expect, test } from 'vitest';
import type { UplinkHealth } from '#contracts/health.ts';
import { uplinkWords } from './words.ts';

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

import { expect, test } from 'vitest';
import { seconds, wall } from '#contracts/units.ts';
import type { Slot } from '../keys/slots.ts';
import { planRotation, type SlotAge } from './plan.ts';

const day = 86_400;
const now = wall(Date.parse('2026-06-01T00:00:00Z'));
const old = wall(now - 40 * day * 1000);
const young = wall(now - 2 * day * 1000);
const plan = (slots: readonly SlotAge[], carrying: string | null = 'one', days = 30): readonly Slot[] =>
  planRotation(slots, now, { rotateAfter: seconds(days * day), carrying });
const all = (since: typeof old | null, begun = false): SlotAge[] =>
  (['tunnel@one', 'tunnel@two', 'probe-dsl'] as const).map((slot) => ({ slot, since, begun }));

test('The hub that carries comes last, and the probes first', () => {
  expect(plan(all(old))).toEqual(['probe-dsl', 'tunnel@two', 'tunnel@one']);
  expect(plan(all(old), 'two')).toEqual(['probe-dsl', 'tunnel@one', 'tunnel@two']);
  expect(plan(all(old), null)).toEqual(['probe-dsl', 'tunnel@one', 'tunnel@two']);
});

test('A young key is not due, and one of unknown age is', () => {
  expect(plan(all(young))).toEqual([]);
  expect(plan(all(null))).toHaveLength(3);
});

test('With 0 days nothing is due by age, but what was begun goes on', () => {
  expect(plan(all(old), 'one', 0)).toEqual([]);
  const begun: SlotAge[] = [...all(old), { slot: 'probe-lte', since: young, begun: true }];
  expect(plan(begun, 'one', 0)).toEqual(['probe-lte']);
});

test('What was begun comes before all others, except at the hub that carries', () => {
  const slots: SlotAge[] = [
    { slot: 'tunnel@one', since: old, begun: true },
    { slot: 'probe-dsl', since: old, begun: false },
    { slot: 'tunnel@two', since: old, begun: true },
  ];
  expect(plan(slots)).toEqual(['tunnel@two', 'probe-dsl', 'tunnel@one']);
});

test('A clock that has gone back behind the date of a key makes nothing due', () => {
  expect(plan(all(wall(now + 400 * day * 1000)))).toEqual([]);
});

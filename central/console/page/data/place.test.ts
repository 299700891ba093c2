import { expect, test } from 'vitest';
import { hashOf, placeOf } from './place.ts';

test('an address names a view, what it is of, and how it is shown', () => {
  const { view, id, query } = placeOf('#/terminal/UTO-0001-1?tab=charts&span=7d');
  expect([view, id, query.get('tab'), query.get('span')]).toEqual(['terminal', 'UTO-0001-1', 'charts', '7d']);
});

test('without an address it is the fleet', () => {
  for (const hash of ['', '#', '#/']) expect(placeOf(hash)).toMatchObject({ view: 'fleet', id: '' });
});

test('an id with anything in it comes back as it was', () => {
  for (const id of ['a/b?c#d', '100 %', 'bureau:UTO', '<script>'])
    expect(placeOf(hashOf('configuration', id)).id).toBe(id);
});

test('an address that somebody has broken breaks nothing', () => {
  expect(placeOf('#/site/%E0%A4%A').id).toBe('%E0%A4%A');
});

test('what is empty is left out of the address', () => {
  expect(hashOf('fleet', '', { q: '', map: 'no' })).toBe('#/fleet?map=no');
});

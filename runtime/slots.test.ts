import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

test('So many have a place at once; the next gets one when it is given back, in order, and giving back twice counts once', async () => {
  const slots = new Slots(2);
  const order: string[] = [];
  const first = await slots.take();
  await slots.take();
  const third = slots.take().then((free) => (order.push('third'), free));
  const fourth = slots.take().then((free) => (order.push('fourth'), free));
  await new Promise(setImmediate);
  expect(order).toEqual([]);
  first?.();
  first?.();
  const free = await third;
  await new Promise(setImmediate);
  expect(order).toEqual(['third']);
  free?.();
  await fourth;
  expect(order).toEqual(['third', 'fourth']);
});

test('When it is closed, whoever waits and whoever comes later gets none', async () => {
  const slots = new Slots(1);
  await slots.take();
  const waiting = slots.take();
  slots.close();
  expect(await waiting).toBeUndefined();
  expect(await slots.take()).toBeUndefined();
});

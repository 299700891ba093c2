import { expect, test } from 'vitest';
import { TestClock } from '#runtime/test-clock.ts';
import type { Order } from '../halves/orders.ts';
import { OrderBook, type OrderText } from './order-book.ts';

const content: OrderText = { tunnels: [], addresses: ['10.77.0.2/32'], routes: [] };

function book() {
  const clock = new TestClock();
  const given: Order[] = [];
  let wanted = content;
  let seq = 0;
  const orders = new OrderBook({
    clock,
    content: () => wanted,
    give: (order) => given.push(order),
    nextSeq: () => ++seq,
  });
  return { clock, given, orders, want: (next: OrderText) => (wanted = next) };
}

test('An order is stale as soon as something else is wanted, and not before', () => {
  const { orders, want } = book();
  orders.give();
  expect(orders.isStale).toBe(false);
  want({ ...content, addresses: ['10.77.0.3/32'] });
  expect(orders.isStale).toBe(true);
});

test('Whoever waits for an order is told when it, or a later one, was carried out', async () => {
  const { orders } = book();
  const first = orders.giveAndAwait();
  const second = orders.giveAndAwait();
  orders.heard({ kind: 'applied', seq: 2, changed: [] });
  expect(await Promise.all([first, second])).toEqual([
    { ok: true, value: undefined },
    { ok: true, value: undefined },
  ]);
});

test('An earlier order that was carried out says nothing about a later one', async () => {
  const { orders, clock } = book();
  orders.give();
  const second = orders.giveAndAwait();
  orders.heard({ kind: 'applied', seq: 1, changed: [] });
  await clock.advance(8000);
  expect(await second).toMatchObject({ ok: false, fault: { code: 'TUNNEL_FAILED' } });
});

test('What the inner half could not do is a fault with its words, and it counts as waiting', async () => {
  const { orders } = book();
  const waiting = orders.giveAndAwait();
  orders.heard({ kind: 'failed', seq: 1, code: 'TOOL_MISSING', detail: 'wg is not installed' });
  expect(await waiting).toMatchObject({ fault: { detail: 'TOOL_MISSING: wg is not installed' } });
  expect(orders.state).toBe('waiting');
});

test('The nudge goes with the next order and stays at its number until there is another', () => {
  const { orders, given } = book();
  orders.give();
  orders.nudge();
  orders.give();
  orders.give();
  expect(given.map(({ nudge }) => nudge)).toEqual([0, 1, 1]);
});

test('It is absent, waiting or done as the inner half comes, obeys and goes', () => {
  const { orders } = book();
  expect(orders.state).toBe('absent');
  orders.present(true);
  expect(orders.state).toBe('waiting');
  orders.heard({ kind: 'applied', seq: orders.give(), changed: [] });
  expect(orders.state).toBe('applied');
  orders.give();
  expect(orders.state).toBe('waiting');
  orders.present(false);
  expect(orders.state).toBe('absent');
});

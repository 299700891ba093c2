import { expect, test } from 'vitest';
import type { OwedItem } from '#contracts/outbox.ts';
import { PlayedOutbox } from './outbox.ts';

const stamp = { at: '2026-01-15T08:00:00.000Z', clock: 'verified' } as const;
const head = (entry: number): OwedItem => ({ kind: 'audit-head', entry, hash: 'a'.repeat(64) });

test('What a played terminal owes comes in batches in order, until it is acknowledged', () => {
  const outbox = new PlayedOutbox();
  for (let n = 1; n <= 5; n++) expect(outbox.owe(head(n), stamp)).toBe(n);
  const batch = outbox.batch(3);
  expect(batch.ok && batch.value?.entries.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(outbox.acknowledge(3)).toEqual({ ok: true, value: 3 });
  const rest = outbox.batch(3);
  expect(rest.ok && rest.value?.oldest).toBe(4);
  expect(outbox.acknowledge(5)).toEqual({ ok: true, value: 2 });
  expect(outbox.batch(3)).toEqual({ ok: true, value: undefined });
  expect([outbox.last, outbox.depth(), outbox.acknowledgedEver]).toEqual([5, 0, 5]);
});

test('An acknowledgement that comes twice forgets nothing more', () => {
  const outbox = new PlayedOutbox();
  outbox.owe(head(1), stamp);
  outbox.owe(head(2), stamp);
  outbox.acknowledge(1);
  expect(outbox.acknowledge(1)).toEqual({ ok: true, value: 0 });
  expect(outbox.depth()).toBe(1);
});

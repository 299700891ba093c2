import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OutboxBatch } from '#contracts/outbox.ts';
import { maxBatch } from '#contracts/outbox.ts';
import { ok } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { createOutbox, type Outbox } from '../outbox/index.ts';
import { openStore, type Store } from '../store/index.ts';
import { Delivery } from './delivery.ts';

// A real store and outbox; the line is an array.

let folder: string;
let store: Store;
let outbox: Outbox;
let clock: TestClock;
let sent: OutboxBatch[];
let answered: number;
let delivery: Delivery;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-delivery-'));
  const opened = openStore(join(folder, 'test.db'));
  if (!opened.ok) throw new Error(opened.fault.detail);
  store = opened.value;
  outbox = createOutbox({ store, sealingKey: createSecretKey(randomBytes(32)) });
  clock = new TestClock();
  sent = [];
  answered = 0;
});

afterEach(() => {
  delivery.close();
  store.close();
  rmSync(folder, { recursive: true });
});

function begin(): void {
  delivery = new Delivery({
    outbox,
    resendAfter: ms(1000),
    clock,
    log: silentLog,
    send: async (batch) => {
      sent.push(JSON.parse(batch) as OutboxBatch);
      return ok(undefined);
    },
    onAck: () => answered++,
  });
}

function owe(count: number): void {
  const done = store.transaction(() => {
    for (let i = 0; i < count; i++) {
      outbox.owe(
        { kind: 'audit-head', entry: i + 1, hash: 'ab'.repeat(32) },
        { at: '2026-01-15T08:00:00.000Z', clock: 'verified' },
      );
    }
  });
  expect(done.ok).toBe(true);
}

const ack = (through: number, stream = outbox.stream()): void =>
  delivery.acknowledged(JSON.stringify({ v: 1, stream, through }));
const numbers = (batch: OutboxBatch | undefined): number[] => (batch?.entries ?? []).map(({ seq }) => seq);

test('What was owed before the session is sent at its start, and forgotten only when the controller has acknowledged it', () => {
  owe(2);
  begin();
  expect(sent.map(numbers)).toEqual([[1, 2]]);
  expect(outbox.depth()).toBe(2);
  ack(2);
  expect(outbox.depth()).toBe(0);
  expect(answered).toBe(1);
});

test('What becomes owed during the session is sent at once; while a batch is on its way it waits for that one', async () => {
  begin();
  owe(1);
  await clock.advance(0);
  expect(sent.map(numbers)).toEqual([[1]]);
  owe(1);
  await clock.advance(0);
  expect(sent).toHaveLength(1);
  ack(1);
  expect(sent.map(numbers)).toEqual([[1], [2]]);
});

test('A batch that the controller does not acknowledge is sent again and again, and nothing overtakes it', async () => {
  owe(1);
  begin();
  owe(1);
  await clock.advance(3500);
  expect(sent.map(numbers)).toEqual([[1], [1, 2], [1, 2], [1, 2]]);
});

test('A long outage is sent in bounded batches, in order, each after the one before was acknowledged', () => {
  owe(100);
  begin();
  for (;;) {
    const last = numbers(sent.at(-1)).at(-1) ?? 0;
    expect(sent.at(-1)?.entries.length).toBeLessThanOrEqual(maxBatch);
    ack(last);
    if (last === 100) break;
  }
  expect(sent.flatMap(numbers)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  expect(outbox.depth()).toBe(0);
});

test('When the controller acknowledges only a part, the rest goes again from there', () => {
  owe(5);
  begin();
  ack(3);
  expect(sent.map(numbers)).toEqual([
    [1, 2, 3, 4, 5],
    [4, 5],
  ]);
});

test('An acknowledgement of another stream, of what was never sent, or that is no acknowledgement, forgets nothing', () => {
  owe(2);
  begin();
  ack(2, '0190a000-0000-7000-8000-000000000000');
  ack(3);
  delivery.acknowledged('not json');
  delivery.acknowledged('{"v":1,"through":"2"}');
  expect(outbox.depth()).toBe(2);
  expect(answered).toBe(0);
});

test('After the session is over, nothing is sent and no late acknowledgement counts', async () => {
  owe(1);
  begin();
  delivery.close();
  owe(1);
  ack(1);
  await clock.advance(10_000);
  expect(sent).toHaveLength(1);
  expect(outbox.depth()).toBe(2);
});

import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { maxBatch, OutboxEntry, type OwedItem } from '#contracts/outbox.ts';
import { seal } from '#formats/sealed.ts';
import { parseValue } from '#runtime/parse.ts';
import { openStore, type Store } from '../store/index.ts';
import { createOutbox, type Outbox } from './index.ts';

const stamp = { at: '2026-01-15T08:00:00.000Z', clock: 'verified' } as const;
const head = (entry: number): OwedItem => ({ kind: 'audit-head', entry, hash: 'a'.repeat(64) });
const specimen: OwedItem = {
  kind: 'hit',
  lookup: '01890a5d-ac96-774b-bcce-b302099a8057',
  verdict: 'hit',
  document: { issuingState: 'UTO', documentNumber: 'L898902C3', documentType: 'passport' },
  basis: 'edition',
  source: { collection: 'sltd', version: 1, date: '2026-01-15T00:00:00.000Z', count: 1 },
  age: { seconds: 60, bound: 'exact' },
  matches: [
    {
      kind: 'exact',
      record: {
        documentType: 'passport',
        kindOfLoss: 'stolen',
        reportedOn: '2025-12-01',
        reportedBy: 'UTO',
      },
    },
  ],
  officer: 'unassigned',
  reader: 'counter-1',
  training: false,
  late: false,
  recorded: true,
};

let folder: string;
let store: Store;
let outbox: Outbox;
const sealingKey = createSecretKey(randomBytes(32));

function open(): void {
  const opened = openStore(join(folder, 'checkpost.db'));
  if (!opened.ok) throw new Error(opened.fault.detail);
  store = opened.value;
  outbox = createOutbox({ store, sealingKey });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outbox-'));
  open();
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

function owe(item: OwedItem): number {
  const done = store.transaction(() => outbox.owe(item, stamp));
  if (!done.ok) throw new Error(done.fault.detail);
  return done.value;
}

function numbers(limit = maxBatch, from?: number): number[] {
  const batch = outbox.batch(limit, from);
  if (!batch.ok) throw new Error(batch.fault.detail);
  return batch.value?.entries.map((entry) => entry.seq) ?? [];
}

function entriesOf(limit = maxBatch): readonly OutboxEntry[] {
  const batch = outbox.batch(limit);
  return batch.ok ? (batch.value?.entries ?? []) : [];
}

describe('numbers', () => {
  test('rise by one, and an item comes back as it was owed, in a batch that fits its schema', () => {
    expect([owe(specimen), owe(head(1))]).toEqual([1, 2]);
    const [first] = entriesOf();
    expect(first).toEqual({ seq: 1, ...stamp, item: specimen });
    expect(parseValue(OutboxEntry, first, 'INTERNAL').ok).toBe(true);
  });

  test('have no hole after a transaction that was rolled back', () => {
    owe(head(1));
    const failed = store.transaction(() => {
      outbox.owe(head(2), stamp);
      outbox.owe(head(3), stamp);
      throw new Error('the audit entry failed');
    });
    expect(failed.ok).toBe(false);
    expect(owe(head(4))).toBe(2);
    expect(numbers()).toEqual([1, 2]);
  });

  test('have no hole when the first transaction of the store was rolled back', () => {
    store.transaction(() => {
      outbox.owe(head(1), stamp);
      throw new Error('no');
    });
    expect(owe(head(1))).toBe(1);
  });

  test('are not used again when the outbox is empty, nor after a restart', () => {
    owe(head(1));
    owe(head(2));
    expect(outbox.acknowledge(2)).toEqual({ ok: true, value: 2 });
    expect(owe(head(3))).toBe(3);
    outbox.acknowledge(3);
    store.close();
    open();
    expect(owe(head(4))).toBe(4);
  });
});

describe('the stream', () => {
  test('keeps its id over a restart, and a new store begins a new one', () => {
    const stream = outbox.stream();
    store.close();
    open();
    expect(outbox.stream()).toBe(stream);
    store.close();
    rmSync(folder, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), 'outbox-'));
    open();
    expect(outbox.stream()).not.toBe(stream);
  });
});

describe('batches', () => {
  test('are the lowest entries, as many as asked for, and say what is the oldest', () => {
    for (let i = 1; i <= 40; i++) owe(head(i));
    expect(numbers(32)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1));
    outbox.acknowledge(10);
    expect(numbers(3)).toEqual([11, 12, 13]);
    expect(numbers(3, 20)).toEqual([20, 21, 22]);
    expect(outbox.batch(3, 20)).toMatchObject({ value: { oldest: 11 } });
    expect(numbers(3, 41)).toEqual([]);
  });

  test('end at about 32 KiB, and an item that is larger alone still goes', () => {
    const record = { ...specimen.matches[0]!.record, remark: 'x'.repeat(500) };
    const large = (matches: number): OwedItem => ({
      ...specimen,
      matches: Array.from({ length: matches }, () => ({ kind: 'exact' as const, record })),
    });
    for (let i = 0; i < 8; i++) owe(large(20));
    expect(numbers()).toEqual([1, 2, 3]);
    outbox.acknowledge(8);
    owe(large(120));
    owe(head(1));
    expect(numbers()).toEqual([9]);
  });

  test('are nothing where nothing is owed', () => {
    expect(outbox.batch(maxBatch)).toEqual({ ok: true, value: undefined });
    expect(outbox.depth()).toBe(0);
    expect(outbox.oldestAt()).toBeUndefined();
  });

  test('give a fault, not a crash, when the store cannot be read', () => {
    owe(head(1));
    store.run('DROP TABLE outbox');
    expect(outbox.batch(maxBatch)).toMatchObject({ ok: false, fault: { code: 'STORE_FAILED' } });
    expect(outbox.acknowledge(1).ok).toBe(false);
  });
});

describe('a damaged entry', () => {
  const damage = (sql: string, ...values: (number | Buffer)[]): void => {
    expect(store.transaction(() => store.run(sql, ...values))).toEqual({ ok: true, value: 1 });
  };

  test('is replaced under its own number, so that those after it still go', () => {
    owe(head(1));
    owe(head(2));
    owe(head(3));
    damage('UPDATE outbox SET sealed = ? WHERE seq = 2', Buffer.alloc(80));
    expect(entriesOf()).toEqual([
      { seq: 1, ...stamp, item: head(1) },
      { seq: 2, ...stamp, item: { kind: 'item-damaged', reason: 'seal' } },
      { seq: 3, ...stamp, item: head(3) },
    ]);
  });

  test('keeps its bytes when it is acknowledged, and a whole one does not', () => {
    owe(head(1));
    owe(head(2));
    damage('UPDATE outbox SET sealed = ? WHERE seq = 2', Buffer.from('not a seal'));
    expect(outbox.acknowledge(2)).toEqual({ ok: true, value: 2 });
    expect(store.meta('outbox.damaged.2')).toBe(Buffer.from('not a seal').toString('base64'));
    expect(store.meta('outbox.damaged.1')).toBeUndefined();
  });

  test('is one that was moved to another number, or whose time is none', () => {
    owe(head(1));
    owe(head(2));
    damage('UPDATE outbox SET sealed = (SELECT sealed FROM outbox WHERE seq = 1) WHERE seq = 2');
    damage("UPDATE outbox SET at = 'yesterday' WHERE seq = 1");
    expect(entriesOf().map((entry) => [entry.at, entry.item.kind])).toEqual([
      ['1970-01-01T00:00:00.000Z', 'item-damaged'],
      [stamp.at, 'item-damaged'],
    ]);
  });

  test('is also one whose content is no item of this release', () => {
    owe(head(1));
    const odd = seal(sealingKey, `outbox ${outbox.stream()} 1`, Buffer.from('{"kind":"later"}'));
    damage('UPDATE outbox SET sealed = ? WHERE seq = 1', odd);
    expect(entriesOf()).toMatchObject([{ seq: 1, item: { kind: 'item-damaged', reason: 'content' } }]);
  });
});

describe('what is kept', () => {
  test('holds no document number in clear, in any file of the store', async () => {
    owe(specimen);
    const { readdirSync, readFileSync } = await import('node:fs');
    for (const file of readdirSync(folder))
      expect(readFileSync(join(folder, file)).includes('L898902C3')).toBe(false);
  });

  test('its depth and its oldest time follow what is owed and acknowledged', () => {
    owe(head(1));
    store.transaction(() => outbox.owe(head(2), { at: '2026-01-15T09:00:00.000Z', clock: 'unverified' }));
    expect([outbox.depth(), outbox.oldestAt()]).toEqual([2, stamp.at]);
    outbox.acknowledge(1);
    expect([outbox.depth(), outbox.oldestAt()]).toEqual([1, '2026-01-15T09:00:00.000Z']);
  });
});

describe('listeners', () => {
  test('are called once for many items, after their transaction is over', async () => {
    const seen: number[] = [];
    const end = outbox.onOwed(() => seen.push(outbox.depth()));
    store.transaction(() => {
      outbox.owe(head(1), stamp);
      outbox.owe(head(2), stamp);
    });
    expect(seen).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([2]);
    end();
    owe(head(3));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([2]);
  });
});

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HitRow } from '#contracts/api/fleet.ts';
import type { CommandResult } from '#contracts/command.ts';
import type { Reported } from '#contracts/configuration.ts';
import type { OwedItem } from '#contracts/outbox.ts';
import { topic } from '#contracts/topics.ts';
import { pack } from '#runtime/packed.ts';
import { parseValue } from '#runtime/parse.ts';
import { databases } from '#test/rigs/databases.ts';
import { Tally } from '#test/rigs/tally.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { mostBytes } from './ingest.ts';
import {
  bytesOf,
  entry,
  head,
  hit,
  IngestRig,
  lookup,
  number,
  otherStream,
  stream,
  valueOf,
} from './test-rig.ts';

describe.each(databases('what terminals say, on PostgreSQL'))('on $name', (kind) => {
  let rig: IngestRig<Tally>;
  beforeEach(async () => {
    rig = await IngestRig.open(kind, () => new Tally());
  });
  afterEach(() => rig.close());

  describe('what terminals owe', () => {
    test('a batch is stored and acknowledged up to its last number', async () => {
      expect(await rig.deliver([entry(1), entry(2)])).toBe(2);
      expect(await rig.arrived()).toEqual([1, 2]);
    });

    test('a batch that comes 1800 times (MQTT.js#301) is stored once and acknowledged each time', async () => {
      const again = await Promise.all(Array.from({ length: 1800 }, () => rig.deliver([entry(1), entry(2)])));
      expect(again).toEqual(Array.from({ length: 1800 }, () => 2));
      expect(await rig.arrived()).toEqual([1, 2]);
      expect(rig.tally.items.doubled).toBe(3598);
    });

    test('a batch that overlaps the one before adds only what is new', async () => {
      await rig.deliver([entry(1), entry(2)]);
      expect(await rig.deliver([entry(2), entry(3)])).toBe(3);
      expect(await rig.arrived()).toEqual([1, 2, 3]);
    });

    test('a batch ahead of a hole that the terminal still keeps is left until the hole is filled', async () => {
      await rig.deliver([entry(1)]);
      expect(await rig.deliver([entry(4), entry(5)], { oldest: 2 })).toBe(1);
      expect(await rig.deliver([entry(2), entry(3), entry(4), entry(5)])).toBe(5);
      expect(await rig.arrived()).toEqual([1, 2, 3, 4, 5]);
    });

    test('a hole inside a batch ends what is acknowledged of it', async () => {
      expect(await rig.deliver([entry(1), entry(3)])).toBe(1);
      expect(await rig.arrived()).toEqual([1]);
    });

    test('what the terminal no longer keeps is recorded as lost and shown, not waited for', async () => {
      await rig.deliver([entry(1)]);
      expect(await rig.deliver([entry(5)])).toBe(5);
      expect(await rig.all('SELECT from_seq, to_seq FROM lost_items')).toEqual([{ from_seq: 2, to_seq: 4 }]);
      expect(await rig.codes()).toEqual(['items-lost']);
      expect(rig.tally.items.lost).toBe(3);
      await rig.clock.advance(31 * 86_400_000);
      await rig.judge();
      expect(await rig.codes()).toEqual([]);
    });

    test('what a batch itself brings is never recorded as lost, whatever it says is its oldest', async () => {
      expect(await rig.deliver([entry(1), entry(2)], { oldest: 2 })).toBe(2);
      expect(await rig.all('SELECT * FROM lost_items')).toEqual([]);
    });

    test('a new stream of the same terminal counts from 1 beside the old one', async () => {
      await rig.deliver([entry(1), entry(2)]);
      expect(await rig.deliver([entry(1)], { stream: otherStream })).toBe(1);
      expect(await rig.arrived()).toEqual([1, 2, 1]);
    });

    test('the same numbers of two terminals are two items', async () => {
      await rig.deliver([entry(1)]);
      expect(await rig.deliver([entry(1)], {}, 'T-2')).toBe(1);
      expect(await rig.all('SELECT terminal FROM items ORDER BY id')).toEqual([
        { terminal: 'T-1' },
        { terminal: 'T-2' },
      ]);
    });

    test('however batches are repeated, cut and reordered, every item is stored once and in order', async () => {
      const batches = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 6 })), {
        maxLength: 30,
      });
      await fc.assert(
        fc.asyncProperty(batches, fc.uuid({ version: 7 }), async (plan, id) => {
          let acknowledged = 0;
          for (const [from, length] of plan) {
            // A terminal forgets what was acknowledged, and never sends what it does not have.
            const entries = Array.from({ length }, (_, i) => entry(from + i));
            const through = await rig.deliver(entries, {
              stream: id,
              oldest: Math.min(from, acknowledged + 1),
            });
            expect(through).toBeGreaterThanOrEqual(acknowledged);
            acknowledged = through;
          }
          const seqs = await rig.all<{ seq: number }>(
            'SELECT seq FROM items WHERE stream = ? ORDER BY id',
            id,
          );
          expect(seqs.map(({ seq }) => seq)).toEqual(Array.from({ length: acknowledged }, (_, i) => i + 1));
        }),
        { numRuns: 50 },
      );
    });

    test('after a crash before the acknowledgement, the repeated batch is acknowledged and stored once', async () => {
      await rig.deliver([entry(1)]);
      await rig.reopen();
      expect(await rig.deliver([entry(1)])).toBe(1);
      expect(await rig.arrived()).toEqual([1]);
    });

    test('another content under a number that has arrived is kept beside and shown as a cloned identity', async () => {
      await rig.deliver([entry(1)]);
      expect(await rig.deliver([entry(1, head(99))])).toBe(1);
      await rig.deliver([entry(1, head(99))]);
      const kept = await rig.all<{ body: string }>('SELECT body FROM conflicts');
      expect(kept.map(({ body }) => JSON.parse(body) as unknown)).toEqual([entry(1, head(99))]);
      expect(await rig.codes()).toEqual(['identity-cloned']);
      expect(rig.tally.refusedFor('conflict')).toBe(1);
    });

    test('numbers that a terminal gave up for want of space are not lost, whatever of them had arrived', async () => {
      await rig.deliver([entry(1), entry(2)]);
      expect(await rig.deliver([entry(6, { kind: 'thinned', count: 5 }), entry(7)], { oldest: 6 })).toBe(7);
      expect(await rig.deliver([entry(6, { kind: 'thinned', count: 5 }), entry(7)], { oldest: 6 })).toBe(7);
      expect(await rig.arrived()).toEqual([1, 2, 7]);
      expect(await rig.all('SELECT * FROM lost_items')).toEqual([]);
      expect(await rig.all('SELECT * FROM conflicts')).toEqual([]);
      expect(await rig.codes()).toEqual([]);
      // A run that begins behind a hole waits for what fills it.
      expect(await rig.deliver([entry(12, { kind: 'thinned', count: 3 })], { oldest: 8 })).toBe(7);
    });

    test('an item that its terminal can no longer read is no conflict with what has arrived', async () => {
      await rig.deliver([entry(1)]);
      await rig.deliver([entry(1, { kind: 'item-damaged', reason: 'seal' })]);
      expect(await rig.all('SELECT * FROM conflicts')).toEqual([]);
      expect(await rig.codes()).toEqual([]);
    });

    test('when the database fails, nothing is acknowledged, and the terminal stays as it was', async () => {
      await rig.birth(1);
      await rig.db.transaction((tx) => tx.run('ALTER TABLE items RENAME TO away'));
      const taken = await rig.say('outbox', { v: 1, stream, oldest: 1, entries: [entry(1)] });
      expect(taken.reply).toBeUndefined();
      expect(taken.fault?.code).toBe('STORE_FAILED');
      expect(await rig.row()).toMatchObject({ state: 'online' });
      expect(rig.db.errors()).toBe(1);
      await rig.db.transaction((tx) => tx.run('ALTER TABLE away RENAME TO items'));
      expect(await rig.deliver([entry(1)])).toBe(1);
    });

    test('what the database will never take is refused, and does not come again for ever in the way of all others', async () => {
      rig.consumers.push({
        item: async (tx) => {
          await tx.run('INSERT INTO streams (terminal, stream, through) VALUES (NULL, NULL, NULL)');
        },
      });
      const taken = await rig.say('outbox', { v: 1, stream, oldest: 1, entries: [entry(1)] });
      expect(taken).toEqual({});
      expect(rig.ingest.refused()).toEqual({ failed: 1 });
      expect(await rig.arrived()).toEqual([]);
    });

    test('a number of a report that is no number of ours is refused, and does not end the session with the broker', async () => {
      await rig.birth(1);
      const message = { v: 1, session: 1, at: '2026-01-15T08:00:00.000Z', full: true, report: {} };
      expect(await rig.say('health', { ...message, seq: 1e300 })).toEqual({});
      expect(rig.ingest.refused()).toEqual({ invalid: 1 });
    });

    test('what arrives together is one transaction; a message that breaks it does not take the others with it', async () => {
      rig.consumers.push({
        item: async (tx, from) => {
          if (from.terminal === 'T-2') await tx.run('INSERT INTO nowhere VALUES (1)');
        },
      });
      const [good, bad, late] = await Promise.all([
        rig.say('outbox', { v: 1, stream, oldest: 1, entries: [entry(1)] }),
        rig.say('outbox', { v: 1, stream, oldest: 1, entries: [entry(1)] }, 'T-2'),
        rig.say('outbox', { v: 1, stream, oldest: 1, entries: [entry(2)] }),
      ]);
      expect([good.reply?.payload, late.reply?.payload].map((text) => text?.slice(-12))).toEqual([
        '"through":1}',
        '"through":2}',
      ]);
      expect(bad).toMatchObject({ fault: { code: 'STORE_FAILED' } });
      expect(await rig.arrived()).toEqual([1, 2]);
    });
  });

  describe('hits', () => {
    test('a hit has its number masked; the database keeps the number for the bureau', async () => {
      await rig.deliver([entry(1, hit())]);
      const [one] = await rig.hits();
      expect(parseValue(HitRow, one, 'INTERNAL')).toMatchObject({ ok: true });
      expect(one).toMatchObject({
        terminal: 'T-1',
        bureau: 'UTO',
        site: 'UTO-0001',
        hit: { document: { documentNumber: '••••••2C3' } },
      });
      expect(JSON.stringify([await rig.hits(), await rig.events()])).not.toMatch(/L898902C/);
      expect((await rig.all<{ body: string }>('SELECT body FROM items'))[0]?.body).toContain(number);
    });

    test('acknowledgement and confirmation come to the hit of their lookup, each told as a whole view', async () => {
      const tell = async (n: number): Promise<void> => {
        await eventually(async () => {
          await rig.fleet.refresh();
          return rig.told.hits.length >= n;
        });
      };
      await rig.deliver([entry(1, hit())]);
      await tell(1);
      await rig.deliver([entry(2, { kind: 'confirmation', lookup, result: 'disagrees' })]);
      await tell(2);
      await rig.deliver([
        entry(3, { kind: 'hit-acknowledged', lookup, outcome: 'document-held', officer: 'unassigned' }),
      ]);
      await tell(3);
      expect(
        rig.told.hits.map(({ id, confirmation, acknowledged }) => [id, confirmation, acknowledged?.outcome]),
      ).toEqual([
        [1, null, undefined],
        [1, 'disagrees', undefined],
        [1, 'disagrees', 'document-held'],
      ]);
      expect(await rig.hits()).toEqual([rig.told.hits.at(-1)]);
    });

    test('an acknowledgement of one terminal does not touch the hit of another', async () => {
      await rig.deliver([entry(1, hit())]);
      await rig.deliver(
        [entry(1, { kind: 'hit-acknowledged', lookup, outcome: 'false-alarm', officer: 'unassigned' })],
        {},
        'T-2',
      );
      expect(await rig.hits()).toMatchObject([{ terminal: 'T-1', acknowledged: null }]);
    });

    test('only hits that are not of training count as unacknowledged', async () => {
      await rig.deliver([
        entry(1, hit()),
        entry(2, { ...hit(otherStream), training: true } as OwedItem),
        entry(3, { kind: 'store-replaced', file: 'x' }),
      ]);
      expect(await rig.hits()).toHaveLength(2);
      expect(valueOf(await rig.fleet.hits.page({ open: true, limit: 10 }))).toHaveLength(1);
      expect(await rig.fleet.hits.unacknowledged()).toEqual({ ok: true, value: 1 });
    });

    test('a page goes on before the last of the page before, and a bureau sees its own', async () => {
      await rig.deliver([entry(1, hit()), entry(2, hit(otherStream))]);
      const [newest] = valueOf(await rig.fleet.hits.page({ limit: 1 }));
      expect(newest?.id).toBe(2);
      expect(valueOf(await rig.fleet.hits.page({ limit: 9, before: 2 })).map(({ id }) => id)).toEqual([1]);
      expect(valueOf(await rig.fleet.hits.page({ limit: 9, bureau: 'XXX' }))).toEqual([]);
    });

    test('no line of the log and no event holds a document number', async () => {
      await rig.deliver([entry(1, hit())]);
      await rig.deliver([entry(1, { ...hit(), late: true } as OwedItem)]);
      await rig.say('outbox', {
        v: 1,
        stream,
        oldest: 1,
        entries: [{ ...entry(2, hit()), surplus: number }],
      });
      expect(rig.logged.length).toBeGreaterThan(0);
      expect(rig.logged.join('\n')).not.toMatch(/L898902C/);
      expect(JSON.stringify(await rig.events())).not.toMatch(/L898902C/);
    });
  });

  describe('what does not belong here', () => {
    test('a terminal that is not registered is refused, counted and logged once a minute', async () => {
      const batch = { v: 1, stream, oldest: 1, entries: [entry(1)] };
      for (let i = 0; i < 50; i++) expect(await rig.say('outbox', batch, 'T-9')).toEqual({});
      expect(await rig.arrived()).toEqual([]);
      expect(rig.tally.refusedFor('unregistered', 'outbox')).toBe(50);
      expect(rig.logged).toHaveLength(1);
      await rig.clock.advance(60_000);
      await rig.say('outbox', batch, 'T-9');
      expect(rig.logged).toHaveLength(2);
      expect(rig.logged[1]).toContain('"unsaid":49');
    });

    test('whatever bytes arrive under whatever topic, nothing is thrown, acknowledged or stored', async () => {
      const names = fc.constantFrom(
        topic('T-1', 'status'),
        topic('T-1', 'health'),
        topic('T-1', 'outbox'),
        topic('T-1', 'command/result'),
        'checkpost/1/T-1/other',
        '$SYS/x',
        '',
      );
      const payloads = fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
        fc.constant(Buffer.from(JSON.stringify({ v: 2, stream, oldest: 1, entries: [entry(1)] }))),
        fc.constant(Buffer.from(JSON.stringify({ v: 1, stream, oldest: 1, entries: [] }))),
        fc.constant(Buffer.from(JSON.stringify({ v: 1, stream, oldest: 1, entries: [entry(0)] }))),
        fc.constant(Buffer.from(JSON.stringify({ v: 1, session: -1, state: 'online' }))),
      );
      await fc.assert(
        fc.asyncProperty(names, payloads, async (name, payload) => {
          expect(await rig.ingest.take(name, payload)).toEqual({});
        }),
      );
      expect(await rig.arrived()).toEqual([]);
      expect(await rig.state()).toMatchObject({ state: 'never' });
      expect(rig.tally.refusedFor('invalid')).toBeGreaterThan(0);
    });

    test('what is packed is unpacked; what is too large, or unpacks to too much, is refused', async () => {
      await rig.birth(1);
      const long = {
        conditions: Array.from({ length: 30 }, (_, n) => ({
          code: `made-up-${n}`,
          since: '2026-01-15T08:00:00.000Z',
        })),
      };
      const message = { v: 1, session: 1, seq: 1, at: '2026-01-15T08:00:00.000Z', full: true, report: long };
      const packed = pack(JSON.stringify(message));
      expect(packed[0]).toBe(0x1f);
      await rig.ingest.take(topic('T-1', 'health'), packed);
      expect(await rig.reports()).toEqual(long);
      const bomb = pack(JSON.stringify({ ...message, seq: 2, at: ' '.repeat(2_000_000) }));
      expect(await rig.ingest.take(topic('T-1', 'health'), bomb)).toEqual({});
      expect(await rig.ingest.take(topic('T-1', 'health'), Buffer.alloc(mostBytes + 1, 0x20))).toEqual({});
      expect(rig.ingest.refused()).toEqual({ invalid: 1, oversized: 1 });
    });

    test('a NUL, which PostgreSQL does not keep, is refused and does not come again for ever', async () => {
      expect(await rig.birth(1, { boot: 'a\u0000b' })).toEqual({});
      expect(rig.ingest.refused()).toEqual({ invalid: 1 });
    });

    test('a message under a foreign prefix is refused and counted', async () => {
      expect(await rig.ingest.take('checkpost/2/T-1/status', bytesOf({}))).toEqual({});
      expect(await rig.ingest.take('other/1/T-1/status', bytesOf({}))).toEqual({});
      expect(rig.ingest.refused()).toEqual({ 'unknown-topic': 2 });
    });

    test('an empty message, which deletes a retained one, says nothing', async () => {
      await rig.birth(1);
      expect(await rig.ingest.take(topic('T-1', 'status'), new Uint8Array())).toEqual({});
      expect(await rig.state()).toMatchObject({ state: 'online' });
      expect(rig.tally.refusals.size).toBe(0);
    });
  });

  describe('what other rooms take part in', () => {
    const reported = (session: number, running: number): Reported => ({
      v: 1,
      session,
      running,
      state: 'current',
      since: '2026-01-15T08:00:00.000Z',
      refused: null,
      settings: [],
    });
    const result: CommandResult = { v: 1, id: lookup, state: 'done', detail: '' };

    test('items once each, results and reports are given to them inside the transaction', async () => {
      const taken: string[] = [];
      rig.consumers.push({
        item: async (_, from, { seq }) => void taken.push(`item ${from.terminal} ${seq} ${from.now}`),
        result: async (_, from, { state: how }) => void taken.push(`result ${from.terminal} ${how}`),
        reported: async (_, from, { running }) => void taken.push(`reported ${from.terminal} ${running}`),
      });
      await rig.deliver([entry(1)]);
      await rig.deliver([entry(1)]);
      await rig.say('command/result', result);
      await rig.say('reported', reported(1, 4));
      expect(taken).toEqual(['item T-1 1 2026-01-15T08:00:00.000Z', 'result T-1 done', 'reported T-1 4']);
      expect(await rig.detail()).toMatchObject({ reported: { running: 4 } });
    });

    test('the configuration that a terminal reports is kept; one of an older session is not', async () => {
      await rig.birth(2);
      await rig.say('reported', reported(2, 5));
      await rig.say('reported', reported(1, 4));
      expect(await rig.detail()).toMatchObject({
        row: { configuration: { running: 5, wanted: 0, state: 'current' } },
        reported: { running: 5 },
      });
      expect(rig.tally.refusedFor('older-session', 'reported')).toBe(1);
    });

    test('where one of them has a defect, the message is refused and counted, and nothing of it is kept', async () => {
      rig.consumers.push({
        item: () => {
          throw new TypeError('a defect');
        },
      });
      expect(await rig.say('outbox', { v: 1, stream, oldest: 1, entries: [entry(1)] })).toEqual({});
      expect(await rig.arrived()).toEqual([]);
      expect(rig.ingest.refused()).toEqual({ failed: 1 });
    });
  });

  describe('a flood', () => {
    test('what is beyond the share of a terminal is refused, counted and shown; the others do not notice', async () => {
      rig.allow(1);
      await rig.birth(1);
      for (let seq = 1; seq < 100; seq++) await rig.health(1, seq, { audit: { entries: seq } });
      // Of thirty one was the birth, and one its event.
      expect(await rig.reports()).toEqual({ audit: { entries: 28 } });
      expect(await rig.codes()).toEqual(['flooding']);
      expect(rig.ingest.refused()).toEqual({ flooding: 71 });
      await rig.say(
        'status',
        { v: 1, session: 1, state: 'online', reason: 'start', boot: 'b', version: '1' },
        'T-2',
      );
      expect(await rig.row('T-2')).toMatchObject({ state: 'online', conditions: [] });
      await rig.clock.advance(2000);
      await rig.health(1, 200, { audit: { entries: 200 } });
      expect(await rig.reports()).toEqual({ audit: { entries: 200 } });
      await rig.clock.advance(300_000);
      await eventually(async () => {
        await rig.judge();
        return (await rig.codes()).length === 0;
      });
    });

    test('few messages that bring ever new conditions are a flood as well', async () => {
      rig.allow(1);
      await rig.birth(1);
      const since = '2026-01-01T00:00:00.000Z';
      for (let seq = 1; seq <= 10; seq++) {
        const conditions = Array.from({ length: 10 }, (_, i) => ({
          code: 'reader-missing',
          subject: `r-${seq}-${i}`,
          since,
        }));
        await rig.health(1, seq, { conditions });
      }
      expect(await rig.codes()).toContain('flooding');
      expect(rig.ingest.refused()['flooding']).toBeGreaterThan(5);
    });

    test('a terminal that was without a link for a month is not held back: its batches are news', async () => {
      rig.allow(1);
      for (let seq = 1; seq <= 200; seq++) expect(await rig.deliver([entry(seq)])).toBe(seq);
      expect(rig.ingest.refused()).toEqual({});
    });
  });
});

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TerminalDetail, TerminalRow, TimelineEvent } from '#contracts/api/fleet.ts';
import { parseValue } from '#runtime/parse.ts';
import { databases } from '#test/rigs/databases.ts';
import { Tally } from '#test/rigs/tally.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { Timeline } from '../history/timeline.ts';
import { tolerance } from '../leader.ts';
import { entry, hit, IngestRig, otherStream, registered, valueOf } from './test-rig.ts';

describe.each(databases('the state of a terminal, on PostgreSQL'))('on $name', (kind) => {
  let rig: IngestRig<Tally>;
  beforeEach(async () => {
    rig = await IngestRig.open(kind, () => new Tally());
  });
  afterEach(() => rig.close());

  describe('the state of a terminal', () => {
    /** Waits until the view has heard of it. */
    const seen = (wanted: string): Promise<unknown> =>
      eventually(async () => {
        await rig.fleet.refresh();
        return rig.fleet.terminal('T-1')?.state === wanted;
      });

    test('a registered terminal that was never heard of is never; a birth makes it online, a death offline', async () => {
      expect(await rig.state()).toMatchObject({ state: 'never', lastSeen: null, session: 0, health: {} });
      await rig.birth(1);
      expect(await rig.state()).toMatchObject({
        state: 'online',
        session: 1,
        version: '0.1.0',
        lastSeen: '2026-01-15T08:00:00.000Z',
      });
      await rig.clock.advance(5000);
      await rig.death(1);
      // The will is the broker's word: it is not when the terminal was last seen.
      expect(await rig.state()).toMatchObject({
        state: 'offline',
        since: '2026-01-15T08:00:05.000Z',
        lastSeen: '2026-01-15T08:00:00.000Z',
      });
      expect(parseValue(TerminalDetail, await rig.detail(), 'INTERNAL')).toMatchObject({ ok: true });
      await eventually(async () => {
        await rig.fleet.refresh();
        return rig.told.terminals.at(-1)?.state === 'offline';
      });
      for (const one of rig.told.terminals)
        expect(parseValue(TerminalRow, one, 'INTERNAL')).toMatchObject({ ok: true });
      expect(rig.fleet.counts()).toEqual({ online: 0, suspect: 0, offline: 1, never: 1 });
    });

    test('the will of an old connection that arrives after the birth of a new one is ignored', async () => {
      await rig.birth(1);
      await rig.birth(2);
      await rig.death(1);
      expect(await rig.state()).toMatchObject({ state: 'online', session: 2 });
      expect(rig.tally.refusedFor('older-session')).toBe(1);
    });

    test('a birth of an older session is ignored', async () => {
      await rig.birth(5);
      await rig.birth(4, { version: '0.0.9' });
      expect(await rig.state()).toMatchObject({ session: 5, version: '0.1.0' });
    });

    test('a death of a newer session counts: its birth was missed', async () => {
      await rig.birth(1);
      await rig.death(3);
      expect(await rig.state()).toMatchObject({ state: 'offline', session: 3 });
    });

    test('a birth that comes again after the death of its session does not raise it', async () => {
      await rig.birth(1);
      await rig.death(1);
      await rig.birth(1);
      expect(await rig.state()).toMatchObject({ state: 'offline' });
    });

    test('the same session from another boot is a cloned identity: counted, logged, shown until it is enrolled again', async () => {
      await rig.birth(7);
      await rig.birth(7, { boot: 'boot-b' });
      await rig.death(7, { boot: 'boot-b' });
      expect(await rig.state()).toMatchObject({ state: 'online', session: 7 });
      expect(await rig.codes()).toEqual(['identity-cloned']);
      expect(rig.tally.refusedFor('cloned-identity')).toBe(2);
      expect(rig.logged.join('\n')).toContain('Two machines use the identity');
      rig.registry.set('T-1', registered('T-1', 'b'.repeat(64)));
      await rig.birth(8);
      expect(await rig.codes()).toEqual([]);
    });

    test('of two machines with one session the one that stays is shown, whichever was known first', async () => {
      await rig.birth(7);
      await rig.birth(7, { boot: 'boot-b' });
      await rig.death(7);
      expect(await rig.state()).toMatchObject({ state: 'online', session: 7 });
      await rig.health(7, 1, { audit: { entries: 3 } });
      expect(await rig.reports()).toEqual({ audit: { entries: 3 } });
      await rig.death(7);
      expect(await rig.state()).toMatchObject({ state: 'online' });
      await rig.death(7, { boot: 'boot-b' });
      expect(await rig.state()).toMatchObject({ state: 'offline', session: 7 });
      expect(await rig.codes()).toEqual(['identity-cloned']);
    });

    test('of two machines with one session the second is believed where the first has left before', async () => {
      await rig.birth(7);
      await rig.death(7);
      await rig.birth(7, { boot: 'boot-b' });
      expect(await rig.state()).toMatchObject({ state: 'online', session: 7 });
      expect(await rig.codes()).toEqual(['identity-cloned']);
      await rig.death(7, { boot: 'boot-b' });
      expect(await rig.state()).toMatchObject({ state: 'offline', session: 7 });
    });

    test('an old copy of a terminal, whose sessions have lower numbers, is found at its second birth', async () => {
      await rig.birth(100);
      await rig.birth(20, { boot: 'boot-b' });
      expect(await rig.codes()).toEqual([]);
      await rig.birth(20, { boot: 'boot-b' });
      await rig.birth(101);
      expect(await rig.codes()).toEqual([]);
      await rig.birth(21, { boot: 'boot-b' });
      expect(await rig.codes()).toEqual(['identity-cloned']);
      expect(await rig.state()).toMatchObject({ state: 'online', session: 101 });
    });

    test('a terminal that was enrolled again counts its sessions from 1', async () => {
      await rig.birth(500);
      rig.registry.set('T-1', registered('T-1', 'b'.repeat(64)));
      await rig.birth(1, { boot: 'boot-b' });
      expect(await rig.state()).toMatchObject({ state: 'online', session: 1 });
      await rig.death(500);
      expect(await rig.state()).toMatchObject({ state: 'online', session: 1 });
    });

    test('a terminal that says that its store was replaced is believed its low session', async () => {
      await rig.birth(500);
      await rig.birth(1, { boot: 'boot-b' });
      expect(await rig.state()).toMatchObject({ session: 500 });
      await rig.deliver([entry(1, { kind: 'store-replaced', file: 'checkpost.db.damaged' })], {
        stream: otherStream,
      });
      expect(await rig.state()).toMatchObject({ state: 'online', session: 1 });
    });

    test('a terminal whose store was wiped is believed its low session when its new stream begins', async () => {
      await rig.birth(500);
      await rig.deliver([entry(1)]);
      // A first stream alone says nothing of a store before it.
      await rig.birth(499, { boot: 'boot-0' });
      expect(await rig.state()).toMatchObject({ session: 500 });
      await rig.birth(1, { boot: 'boot-b' });
      await rig.deliver([entry(1)], { stream: otherStream });
      expect(await rig.state()).toMatchObject({ state: 'online', session: 1 });
    });

    test('health is merged in rising order of the current session, and a full report replaces it', async () => {
      await rig.birth(1);
      await rig.health(1, 1, { disk: { totalBytes: 10, freeBytes: 5 }, audit: { entries: 1 } }, true);
      await rig.health(1, 3, { audit: { entries: 3 } });
      await rig.health(1, 2, { audit: { entries: 2 } });
      expect(await rig.reports()).toEqual({ disk: { totalBytes: 10, freeBytes: 5 }, audit: { entries: 3 } });
      await rig.health(1, 4, { audit: { entries: 4 } }, true);
      expect(await rig.reports()).toEqual({ audit: { entries: 4 } });
    });

    test('health of another session is ignored, and a new session counts its health from 1', async () => {
      await rig.birth(1);
      await rig.health(1, 9, { audit: { entries: 9 } });
      await rig.birth(2);
      await rig.health(1, 10, { audit: { entries: 10 } });
      await rig.health(2, 1, { audit: { entries: 11 } });
      expect(await rig.reports()).toEqual({ audit: { entries: 11 } });
      expect(rig.tally.refusedFor('other-session')).toBe(1);
    });

    test('health after the death of its session does not make the terminal online', async () => {
      await rig.birth(1);
      await rig.death(1);
      await rig.health(1, 1, { audit: { entries: 1 } });
      expect(await rig.state()).toMatchObject({ state: 'offline', health: {} });
    });

    test('who says nothing after the broker lost its memory is offline, and comes back with its next word', async () => {
      await rig.birth(1);
      await seen('online');
      rig.ingest.reached();
      rig.reachedAt = rig.clock.monotonic();
      await rig.judge();
      expect(await rig.state()).toMatchObject({ state: 'online' });
      await rig.clock.advance(45_000);
      await rig.judge();
      expect(await rig.state()).toMatchObject({ state: 'suspect', session: 1 });
      await seen('suspect');
      await rig.clock.advance(tolerance - 45_000);
      await rig.judge();
      expect(await rig.state()).toMatchObject({ state: 'offline', session: 1 });
      await rig.health(1, 1, { audit: { entries: 1 } });
      expect(await rig.state()).toMatchObject({ state: 'online' });
      await seen('online');
      await rig.clock.advance(tolerance);
      await rig.judge();
      expect(await rig.state()).toMatchObject({ state: 'online' });
      expect((await rig.events()).map(({ text }) => text)).toEqual([
        'Online',
        'Offline: silent, and the broker does not know of it',
        'Silent for longer than it should be',
        'Online',
      ]);
    });

    test('a birth that the broker repeats changes nothing and tells nobody', async () => {
      await rig.birth(1);
      await seen('online');
      const announced: string[] = [];
      rig.db.listen(({ key }) => announced.push(key));
      await rig.birth(1);
      await rig.db.transaction(async (tx) => tx.announce('terminal', 'end'));
      await eventually(() => announced.includes('end'));
      expect(announced).toEqual(['end']);
    });

    test('in the metered profile a verdict about silence takes 15 minutes', async () => {
      await rig.birth(1, { keepAlive: 600 });
      expect(await rig.detail()).toMatchObject({ keepAliveSeconds: 600 });
      await seen('online');
      rig.ingest.reached();
      rig.reachedAt = rig.clock.monotonic();
      await rig.clock.advance(899_000);
      await rig.judge();
      expect(await rig.state()).toMatchObject({ state: 'online' });
      await rig.clock.advance(1000);
      await rig.judge();
      expect(await rig.state()).toMatchObject({ state: 'offline' });
    });

    test('while there is no session with the broker, nobody is judged: that is our own condition', async () => {
      await rig.birth(1);
      await seen('online');
      rig.ingest.reached();
      rig.reachedAt = undefined;
      await rig.clock.advance(86_400_000);
      await rig.judge();
      expect(await rig.state()).toMatchObject({ state: 'online' });
    });

    test('one that was heard of and then misses its full reports is suspect, and online with its next word', async () => {
      await rig.birth(1);
      await seen('online');
      await rig.clock.advance(1.5 * 3_600_000);
      await rig.judge();
      expect(await rig.state()).toMatchObject({ state: 'suspect' });
      await rig.health(1, 1, {});
      expect(await rig.state()).toMatchObject({ state: 'online' });
    });

    test('in the metered profile full reports are six hours apart: between them nobody is suspect', async () => {
      await rig.birth(1, { keepAlive: 600 });
      await seen('online');
      await rig.clock.advance(6.5 * 3_600_000);
      await rig.judge();
      expect(await rig.state()).toMatchObject({ state: 'online' });
      await rig.clock.advance(2.5 * 3_600_000);
      await rig.judge();
      expect(await rig.state()).toMatchObject({ state: 'suspect' });
    });

    test('health of a session whose birth is still on its way is its birth; the birth is no second machine', async () => {
      await rig.birth(1);
      await rig.health(2, 1, { audit: { entries: 5 } }, true);
      expect(await rig.state()).toMatchObject({
        state: 'online',
        session: 2,
        health: { audit: { entries: 5 } },
      });
      await rig.death(1);
      await rig.birth(2, { boot: 'boot-b', version: '0.2.0' });
      expect(await rig.state()).toMatchObject({
        state: 'online',
        session: 2,
        boot: 'boot-b',
        version: '0.2.0',
        health: { audit: { entries: 5 } },
      });
      expect(await rig.codes()).toEqual([]);
      await rig.birth(2, { boot: 'boot-c' });
      expect(await rig.codes()).toEqual(['identity-cloned']);
    });

    test('in whatever order the messages of a session arrive, each section is as its newest message says', async () => {
      const plan = Array.from({ length: 6 }, (_, i) => i + 1);
      const sections = [
        { audit: { entries: 1 }, disk: { totalBytes: 9, freeBytes: 1 } },
        { audit: { entries: 2 } },
        { disk: { totalBytes: 9, freeBytes: 3 } },
        { audit: { entries: 4 }, load: { one: 4, cpus: 1 } },
        { disk: { totalBytes: 9, freeBytes: 5 } },
        { load: { one: 6, cpus: 1 } },
      ];
      let session = 1;
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(plan, { minLength: 6 }), async (order) => {
          session += 1;
          for (const seq of order) await rig.health(session, seq, sections[seq - 1] ?? {}, seq === 4);
          // The full report of number 4 has no disk: what came before it is gone.
          expect(await rig.reports()).toEqual({
            audit: { entries: 4 },
            disk: { totalBytes: 9, freeBytes: 5 },
            load: { one: 6, cpus: 1 },
          });
        }),
        { numRuns: 20 },
      );
    });

    test('what happened is on the time line: state, boot, conditions that came and went, without their repetition', async () => {
      const since = '2026-01-15T07:00:00.000Z';
      await rig.birth(1);
      await rig.health(1, 1, { conditions: [{ code: 'reader-absent', since, subject: 'counter-1' }] });
      await rig.health(1, 2, { conditions: [{ code: 'reader-absent', since, subject: 'counter-1' }] });
      await rig.health(1, 3, { conditions: [] });
      await rig.birth(2, { boot: 'boot-b' });
      await rig.death(2, { boot: 'boot-b' });
      await rig.deliver([
        entry(1, hit()),
        {
          ...entry(2),
          at: '2026-01-14T08:00:00.000Z',
          item: { kind: 'edition-in-use', edition: 7, date: since, count: 3 },
        },
      ]);
      const heard = await rig.events();
      expect(heard.map(({ text, severity }) => [text, severity])).toEqual([
        ['Edition 7 is in use', 'info'],
        ['Hit', 'error'],
        ['Offline: the connection was lost', 'error'],
        ['The machine was started again', 'info'],
        ['Over: Reader not plugged in (counter-1)', 'info'],
        ['Reader not plugged in (counter-1)', 'error'],
        ['Online', 'info'],
      ]);
      for (const one of heard) expect(parseValue(TimelineEvent, one, 'INTERNAL')).toMatchObject({ ok: true });
      expect(heard[0]).toMatchObject({
        terminal: 'T-1',
        site: 'UTO-0001',
        deviceAt: '2026-01-14T08:00:00.000Z',
      });
      expect(heard[1]).toMatchObject({ deviceAt: null });
      const timeline = new Timeline(rig.db);
      const older = valueOf(await timeline.page({ terminal: 'T-1', before: heard[4]?.id ?? 0, limit: 1 }));
      expect(older).toEqual([heard[5]]);
      expect(valueOf(await timeline.page({ bureau: 'XXX', limit: 10 }))).toEqual([]);
      expect(valueOf(await timeline.purge('2027-01-01T00:00:00.000Z'))).toBe(7);
    });

    test('the conditions of a row are the causes alone, gravest first', async () => {
      const since = '2026-01-15T07:00:00.000Z';
      await rig.birth(1);
      await rig.health(1, 1, {
        conditions: ['clock-unverified', 'edition-absent'].map((code) => ({ code, since })),
        outbox: { depth: 3, oldestAt: null },
      });
      expect(await rig.row()).toMatchObject({
        conditions: [{ code: 'edition-absent' }, { code: 'clock-unverified' }],
        owed: 3,
      });
    });
  });
});

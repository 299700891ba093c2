import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fail, ok } from '#contracts/result.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { valueOf } from '#test/rigs/bureau.ts';
import { keyOf, recordOf } from '#test/rigs/edition-repository.ts';
import { stickOf } from '#test/rigs/edition-terminal.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { openEditions, type Repository } from './index.ts';
import { EditionBench, numbers } from '#test/rigs/edition-bench.ts';

const bench = new EditionBench();
const { at, open, renew, kinds, edition, refusals } = bench;

describe('the offline copy', () => {
  test('is taken from a stick, answers, says its number and date, and is there after a restart', async () => {
    await bench.repository.publish([recordOf('A1'), recordOf('A2', { kindOfLoss: 'lost' })]);
    await bench.repository.stick(at('stick'));
    await open();
    expect(bench.terminal?.current()).toBeUndefined();
    await renew(at('stick'));
    expect(bench.terminal?.current()?.describe()).toMatchObject({
      collection: 'sltd',
      version: 1,
      count: 2,
      date: new Date(bench.repository.now).toISOString(),
    });
    expect([kinds('A1'), kinds('A2'), kinds('A3')]).toEqual([['stolen'], ['lost'], []]);
    expect(bench.events).toEqual([
      { kind: 'edition-in-use', edition: 1, date: new Date(bench.repository.now).toISOString(), count: 2 },
    ]);
    await open();
    expect([edition(), kinds('A2')]).toEqual([1, ['lost']]);
  });

  test('becomes newer delta by delta: added, removed, amended, several records of one document', async () => {
    await bench.repository.publish([recordOf('A1'), recordOf('A2'), recordOf('A3')]);
    await open();
    await renew();
    await bench.repository.publish([
      recordOf('A1', { kindOfLoss: 'lost' }),
      recordOf('A3'),
      recordOf('A3', { reportedBy: 'KAZ' }),
      recordOf('B1'),
    ]);
    await bench.repository.publish([recordOf('A3', { reportedBy: 'KAZ' }), recordOf('B1'), recordOf('A2')]);
    await renew();
    expect(edition()).toBe(3);
    expect(['A1', 'A2', 'A3', 'B1'].map((number) => kinds(number))).toEqual([
      [],
      ['stolen'],
      ['stolen'],
      ['stolen'],
    ]);
    const found = bench.terminal?.current()?.search(keyOf('A3'));
    expect(found).toMatchObject({ ok: true, value: [{ reportedBy: 'KAZ' }] });
    // One delta after the other is in use, and no base was fetched again.
    expect(bench.events.map((event) => event.kind === 'edition-in-use' && event.edition)).toEqual([1, 2, 3]);
    expect(readdirSync(at('terminal/bases'))).toEqual(['1-0']);
    await open();
    expect([edition(), kinds('A1'), kinds('B1')]).toEqual([3, [], ['stolen']]);
  });

  test('makes a new base of many changes: the very bytes that the publisher has, and what is old goes', async () => {
    await bench.repository.publish(numbers(5000));
    await open();
    await renew();
    const changed = [...numbers(4000), ...numbers(2500, 'M')];
    await bench.repository.publish(changed);
    await renew();
    const [base] = readdirSync(at('terminal/bases')).filter((name) => name.startsWith('2-'));
    for (const file of ['base.fingerprints', 'base.payload']) {
      const made = readFileSync(at('terminal/bases', String(base), file));
      expect(made.equals(readFileSync(at('repository/state/2', file)))).toBe(true);
    }
    expect(JSON.parse(readFileSync(at('terminal/current.json'), 'utf8'))).toMatchObject({ deltas: [] });
    for (const { number } of changed) expect(kinds(number)).toEqual(['stolen']);
    for (const { number } of numbers(5000).slice(4000)) expect(kinds(number)).toEqual([]);
    // The generation before stays for the day that this one cannot be read.
    expect(readdirSync(at('terminal/bases')).sort()).toEqual(['1-0', '2-0']);
    await bench.repository.publish([...changed, ...numbers(3000, 'L')]);
    await renew();
    expect(readdirSync(at('terminal/bases')).sort()).toEqual(['2-0', '3-0']);
    expect(readdirSync(at('terminal/deltas'))).toEqual(['3.delta']);
  });

  test('answers rightly at every moment while deltas are applied and a base is made', async () => {
    await bench.repository.publish(numbers(3000));
    await open();
    await renew();
    for (let round = 1; round <= 3; round++) {
      await bench.repository.publish([...numbers(3000 - 500 * round), ...numbers(600 * round, 'M')]);
    }
    let asked = 0;
    const all = { done: false };
    const seen = new Set<number>();
    const renewed = renew().then(() => (all.done = true));
    while (!all.done) {
      // Which edition it is and what it says are asked in one breath.
      const now = edition() ?? 0;
      seen.add(now);
      const number = asked % 3000;
      const isIn = number < 3000 - 500 * (now - 1);
      expect(kinds(`N${String(number).padStart(7, '0')}`)).toEqual(isIn ? ['stolen'] : []);
      const added = number < 600 * (now - 1);
      expect(kinds(`M${String(number).padStart(7, '0')}`)).toEqual(added ? ['stolen'] : []);
      asked++;
      if (asked % 20 === 0) await new Promise((resume) => setImmediate(resume));
    }
    await renewed;
    expect(asked).toBeGreaterThan(500);
    expect(seen).toEqual(new Set([1, 2, 3, 4]));
    expect(readdirSync(at('terminal/bases'))).toContain('4-0');
  });

  test('comes from a stick at once, although the centre has been sending a base for hours', async () => {
    await bench.repository.publish([recordOf('A1')]);
    await open();
    let given: AbortSignal | undefined;
    const slow: Repository = {
      ...stickOf(at('repository'), at('terminal')),
      name: 'the centre',
      fetch: (_target, signal) => {
        given = signal;
        return new Promise((resolve) =>
          signal.addEventListener('abort', () => resolve(fail('EDITION_UNREACHABLE', 'given up'))),
        );
      },
    };
    const waiting = bench.terminal?.renew(slow);
    await eventually(() => given !== undefined, { what: 'the download under way' });
    await bench.terminal?.renew(stickOf(at('repository'), at('terminal')), { atOnce: true });
    await waiting;
    expect([given?.aborted, edition(), kinds('A1'), refusals()]).toEqual([true, 1, ['stolen'], []]);
  });

  test('that somebody takes away while a delta is coming is gone, and the delta does not bring it back', async () => {
    await bench.repository.publish([recordOf('A1')]);
    await open();
    await renew();
    await bench.repository.publish([recordOf('A2')]);
    const stick = stickOf(at('repository'), at('terminal'));
    let arrive = (): void => {};
    const coming = new Promise<void>((resolve) => (arrive = resolve));
    const renewed = bench.terminal?.renew({
      ...stick,
      fetch: async (target) => {
        await coming;
        return stick.fetch(target, new AbortController().signal);
      },
    });
    rmSync(at('terminal/current.json'));
    await eventually(() => bench.terminal?.current() === undefined, { what: 'the edition being gone' });
    arrive();
    await renewed;
    expect([bench.terminal?.current(), existsSync(at('terminal/current.json')), refusals()]).toEqual([
      undefined,
      false,
      [],
    ]);
    await renew();
    expect([edition(), kinds('A2')]).toEqual([2, ['stolen']]);
  });

  test('whose files cannot be unpacked for a reason of this machine are not fetched again', async () => {
    await bench.repository.publish([recordOf('A1')]);
    await open();
    let fetched = 0;
    const stick = stickOf(at('repository'), at('terminal'));
    const counting: Repository = {
      ...stick,
      fetch: (target, signal) => {
        if (!existsSync(at('terminal/downloads', `${target.sha256}.part`))) fetched++;
        return stick.fetch(target, signal);
      },
    };
    const broken = valueOf(
      await openEditions({
        folder: at('terminal'),
        root: bench.repository.root,
        secrets: () => [bench.repository.secret],
        obtainKey: () => Promise.resolve(ok(undefined)),
        clock: systemClock,
        now: () => bench.repository.now,
        verified: () => bench.repository.now,
        log: silentLog,
        work: () => Promise.resolve(fail('STORE_FULL', 'no space')),
        compactAt: { percent: 2, days: 30 },
        report: (event) => bench.events.push(event),
        onChange: () => {},
      }),
    );
    await broken.renew(counting);
    await broken.renew(counting);
    await broken.close();
    expect([fetched, readdirSync(at('terminal/bases')), refusals()]).toEqual([2, [], []]);
    await bench.terminal?.renew(counting);
    expect([fetched, edition()]).toEqual([2, 1]);
  });

  test('of a date in the future is refused: nobody would know how old it is', async () => {
    await bench.repository.publish([recordOf('A1')]);
    await open();
    const { now } = bench.repository;
    await bench.repository.publish([recordOf('A1')], { later: 3 * 86_400_000 });
    bench.repository.now = now;
    await renew();
    await renew();
    expect([refusals(), bench.terminal?.current()]).toEqual([['EDITION_AHEAD'], undefined]);
  });

  test('that somebody takes away is gone within moments, and nobody answers from it', async () => {
    await bench.repository.publish([recordOf('A1')]);
    await open();
    await renew();
    rmSync(at('terminal/current.json'));
    await eventually(() => bench.terminal?.current() === undefined, { what: 'the edition being gone' });
    await open();
    expect(bench.terminal?.current()).toBeUndefined();
    await renew();
    expect(edition()).toBe(1);
  });
});

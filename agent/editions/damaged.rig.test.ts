import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fail } from '#contracts/result.ts';
import { stickOf } from '#test/rigs/edition-terminal.ts';
import { eventually } from '#test/rigs/eventually.ts';
import type { Repository } from './index.ts';
import { EditionBench, numbers } from '#test/rigs/edition-bench.ts';

const bench = new EditionBench();
const { at, open, renew, kinds, edition, refusals } = bench;

describe('a disk that loses what was written', () => {
  async function inUse(): Promise<void> {
    await bench.repository.publish(numbers(3000));
    await open();
    await renew();
    await bench.repository.publish([...numbers(2990), ...numbers(10, 'M')]);
    await renew();
  }
  const damage = (file: string, from: number): void => {
    const bytes = readFileSync(file);
    bytes.fill(0x5a, from, from + 512);
    writeFileSync(file, bytes);
  };

  test('A block that cannot be read as it was written is nobody’s answer, and a whole copy comes again by itself', async () => {
    await inUse();
    damage(at('terminal/bases/1-0/base.fingerprints'), 4096);
    const answers = numbers(2990).map(({ number }) => kinds(number));
    expect(answers.filter((one) => one === undefined).length).toBeGreaterThan(0);
    // Whoever is answered is answered rightly: nobody is told that nothing is recorded.
    expect(answers.filter((one) => one !== undefined && one.length === 0)).toEqual([]);
    expect(bench.terminal?.state().damaged).toBe(true);
    expect(bench.events.filter(({ kind }) => kind === 'edition-damaged')).toHaveLength(1);
    await renew();
    expect([bench.terminal?.state().damaged, edition()]).toEqual([false, 2]);
    for (const { number } of numbers(2990)) expect(kinds(number)).toEqual(['stolen']);
    await open();
    expect([edition(), kinds('M0000003'), bench.terminal?.state().damaged]).toEqual([2, ['stolen'], false]);
  });

  test('Damage that shows when a new base is made leaves the edition in use, said to be damaged, and it comes again', async () => {
    await inUse();
    damage(at('terminal/bases/1-0/base.payload'), 9000);
    await bench.repository.publish(numbers(2000, 'L'));
    await renew();
    expect([edition(), bench.terminal?.state().damaged, kinds('L0000001')]).toEqual([3, true, ['stolen']]);
    await renew();
    expect([edition(), bench.terminal?.state().damaged, kinds('L0000001'), kinds('N0000001')]).toEqual([
      3,
      false,
      ['stolen'],
      [],
    ]);
  });

  test('A copy that is asked to be rebuilt is read through: whole, it stays; damaged, it is fetched again', async () => {
    await bench.repository.publish(numbers(3000));
    await open();
    const stick = stickOf(at('repository'), at('terminal'));
    const rebuild = () => bench.terminal?.rebuild(stick);
    expect(await rebuild()).toEqual({ ok: true, value: 'Edition 1 was fetched again and is in use.' });
    expect(await rebuild()).toEqual({
      ok: true,
      value: 'Edition 1 was read through; nothing of it is damaged.',
    });
    damage(at('terminal/bases/1-0/base.payload'), 9000);
    const gone: Repository = {
      ...stick,
      refresh: () => Promise.resolve(fail('EDITION_UNREACHABLE', 'no line')),
    };
    expect(await bench.terminal?.rebuild(gone)).toMatchObject({
      ok: false,
      fault: { code: 'EDITION_DAMAGED' },
    });
    expect(bench.terminal?.state().damaged).toBe(true);
    expect(await rebuild()).toEqual({ ok: true, value: 'Edition 1 was fetched again and is in use.' });
    expect([bench.terminal?.state().damaged, kinds('N0002995')]).toEqual([false, ['stolen']]);
  });

  test('A damaged copy whose deltas do not come stays in use, and the base is not fetched twice', async () => {
    await inUse();
    await bench.repository.publish([...numbers(2980), ...numbers(10, 'M')]);
    damage(at('terminal/bases/1-0/base.payload'), 9000);
    await bench.terminal?.verify();
    const stick = stickOf(at('repository'), at('terminal'));
    const fetched: string[] = [];
    const withoutDeltas: Repository = {
      ...stick,
      fetch: (target, signal) => {
        fetched.push(target.about.part);
        return target.about.part === 'delta'
          ? Promise.resolve(fail('EDITION_UNREACHABLE', 'the line broke'))
          : stick.fetch(target, signal);
      },
    };
    await bench.terminal?.renew(withoutDeltas);
    expect([edition(), bench.terminal?.state().damaged, fetched]).toEqual([2, true, ['delta']]);
    await renew();
    expect([edition(), bench.terminal?.state().damaged, kinds('N0002985')]).toEqual([3, false, []]);
  });

  test('A repair that breaks off between two deltas leaves every look-up right, from the edition that came', async () => {
    await inUse();
    await bench.repository.publish([...numbers(2980), ...numbers(10, 'M')]);
    await bench.repository.publish([...numbers(2970), ...numbers(10, 'M')]);
    damage(at('terminal/bases/1-0/base.payload'), 9000);
    await bench.terminal?.verify();
    const stick = stickOf(at('repository'), at('terminal'));
    const times = new Map<string, number>();
    await bench.terminal?.renew({
      ...stick,
      fetch: (target, signal) => {
        const before = times.get(target.name) ?? 0;
        times.set(target.name, before + 1);
        // It came, and cannot be read a second time.
        return target.about.edition === 3 && before > 0
          ? Promise.resolve(fail('EDITION_UNREACHABLE', 'pulled out'))
          : stick.fetch(target, signal);
      },
    });
    expect([edition(), bench.terminal?.state().damaged]).toEqual([2, false]);
    for (const { number } of numbers(2990)) expect(kinds(number)).toEqual(['stolen']);
    await renew();
    expect([edition(), kinds('N0002975')]).toEqual([4, []]);
  });

  test('Damage that nobody has asked for yet is found when the files are read through', async () => {
    await inUse();
    await bench.terminal?.verify();
    expect(bench.terminal?.state().damaged).toBe(false);
    damage(at('terminal/bases/1-0/base.payload'), 9000);
    await bench.terminal?.verify();
    expect(bench.terminal?.state().damaged).toBe(true);
  });

  test('A filter that is gone or damaged is built again, and look-ups are right without it', async () => {
    await inUse();
    for (const spoil of [(file: string) => rmSync(file), (file: string) => damage(file, 40)]) {
      await bench.terminal?.close();
      const filter = at('terminal/bases/1-0/filter');
      const whole = readFileSync(filter);
      spoil(filter);
      await open();
      expect([kinds('N0000001'), kinds('N0002995'), kinds('X0000001')]).toEqual([['stolen'], [], []]);
      await eventually(() => existsSync(filter) && readFileSync(filter).equals(whole), {
        what: 'the filter',
      });
      expect(kinds('N0000001')).toEqual(['stolen']);
    }
  });

  test('Where the edition in use cannot be opened, the generation before is, with its own age, and is replaced', async () => {
    await bench.repository.publish(numbers(3000));
    await open();
    await renew();
    await bench.repository.publish([...numbers(1000), ...numbers(1500, 'M')]);
    await renew();
    expect(readdirSync(at('terminal/bases')).sort()).toEqual(['1-0', '2-0']);
    await bench.terminal?.close();
    truncateSync(at('terminal/bases/2-0/base.fingerprints'), 500);
    await open();
    expect([edition(), kinds('N0002000'), kinds('M0000007'), bench.terminal?.state().damaged]).toEqual([
      2,
      [],
      ['stolen'],
      true,
    ]);
    expect(JSON.parse(readFileSync(at('terminal/previous.json'), 'utf8'))).toMatchObject({
      base: { edition: 1 },
    });
    await renew();
    expect([edition(), kinds('N0002000'), bench.terminal?.state().damaged]).toEqual([2, [], false]);
  });

  test('What was believed is damaged: the root of enrolment is, and what is in use stays', async () => {
    await inUse();
    await bench.terminal?.close();
    writeFileSync(at('terminal/trust.json'), '{"v":1');
    await open();
    expect(edition()).toBe(2);
    await renew();
    expect(refusals()).toEqual([]);
    copyFileSync(at('terminal/trust.json'), at('kept.json'));
    expect(readFileSync(at('kept.json'), 'utf8')).toContain('targets');
  });
});

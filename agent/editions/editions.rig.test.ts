import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createSecretKey } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fail, ok } from '#contracts/result.ts';
import { wall } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { valueOf } from '#test/rigs/bureau.ts';
import { keyOf, recordOf, TestRepository, type TestRecord } from '#test/rigs/edition-repository.ts';
import { openTerminal, stickOf } from '#test/rigs/edition-terminal.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { type EditionEvent, type Editions, openEditions, type Repository } from './index.ts';

let folder: string;
let repository: TestRepository;
let terminal: Editions | undefined;
let events: EditionEvent[];
const at = (...names: string[]): string => join(folder, ...names);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-editions-'));
  repository = new TestRepository(at('repository'));
  events = [];
});
afterEach(async () => {
  await terminal?.close();
  terminal = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function open(
  options: { percent?: number; secret?: TestRepository['secret'] } = {},
): Promise<Editions> {
  await terminal?.close();
  terminal = await openTerminal(
    at('terminal'),
    { root: repository.root, secret: options.secret ?? repository.secret },
    { now: () => repository.now, events, ...(options.percent !== undefined && { percent: options.percent }) },
  );
  return terminal;
}

const renew = (from = at('repository')): Promise<void> =>
  (terminal as Editions).renew(stickOf(from, at('terminal')));

/** What the edition in use says of a number: kinds of loss, sorted; undefined where nobody can say. */
function kinds(number: string): string[] | undefined {
  const found = terminal?.current()?.search(keyOf(number));
  return found?.ok === true ? found.value.map(({ kindOfLoss }) => kindOfLoss).sort() : undefined;
}

const numbers = (count: number, letter = 'N'): TestRecord[] =>
  Array.from({ length: count }, (_, i) => recordOf(`${letter}${String(i).padStart(7, '0')}`));
const edition = (): number | undefined => terminal?.current()?.describe().version;
const refusals = (): string[] =>
  events.flatMap((event) => (event.kind === 'edition-refused' ? event.fault.code : []));

describe('the offline copy', () => {
  test('is taken from a stick, answers, says its number and date, and is there after a restart', async () => {
    await repository.publish([recordOf('A1'), recordOf('A2', { kindOfLoss: 'lost' })]);
    await repository.stick(at('stick'));
    await open();
    expect(terminal?.current()).toBeUndefined();
    await renew(at('stick'));
    expect(terminal?.current()?.describe()).toMatchObject({
      collection: 'sltd',
      version: 1,
      count: 2,
      date: new Date(repository.now).toISOString(),
    });
    expect([kinds('A1'), kinds('A2'), kinds('A3')]).toEqual([['stolen'], ['lost'], []]);
    expect(events).toEqual([
      { kind: 'edition-in-use', edition: 1, date: new Date(repository.now).toISOString(), count: 2 },
    ]);
    await open();
    expect([edition(), kinds('A2')]).toEqual([1, ['lost']]);
  });

  test('becomes newer delta by delta: added, removed, amended, several records of one document', async () => {
    await repository.publish([recordOf('A1'), recordOf('A2'), recordOf('A3')]);
    await open();
    await renew();
    await repository.publish([
      recordOf('A1', { kindOfLoss: 'lost' }),
      recordOf('A3'),
      recordOf('A3', { reportedBy: 'KAZ' }),
      recordOf('B1'),
    ]);
    await repository.publish([recordOf('A3', { reportedBy: 'KAZ' }), recordOf('B1'), recordOf('A2')]);
    await renew();
    expect(edition()).toBe(3);
    expect(['A1', 'A2', 'A3', 'B1'].map((number) => kinds(number))).toEqual([
      [],
      ['stolen'],
      ['stolen'],
      ['stolen'],
    ]);
    const found = terminal?.current()?.search(keyOf('A3'));
    expect(found).toMatchObject({ ok: true, value: [{ reportedBy: 'KAZ' }] });
    // One delta after the other is in use, and no base was fetched again.
    expect(events.map((event) => event.kind === 'edition-in-use' && event.edition)).toEqual([1, 2, 3]);
    expect(readdirSync(at('terminal/bases'))).toEqual(['1-0']);
    await open();
    expect([edition(), kinds('A1'), kinds('B1')]).toEqual([3, [], ['stolen']]);
  });

  test('makes a new base of many changes: the very bytes that the publisher has, and what is old goes', async () => {
    await repository.publish(numbers(5000));
    await open();
    await renew();
    const changed = [...numbers(4000), ...numbers(2500, 'M')];
    await repository.publish(changed);
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
    await repository.publish([...changed, ...numbers(3000, 'L')]);
    await renew();
    expect(readdirSync(at('terminal/bases')).sort()).toEqual(['2-0', '3-0']);
    expect(readdirSync(at('terminal/deltas'))).toEqual(['3.delta']);
  });

  test('answers rightly at every moment while deltas are applied and a base is made', async () => {
    await repository.publish(numbers(3000));
    await open();
    await renew();
    for (let round = 1; round <= 3; round++) {
      await repository.publish([...numbers(3000 - 500 * round), ...numbers(600 * round, 'M')]);
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
    await repository.publish([recordOf('A1')]);
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
    const waiting = terminal?.renew(slow);
    await eventually(() => given !== undefined, { what: 'the download under way' });
    await terminal?.renew(stickOf(at('repository'), at('terminal')), { atOnce: true });
    await waiting;
    expect([given?.aborted, edition(), kinds('A1'), refusals()]).toEqual([true, 1, ['stolen'], []]);
  });

  test('that somebody takes away while a delta is coming is gone, and the delta does not bring it back', async () => {
    await repository.publish([recordOf('A1')]);
    await open();
    await renew();
    await repository.publish([recordOf('A2')]);
    const stick = stickOf(at('repository'), at('terminal'));
    let arrive = (): void => {};
    const coming = new Promise<void>((resolve) => (arrive = resolve));
    const renewed = terminal?.renew({
      ...stick,
      fetch: async (target) => {
        await coming;
        return stick.fetch(target, new AbortController().signal);
      },
    });
    rmSync(at('terminal/current.json'));
    await eventually(() => terminal?.current() === undefined, { what: 'the edition being gone' });
    arrive();
    await renewed;
    expect([terminal?.current(), existsSync(at('terminal/current.json')), refusals()]).toEqual([
      undefined,
      false,
      [],
    ]);
    await renew();
    expect([edition(), kinds('A2')]).toEqual([2, ['stolen']]);
  });

  test('whose files cannot be unpacked for a reason of this machine are not fetched again', async () => {
    await repository.publish([recordOf('A1')]);
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
        root: repository.root,
        secrets: () => [repository.secret],
        obtainKey: () => Promise.resolve(ok(undefined)),
        clock: systemClock,
        now: () => repository.now,
        verified: () => repository.now,
        log: silentLog,
        work: () => Promise.resolve(fail('STORE_FULL', 'no space')),
        compactAt: { percent: 2, days: 30 },
        report: (event) => events.push(event),
        onChange: () => {},
      }),
    );
    await broken.renew(counting);
    await broken.renew(counting);
    await broken.close();
    expect([fetched, readdirSync(at('terminal/bases')), refusals()]).toEqual([2, [], []]);
    await terminal?.renew(counting);
    expect([fetched, edition()]).toEqual([2, 1]);
  });

  test('of a date in the future is refused: nobody would know how old it is', async () => {
    await repository.publish([recordOf('A1')]);
    await open();
    const { now } = repository;
    await repository.publish([recordOf('A1')], { later: 3 * 86_400_000 });
    repository.now = now;
    await renew();
    await renew();
    expect([refusals(), terminal?.current()]).toEqual([['EDITION_AHEAD'], undefined]);
  });

  test('that somebody takes away is gone within moments, and nobody answers from it', async () => {
    await repository.publish([recordOf('A1')]);
    await open();
    await renew();
    rmSync(at('terminal/current.json'));
    await eventually(() => terminal?.current() === undefined, { what: 'the edition being gone' });
    await open();
    expect(terminal?.current()).toBeUndefined();
    await renew();
    expect(edition()).toBe(1);
  });
});

describe('what is not as it was signed', () => {
  /** Spoils every file of the repository that fits, in a copy of it. */
  function spoiled(fits: RegExp, spoil: (file: string) => void): string {
    const copy = at(`copy-${Math.random()}`);
    cpSync(at('repository'), copy, { recursive: true });
    let done = 0;
    for (const name of readdirSync(copy, { recursive: true, encoding: 'utf8' })) {
      if (!fits.test(name) || !statSync(join(copy, name)).isFile()) continue;
      spoil(join(copy, name));
      done++;
    }
    expect(done).toBeGreaterThan(0);
    return copy;
  }
  const flip = (file: string): void => {
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    rmSync(file);
    writeFileSync(file, bytes);
  };
  const cut = (file: string): void => {
    const bytes = readFileSync(file);
    rmSync(file);
    writeFileSync(file, bytes);
    truncateSync(file, bytes.length - 1);
  };

  test.each([
    ['a delta with one bit flipped', /targets.*delta$/, flip, 'EDITION_DAMAGED'],
    ['a delta that is cut off', /targets.*delta$/, cut, 'EDITION_DAMAGED'],
    ['the targets with one bit flipped', /metadata.*\d\.targets/, flip, /TRUST_/],
    ['a snapshot that is cut off', /metadata.*\d\.snapshot/, cut, /TRUST_/],
  ])('%s is refused by its name, told, and the edition in use stays in use', async (_, fits, spoil, code) => {
    await repository.publish([recordOf('A1')]);
    await open();
    await renew();
    await repository.publish([recordOf('A2')]);
    await renew(spoiled(fits, spoil));
    expect([edition(), kinds('A1'), kinds('A2')]).toEqual([1, ['stolen'], []]);
    expect(refusals()).toHaveLength(1);
    expect(refusals()[0]).toMatch(code);
    expect(terminal?.state().refused?.code).toMatch(code);
    // The sound one is taken all the same.
    await renew();
    expect([edition(), terminal?.state().refused]).toEqual([2, undefined]);
  });

  test.each([
    ['fingerprints with one bit flipped', /base\.fingerprints$/, flip],
    ['payload that is cut off', /base\.payload$/, cut],
  ])(
    'a base whose %s leaves the terminal without one, and the sound one is taken',
    async (_, fits, spoil) => {
      await repository.publish(numbers(300));
      await open();
      await renew(spoiled(new RegExp(`targets.*${fits.source}`), spoil));
      expect([terminal?.current(), ...refusals()]).toEqual([undefined, 'EDITION_DAMAGED']);
      await renew();
      expect([edition(), kinds('N0000001')]).toEqual([1, ['stolen']]);
    },
  );

  test('a base and deltas of another bureau are refused, and so is a stick that is older than what is believed', async () => {
    await repository.publish([recordOf('A1')]);
    await repository.stick(at('old'));
    await repository.publish([recordOf('A2')]);
    const other = new TestRepository(at('other'));
    await other.publish([recordOf('B1')]);
    await open();
    await renew();
    await renew(at('other'));
    await renew(at('old'));
    expect(refusals()).toEqual(['TRUST_UNSIGNED', 'TRUST_OLDER']);
    expect([edition(), kinds('A2')]).toEqual([2, ['stolen']]);
  });

  test('a stick whose description has expired is refused', async () => {
    await repository.publish([recordOf('A1')]);
    await open();
    repository.now = wall(repository.now + 91 * 86_400_000);
    await renew();
    expect([refusals(), terminal?.current()]).toEqual([['TRUST_EXPIRED'], undefined]);
  });

  test('an edition of another fingerprint key is refused: it would find nothing and say so of everything', async () => {
    await repository.publish([recordOf('A1')]);
    await open({ secret: { id: '1', key: createSecretKey(Buffer.alloc(32, 8)) } });
    await renew();
    expect([refusals(), terminal?.current()]).toEqual([['EDITION_FOREIGN'], undefined]);
    expect(readdirSync(at('terminal/bases'))).toEqual([]);
  });
});

describe('a disk that loses what was written', () => {
  async function inUse(): Promise<void> {
    await repository.publish(numbers(3000));
    await open();
    await renew();
    await repository.publish([...numbers(2990), ...numbers(10, 'M')]);
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
    expect(terminal?.state().damaged).toBe(true);
    expect(events.filter(({ kind }) => kind === 'edition-damaged')).toHaveLength(1);
    await renew();
    expect([terminal?.state().damaged, edition()]).toEqual([false, 2]);
    for (const { number } of numbers(2990)) expect(kinds(number)).toEqual(['stolen']);
    await open();
    expect([edition(), kinds('M0000003'), terminal?.state().damaged]).toEqual([2, ['stolen'], false]);
  });

  test('Damage that shows when a new base is made leaves the edition in use, said to be damaged, and it comes again', async () => {
    await inUse();
    damage(at('terminal/bases/1-0/base.payload'), 9000);
    await repository.publish(numbers(2000, 'L'));
    await renew();
    expect([edition(), terminal?.state().damaged, kinds('L0000001')]).toEqual([3, true, ['stolen']]);
    await renew();
    expect([edition(), terminal?.state().damaged, kinds('L0000001'), kinds('N0000001')]).toEqual([
      3,
      false,
      ['stolen'],
      [],
    ]);
  });

  test('A damaged copy whose deltas do not come stays in use, and the base is not fetched twice', async () => {
    await inUse();
    await repository.publish([...numbers(2980), ...numbers(10, 'M')]);
    damage(at('terminal/bases/1-0/base.payload'), 9000);
    await terminal?.verify();
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
    await terminal?.renew(withoutDeltas);
    expect([edition(), terminal?.state().damaged, fetched]).toEqual([2, true, ['delta']]);
    await renew();
    expect([edition(), terminal?.state().damaged, kinds('N0002985')]).toEqual([3, false, []]);
  });

  test('A repair that breaks off between two deltas leaves every look-up right, from the edition that came', async () => {
    await inUse();
    await repository.publish([...numbers(2980), ...numbers(10, 'M')]);
    await repository.publish([...numbers(2970), ...numbers(10, 'M')]);
    damage(at('terminal/bases/1-0/base.payload'), 9000);
    await terminal?.verify();
    const stick = stickOf(at('repository'), at('terminal'));
    const times = new Map<string, number>();
    await terminal?.renew({
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
    expect([edition(), terminal?.state().damaged]).toEqual([2, false]);
    for (const { number } of numbers(2990)) expect(kinds(number)).toEqual(['stolen']);
    await renew();
    expect([edition(), kinds('N0002975')]).toEqual([4, []]);
  });

  test('Damage that nobody has asked for yet is found when the files are read through', async () => {
    await inUse();
    await terminal?.verify();
    expect(terminal?.state().damaged).toBe(false);
    damage(at('terminal/bases/1-0/base.payload'), 9000);
    await terminal?.verify();
    expect(terminal?.state().damaged).toBe(true);
  });

  test('A filter that is gone or damaged is built again, and look-ups are right without it', async () => {
    await inUse();
    for (const spoil of [(file: string) => rmSync(file), (file: string) => damage(file, 40)]) {
      await terminal?.close();
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
    await repository.publish(numbers(3000));
    await open();
    await renew();
    await repository.publish([...numbers(1000), ...numbers(1500, 'M')]);
    await renew();
    expect(readdirSync(at('terminal/bases')).sort()).toEqual(['1-0', '2-0']);
    await terminal?.close();
    truncateSync(at('terminal/bases/2-0/base.fingerprints'), 500);
    await open();
    expect([edition(), kinds('N0002000'), kinds('M0000007'), terminal?.state().damaged]).toEqual([
      2,
      [],
      ['stolen'],
      true,
    ]);
    expect(JSON.parse(readFileSync(at('terminal/previous.json'), 'utf8'))).toMatchObject({
      base: { edition: 1 },
    });
    await renew();
    expect([edition(), kinds('N0002000'), terminal?.state().damaged]).toEqual([2, [], false]);
  });

  test('What was believed is damaged: the root of enrolment is, and what is in use stays', async () => {
    await inUse();
    await terminal?.close();
    writeFileSync(at('terminal/trust.json'), '{"v":1');
    await open();
    expect(edition()).toBe(2);
    await renew();
    expect(refusals()).toEqual([]);
    copyFileSync(at('terminal/trust.json'), at('kept.json'));
    expect(readFileSync(at('kept.json'), 'utf8')).toContain('targets');
  });
});

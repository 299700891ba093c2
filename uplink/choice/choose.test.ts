import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { monotonic } from '#contracts/units.ts';
import { type Choice, choose } from './choose.ts';
import type { ChoiceFacts, PathFacts, Preference, UplinkFacts } from './facts.ts';

const options = { failbackMillis: 30_000 };
const at = monotonic;
const start = 1_000_000;

const untested: PathFacts = { state: 'untested', upSince: undefined, downSince: undefined, lostInRow: 0 };
const upSince = (since: number, downSince?: number): PathFacts => ({
  state: 'up',
  upSince: at(since),
  downSince: downSince === undefined ? undefined : at(downSince),
  lostInRow: 0,
});
const steady = upSince(0);
const down: PathFacts = { state: 'down', upSince: undefined, downSince: at(start), lostInRow: 3 };

const line = (
  name: string,
  metric: number,
  a: PathFacts,
  b = a,
  changes: Partial<UplinkFacts> = {},
): UplinkFacts => ({
  name,
  metric,
  usable: true,
  overBudget: false,
  largeLost: false,
  paths: { 'hub-a': a, 'hub-b': b },
  ...changes,
});
const facts = (uplinks: readonly UplinkFacts[], preference?: Preference): ChoiceFacts => ({
  uplinks,
  hubs: ['hub-a', 'hub-b'],
  preference,
});
const on = (uplink: string, hub = 'hub-a', changes: Partial<Choice> = {}): Choice => ({
  uplink,
  hub,
  why: 'it was so',
  since: at(0),
  state: 'up',
  failedPreferenceAt: undefined,
  byHand: false,
  left: [],
  ...changes,
});
const pick = (
  previous: Choice | undefined,
  uplinks: readonly UplinkFacts[],
  now = start,
  preference?: Preference,
) => choose(previous, facts(uplinks, preference), at(now), options);

describe('at the start', () => {
  test('where no uplink can be used there is no choice', () => {
    expect(pick(undefined, [])).toBeUndefined();
    expect(pick(on('dsl'), [line('dsl', 1, steady, steady, { usable: false })])).toBeUndefined();
  });

  test('the best of those that work carries', () => {
    const choice = pick(undefined, [line('lte', 20, steady), line('dsl', 10, steady)]);
    expect(choice).toMatchObject({ uplink: 'dsl', hub: 'hub-a', state: 'up', since: start });
    expect(choice?.why).toBe('dsl with hub-a is the first that works');
  });

  test('where nothing is tested yet the preferred one is tried, and it is not left for one that answers sooner', () => {
    const first = pick(undefined, [line('dsl', 10, untested), line('lte', 20, untested)]);
    expect(first).toMatchObject({ uplink: 'dsl', hub: 'hub-a', state: 'trial' });
    const next = pick(first, [line('dsl', 10, untested), line('lte', 20, upSince(start))], start + 2000);
    expect(next).toMatchObject({ uplink: 'dsl', state: 'trial' });
    const late = pick(first, [line('dsl', 10, untested), line('lte', 20, upSince(start))], start + 3000);
    expect(late).toMatchObject({
      uplink: 'lte',
      state: 'up',
      why: 'dsl has not answered yet; lte with hub-a works',
    });
    const works = pick(
      first,
      [line('dsl', 10, upSince(start + 60)), line('lte', 20, upSince(start))],
      start + 100,
    );
    expect(works).toMatchObject({ uplink: 'dsl', state: 'up', why: 'dsl with hub-a works', since: start });
  });
});

describe('a failure', () => {
  test('an uplink that fails is left at once for the next that works, with the same hub', () => {
    const choice = pick(on('dsl', 'hub-b'), [line('dsl', 10, down), line('lte', 20, steady)]);
    expect(choice).toMatchObject({ uplink: 'lte', hub: 'hub-b', since: start });
    expect(choice?.why).toBe('dsl has lost 3 probes in a row; lte is the next that works');
  });

  test('a hub that fails is left at once for the other hub over the same uplink', () => {
    const choice = pick(on('lte'), [
      line('dsl', 10, upSince(start - 1000, 0)),
      line('lte', 20, down, steady),
    ]);
    expect(choice).toMatchObject({ uplink: 'lte', hub: 'hub-b' });
    expect(choice?.why).toBe('hub-a does not answer over lte (3 probes lost in a row); hub-b does');
  });

  test('where a line dies its other hub is no way out, though its probes are still being lost', () => {
    const dying = { ...steady, lostInRow: 2 };
    const choice = pick(on('dsl'), [line('dsl', 10, down, dying), line('lte', 20, steady)]);
    expect(choice).toMatchObject({ uplink: 'lte', hub: 'hub-a' });
    const unlucky = { ...steady, lostInRow: 1 };
    expect(pick(on('dsl'), [line('dsl', 10, down, unlucky), line('lte', 20, steady)])).toMatchObject({
      uplink: 'dsl',
      hub: 'hub-b',
    });
    expect(pick(on('dsl'), [line('dsl', 10, down, dying)])).toMatchObject({ uplink: 'dsl', hub: 'hub-b' });
  });

  test('an uplink that is gone is left, whatever was measured last', () => {
    const choice = pick(on('dsl'), [
      line('dsl', 10, steady, steady, { usable: false }),
      line('lte', 20, steady),
    ]);
    expect(choice).toMatchObject({ uplink: 'lte', hub: 'hub-a' });
    expect(choice?.why).toBe('dsl cannot be used any more; lte with hub-a is the next that works');
  });

  test('one that was down a moment ago is passed over where a firm one is there, and taken where none is', () => {
    const shaky = line('dsl', 10, upSince(start - 1000, start - 5000));
    expect(pick(on('lte'), [shaky, line('lte', 20, down), line('sat', 30, steady)])).toMatchObject({
      uplink: 'sat',
    });
    expect(pick(on('lte'), [shaky, line('lte', 20, down)])).toMatchObject({ uplink: 'dsl' });
  });

  test('a single loss changes nothing, nor the reason that is shown', () => {
    const previous = on('lte', 'hub-a', {
      why: 'dsl has lost 3 probes in a row; lte is the next that works',
    });
    const one = { ...steady, lostInRow: 2 };
    expect(pick(previous, [line('dsl', 10, down), line('lte', 20, one)])).toEqual(previous);
  });
});

describe('the way back', () => {
  test('a better uplink takes over when it has been up without a break for long enough, and not before', () => {
    const lines = [line('dsl', 10, upSince(start - 29_999, 5)), line('lte', 20, steady)];
    expect(pick(on('lte'), lines)).toMatchObject({ uplink: 'lte' });
    expect(pick(on('lte'), lines, start + 1)).toMatchObject({
      uplink: 'dsl',
      why: 'dsl has worked for 30 seconds without a break and is preferred to lte',
    });
  });

  test('a better hub takes over in the same way', () => {
    const lines = [line('dsl', 10, upSince(start - 29_999), steady)];
    expect(pick(on('dsl', 'hub-b'), lines)).toMatchObject({ hub: 'hub-b' });
    expect(pick(on('dsl', 'hub-b'), lines, start + 1)).toMatchObject({
      hub: 'hub-a',
      why: 'hub-a has worked for 30 seconds without a break and is preferred to hub-b',
    });
  });

  test('the better hub over a worse uplink is no way back', () => {
    const lines = [line('dsl', 10, down, steady), line('lte', 20, steady)];
    expect(pick(on('dsl', 'hub-b'), lines)).toMatchObject({ uplink: 'dsl', hub: 'hub-b' });
  });

  test('an uplink whose device comes and goes is not gone back to, though its probes seem well each time', () => {
    let choice = pick(undefined, [line('dsl', 10, steady), line('lte', 20, steady)]);
    let switches = 0;
    for (let now = start; now < start + 600_000; now += 500) {
      const usable = Math.floor(now / 2000) % 2 === 1;
      const next = pick(choice, [line('dsl', 10, steady, steady, { usable }), line('lte', 20, steady)], now);
      if (next?.uplink !== choice?.uplink) switches++;
      choice = next;
    }
    expect(switches).toBe(1);
  });
});

describe('uplinks that work badly', () => {
  test('one over its budget carries only where no other works', () => {
    const spent = { overBudget: true };
    expect(pick(undefined, [line('lte', 10, steady, steady, spent), line('sat', 30, steady)])).toMatchObject({
      uplink: 'sat',
    });
    expect(pick(undefined, [line('lte', 10, steady, steady, spent), line('sat', 30, down)])).toMatchObject({
      uplink: 'lte',
    });
    const left = pick(on('lte'), [line('lte', 10, steady, steady, spent), line('sat', 30, steady)]);
    expect(left).toMatchObject({
      uplink: 'sat',
      why: 'lte has used up its data of this month; sat is the next that works',
    });
  });

  test('one that loses large packets comes after all others, and is left for them', () => {
    const large = { largeLost: true };
    const choice = pick(on('dsl'), [line('dsl', 10, steady, steady, large), line('lte', 20, steady)]);
    expect(choice).toMatchObject({
      uplink: 'lte',
      why: 'dsl loses large packets at every size; lte is the next that works',
    });
    const spent = line('lte', 20, steady, steady, { overBudget: true });
    expect(pick(on('dsl'), [line('dsl', 10, steady, steady, large), spent])).toMatchObject({ uplink: 'lte' });
    expect(pick(on('dsl'), [line('dsl', 10, steady, steady, large), line('lte', 20, down)])).toMatchObject({
      uplink: 'dsl',
    });
  });

  test('one that loses large packets now and then is not gone back to until it has stopped', () => {
    let choice = pick(undefined, [line('dsl', 10, steady), line('lte', 20, steady)]);
    const seen: string[] = [];
    for (let now = start; now < start + 300_000; now += 1000) {
      const largeLost = now < start + 200_000 && Math.floor(now / 5000) % 2 === 0;
      const next = pick(
        choice,
        [line('dsl', 10, steady, steady, { largeLost }), line('lte', 20, steady)],
        now,
      );
      if (next !== undefined && next.uplink !== choice?.uplink) seen.push(`${next.uplink} ${now - start}`);
      choice = next;
    }
    expect(seen).toEqual(['lte 0', 'dsl 224000']);
  });
});

describe('when nothing works', () => {
  test('what was never tested is tried by use, at once', () => {
    const choice = pick(on('dsl'), [line('dsl', 10, down), line('lte', 20, untested)]);
    expect(choice).toMatchObject({ uplink: 'lte', hub: 'hub-a', state: 'trial' });
    expect(choice?.why).toBe('nothing is known to work yet; lte with hub-a is tried');
  });

  test('each uplink is tried for 10 s, with each hub, and those over budget last', () => {
    const lines = [
      line('lte', 20, down, down, { overBudget: true }),
      line('dsl', 10, down),
      line('sat', 30, down),
    ];
    let choice: Choice | undefined = on('dsl');
    const tried: string[] = [];
    for (let now = start; now < start + 60_000; now += 100) {
      const next = pick(choice, lines, now);
      expect(next?.state).toBe('all-down');
      if (next !== undefined && (next.uplink !== choice?.uplink || next.hub !== choice.hub))
        tried.push(`${now - start} ${next.uplink} ${next.hub}`);
      choice = next;
    }
    expect(tried).toEqual([
      '0 sat hub-a',
      '10000 dsl hub-b',
      '20000 sat hub-b',
      '30000 lte hub-a',
      '40000 lte hub-b',
      '50000 dsl hub-a',
    ]);
    expect(choice?.left.length).toBeLessThanOrEqual(6);
  });

  test('a single uplink with a single hub is kept, since when it was chosen too', () => {
    const single = { uplinks: [line('dsl', 10, down)], hubs: ['hub-a'] };
    const choice = choose(on('dsl'), single, at(start), options);
    expect(choice).toMatchObject({ uplink: 'dsl', hub: 'hub-a', state: 'all-down', since: 0 });
  });

  test('the first that comes back carries at once', () => {
    const previous = on('sat', 'hub-b', { state: 'all-down', since: at(start - 1000) });
    const back = line('dsl', 10, upSince(start, start - 60_000));
    const choice = pick(previous, [back, line('sat', 30, down)]);
    expect(choice).toMatchObject({ uplink: 'dsl', state: 'up', why: 'dsl with hub-b works again' });
  });
});

describe('a preference', () => {
  const both = [line('dsl', 10, steady), line('lte', 20, steady)];
  const lte: Preference = { uplink: 'lte', at: at(start) };

  test('takes over at once, and holds against the order', () => {
    const first = pick(on('dsl'), both, start, lte);
    expect(first).toMatchObject({ uplink: 'lte', byHand: true, why: 'lte with hub-a was asked for by hand' });
    expect(pick(first, both, start + 3_600_000, lte)).toMatchObject({ uplink: 'lte', byHand: true });
  });

  test('without it the order counts again', () => {
    const first = pick(on('dsl'), both, start, lte);
    expect(pick(first, both, start + 1)).toMatchObject({ uplink: 'dsl', byHand: false });
  });

  test('ends when the uplink fails, and does not come back with it', () => {
    const first = pick(on('dsl'), both, start, lte);
    const failed = pick(first, [line('dsl', 10, steady), line('lte', 20, down)], start + 1000, lte);
    expect(failed).toMatchObject({ uplink: 'dsl', byHand: false, failedPreferenceAt: start });
    expect(pick(failed, both, start + 100_000, lte)).toMatchObject({ uplink: 'dsl', byHand: false });
    const again = { ...lte, at: at(start + 200_000) };
    expect(pick(failed, both, start + 200_000, again)).toMatchObject({ uplink: 'lte', byHand: true });
  });

  test('for an uplink only lets the hub change', () => {
    const first = pick(on('dsl'), both, start, lte);
    const lines = [line('dsl', 10, steady), line('lte', 20, down, steady)];
    expect(pick(first, lines, start + 1, lte)).toMatchObject({ uplink: 'lte', hub: 'hub-b', byHand: true });
  });

  test('for a hub only lets the uplink change', () => {
    const hub: Preference = { hub: 'hub-b', at: at(start) };
    const first = pick(on('dsl'), both, start, hub);
    expect(first).toMatchObject({ uplink: 'dsl', hub: 'hub-b', byHand: true });
    const lines = [line('dsl', 10, steady, down), line('lte', 20, steady)];
    expect(pick(first, lines, start + 1, hub)).toMatchObject({ uplink: 'lte', hub: 'hub-b', byHand: true });
  });

  test('for what was not tested yet is waited for', () => {
    const lines = [line('dsl', 10, steady), line('lte', 20, untested)];
    const first = pick(on('dsl'), lines, start, lte);
    expect(first).toMatchObject({ uplink: 'dsl', byHand: false, failedPreferenceAt: undefined });
    expect(pick(first, both, start + 1, lte)).toMatchObject({ uplink: 'lte', byHand: true });
  });

  test('for an uplink that does not exist is over at once', () => {
    const choice = pick(on('dsl'), both, start, { uplink: 'fax', at: at(start) });
    expect(choice).toMatchObject({ uplink: 'dsl', byHand: false, failedPreferenceAt: start });
  });
});

const path = fc.oneof(
  fc.constant(untested),
  fc
    .record({ since: fc.nat(60_000), ever: fc.boolean() })
    .map(({ since, ever }) => upSince(start - since, ever ? start - since - 1 : undefined)),
  fc.nat(60_000).map((since) => ({ ...down, downSince: at(start - since) })),
);
const anyLine = fc.record({
  metric: fc.integer({ min: 1, max: 3 }),
  usable: fc.boolean(),
  overBudget: fc.boolean(),
  largeLost: fc.boolean(),
  paths: fc.record({ 'hub-a': path, 'hub-b': path }, { requiredKeys: [] }),
});
const anyFacts = fc.record({
  uplinks: fc
    .array(anyLine, { maxLength: 4 })
    .map((lines) => lines.map((one, index) => ({ ...one, name: `line-${index}` }))),
  hubs: fc.constantFrom(['hub-a'], ['hub-a', 'hub-b'], ['hub-b', 'hub-a', 'hub-c']),
  preference: fc.option(
    fc.record({
      uplink: fc.constantFrom(undefined, 'line-0', 'line-1', 'none'),
      hub: fc.constantFrom(undefined, 'hub-a', 'hub-b'),
      at: fc.constantFrom(at(start - 100_000), at(start - 10)),
    }),
    { nil: undefined },
  ),
}) as fc.Arbitrary<ChoiceFacts>;
const history = fc.array(fc.record({ facts: anyFacts, after: fc.nat(20_000) }), {
  minLength: 1,
  maxLength: 6,
});

/** Every choice of a history, each with the facts that it was made by. */
function live(steps: readonly { readonly facts: ChoiceFacts; readonly after: number }[]) {
  let now = start;
  let choice: Choice | undefined;
  return steps.map(({ facts, after }) => {
    now += after;
    choice = choose(choice, facts, at(now), options);
    return { choice, facts, now: at(now) };
  });
}

describe('whatever happens', () => {
  test('an uplink that cannot be used is never chosen, and one that can always is', () => {
    fc.assert(
      fc.property(history, (steps) => {
        for (const { choice, facts } of live(steps)) {
          const usable = facts.uplinks.filter((one) => one.usable).map(({ name }) => name);
          if (usable.length === 0) expect(choice).toBeUndefined();
          else expect(usable).toContain(choice?.uplink);
          if (choice !== undefined) expect(facts.hubs).toContain(choice.hub);
        }
      }),
    );
  });

  test('asked again with its own answer it answers the same', () => {
    fc.assert(
      fc.property(history, (steps) => {
        for (const { choice, facts, now } of live(steps))
          expect(choose(choice, facts, now, options)).toEqual(choice);
      }),
    );
  });

  test('while any pair is up, a pair that is up carries, unless the one that carries is just being tested', () => {
    fc.assert(
      fc.property(history, (steps) => {
        for (const { choice, facts } of live(steps)) {
          if (choice === undefined) continue;
          const stateOf = (name: string, hub: string): string =>
            facts.uplinks.find((one) => one.name === name)?.paths[hub]?.state ?? 'untested';
          const anyUp = facts.uplinks.some(
            (one) => one.usable && facts.hubs.some((hub) => stateOf(one.name, hub) === 'up'),
          );
          if (anyUp) expect(stateOf(choice.uplink, choice.hub)).not.toBe('down');
          else expect(choice.state).not.toBe('up');
        }
      }),
    );
  });
});

describe('a path that flaps, up for 2 s and down for 2 s', () => {
  function switchesOf(uplinks: (now: number) => readonly UplinkFacts[]): number[] {
    let choice = pick(undefined, uplinks(start), start);
    const switches: number[] = [];
    for (let now = start; now < start + 600_000; now += 100) {
      const next = pick(choice, uplinks(now), now);
      if (next?.uplink !== choice?.uplink || next?.hub !== choice?.hub) switches.push(now);
      choice = next;
    }
    return switches;
  }
  const flapping = (now: number): PathFacts => {
    const phase = Math.floor((now - start) / 2000);
    const since = start + phase * 2000;
    return phase % 2 === 0 ? upSince(since, phase === 0 ? undefined : since - 2000) : down;
  };

  test('costs one switch in 10 minutes where the uplink flaps', () => {
    expect(switchesOf((now) => [line('dsl', 10, flapping(now)), line('lte', 20, steady)])).toHaveLength(1);
  });

  test('costs one switch in 10 minutes where the hub flaps', () => {
    expect(switchesOf((now) => [line('dsl', 10, flapping(now), steady)])).toHaveLength(1);
  });

  test('costs none where it is the second best that flaps', () => {
    expect(switchesOf((now) => [line('dsl', 10, steady), line('lte', 20, flapping(now))])).toEqual([]);
  });

  test('costs none where it is the only one', () => {
    const single = (now: number): ChoiceFacts => ({
      uplinks: [line('dsl', 10, flapping(now))],
      hubs: ['hub-a'],
    });
    let choice = choose(undefined, single(start), at(start), options);
    for (let now = start; now < start + 600_000; now += 100) {
      choice = choose(choice, single(now), at(now), options);
      expect(choice).toMatchObject({ uplink: 'dsl', hub: 'hub-a', since: start });
    }
  });

  test('and while another fails in earnest, still at most one in the time of the hysteresis', () => {
    const lines = (now: number): readonly UplinkFacts[] => [
      line('dsl', 10, flapping(now)),
      line('lte', 20, now > start + 100_000 ? down : steady),
      line('sat', 30, steady),
    ];
    const switches = switchesOf(lines);
    expect(switches).toHaveLength(2);
    for (let index = 1; index < switches.length; index++)
      expect((switches[index] ?? 0) - (switches[index - 1] ?? 0)).toBeGreaterThanOrEqual(30_000);
  });
});

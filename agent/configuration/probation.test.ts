import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ms } from '#contracts/units.ts';
import { lookEvery, newTrial, stepTrial, type Trial, type TrialEvent, type Witness } from './probation.ts';
import { settingsOf, written } from './test-bench.ts';
import { isOtherLink, linkWitness, readerWitnesses } from './witnesses.ts';

const probation = ms(300_000);
const witness = (works: boolean, against = 0): Witness => ({
  code: 'CONFIGURATION_CUT_OFF',
  detail: '',
  works,
  against,
});
const seen = (...witnesses: Witness[]): TrialEvent => ({ kind: 'seen', witnesses, since: 30_000 });
const fails = seen(witness(false, 1));
const outage = seen(witness(false, 0));
const works = seen(witness(true), witness(true));
const crash: TrialEvent = { kind: 'ended', sameBoot: true };
const cut: TrialEvent = { kind: 'ended', sameBoot: false };
const times = (n: number, event: TrialEvent): TrialEvent[] => Array.from({ length: n }, () => event);

/** How the trial of a configuration stands after these events. */
function after(...events: TrialEvent[]): string {
  let trial: Trial = newTrial;
  for (const event of events) {
    const step = stepTrial(trial, event, probation);
    if (step.kind !== 'on') return step.kind;
    ({ trial } = step);
  }
  return `${trial.failedMillis / 1000} s`;
}

describe('The probation of a configuration', () => {
  test.each<[string, TrialEvent[], string]>([
    ['is over when everything works', [works], 'confirmed'],
    ['goes on while one thing does not', [seen(witness(true), witness(false))], '0 s'],
    ['counts time in which the one before would have worked', times(9, fails), '270 s'],
    ['undoes it when that is its whole time', times(10, fails), 'undone'],
    ['counts no outage, however long', times(10_000, outage), '0 s'],
    [
      'adds what was before and after an outage',
      [...times(5, fails), ...times(50, outage), ...times(5, fails)],
      'undone',
    ],
    ['confirms it also late', [...times(9, fails), works], 'confirmed'],
    ['counts a part where the evidence is weak', times(4, seen(witness(false, 0.25))), '30 s'],
    ['counts the worst of several', times(10, seen(witness(false, 0), witness(false, 1))), 'undone'],
    ['forgives two crashes', [crash, crash], '0 s'],
    ['undoes it at the third', [crash, crash, crash], 'undone'],
    ['forgives power cuts (rauc#490)', times(9, cut), '0 s'],
    ['but not for ever', times(10, cut), 'undone'],
  ])('%s', (_, events, expected) => {
    expect(after(...events)).toBe(expected);
  });

  test('Whatever happens, it is undone only by crashes or by something that fails where the one before would have worked', () => {
    const event = fc.oneof(fc.constantFrom(crash, cut, fails, outage, works));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        let trial: Trial = newTrial;
        for (const [at, event] of events.entries()) {
          const step = stepTrial(trial, event, probation);
          if (step.kind === 'on') {
            ({ trial } = step);
            continue;
          }
          const so = events.slice(0, at + 1);
          const count = (of: TrialEvent): number => so.filter((one) => one === of).length;
          if (step.kind === 'confirmed') expect(event).toBe(works);
          else expect(count(fails) >= 10 || count(crash) >= 3 || count(cut) >= 10).toBe(true);
          return;
        }
      }),
    );
  });

  test('It is looked at every 30 s, and more often where it is short', () => {
    expect([10_000, 150_000, 300_000].map((time) => lookEvery(ms(time)))).toEqual([2000, 30_000, 30_000]);
  });
});

describe('What the link shows', () => {
  const old = settingsOf();
  const moved = settingsOf({ ...written, fleet: { url: 'mqtts://new.test' } });
  const tuned = settingsOf({ ...written, fleet: { url: 'mqtts://old.test', sampleMillis: 1000 } });

  test.each([
    [
      'a controller that answers is enough',
      moved,
      { reached: true, connected: true, oldWorks: undefined },
      true,
      0,
    ],
    [
      'no session, and the broker before takes one',
      moved,
      { reached: false, connected: false, oldWorks: true },
      false,
      1,
    ],
    ['no session there either', moved, { reached: false, connected: false, oldWorks: false }, false, 0],
    [
      'a session in which nobody answers',
      moved,
      { reached: false, connected: true, oldWorks: true },
      false,
      0.25,
    ],
    ['the same broker proves nothing', tuned, { reached: false, connected: false, oldWorks: true }, false, 0],
  ])('%s', (_, now, link, works, against) => {
    expect(linkWitness(old, now, link)).toMatchObject({ works, against });
  });

  test('It is another link where the broker is another', () => {
    expect([isOtherLink(old, moved), isOtherLink(old, tuned)]).toEqual([true, false]);
  });
});

describe('What the readers show', () => {
  const a = { id: 'counter-1', device: '/dev/a' };
  const here = new Set(['counter-1']);
  const gone = new Set<string>();

  test.each([
    ['ready as before', [{ ...a, state: 'ready' }], here, ['works']],
    [
      'another device that is there',
      [{ id: 'counter-1', device: '/dev/b', state: 'ready' }],
      here,
      ['works'],
    ],
    [
      'another device that is absent, while the one before is there',
      [{ id: 'counter-1', device: '/dev/b', state: 'absent' }],
      here,
      ['fails'],
    ],
    [
      'absent, as the one before is',
      [{ id: 'counter-1', device: '/dev/b', state: 'absent' }],
      gone,
      ['waits'],
    ],
    ['the same device by another name', [{ id: 'desk', device: '/dev/a', state: 'ready' }], here, ['works']],
    ['the same device with a profile that gets no answer', [{ ...a, state: 'silent' }], here, ['fails']],
    [
      'replaced by another name and device that is absent',
      [{ id: 'desk', device: '/dev/b', state: 'absent' }],
      here,
      ['fails'],
    ],
    ['taken out of the settings', [], here, []],
    ['taken out, and another that works', [{ id: 'desk', device: '/dev/b', state: 'ready' }], here, []],
    [
      'one more that is not plugged in yet',
      [
        { ...a, state: 'ready' },
        { id: 'desk', device: '/dev/b', state: 'absent' },
      ],
      here,
      ['works'],
    ],
  ] as const)('%s', (_, now, there, expected) => {
    const shown = readerWitnesses([a], now, there).map(({ works, against }) => {
      if (works) return 'works';
      return against > 0 ? 'fails' : 'waits';
    });
    expect(shown).toEqual(expected);
  });

  test('A reader that was not ready before is not asked for', () => {
    expect(readerWitnesses([], [{ ...a, state: 'absent' }], gone)).toEqual([]);
  });
});

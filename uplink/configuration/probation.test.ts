import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ms } from '#contracts/units.ts';
import { beginTrial, stepTrial, type Trial, type TrialEvent, turnOf } from './probation.ts';

/** Where the trial of version 7 stands after these events: how it ended, or which one runs. */
function after(...events: TrialEvent[]): string {
  let trial = beginTrial(7);
  for (const event of events) {
    const step = stepTrial(trial, event);
    if ('end' in step) return step.end;
    ({ trial } = step);
  }
  return trial.runs;
}
const outage: TrialEvent[] = ['over', 'over'];

describe('The probation of a configuration', () => {
  test.each<[string, TrialEvent[], string]>([
    ['begins with the new one', [], 'new'],
    ['confirms it when it reaches a hub', ['reached'], 'confirmed'],
    ['brings the one before back when it has not in its time', ['over'], 'before'],
    ['refuses it when the one before then reaches a hub', ['over', 'reached'], 'refused'],
    ['decides nothing while the one before reaches none either', outage, 'new'],
    ['goes on in turns during a long outage', [...outage, ...outage, ...outage, 'over'], 'before'],
    ['confirms it when the outage ends in its turn', [...outage, 'reached'], 'confirmed'],
    [
      'gives it a fair turn when the outage ends while the one before runs',
      [...outage, 'over', 'reached'],
      'new',
    ],
    [
      'refuses it when that fails and the one before works',
      [...outage, 'over', 'reached', 'over', 'reached'],
      'refused',
    ],
    ['confirms it when that works', [...outage, 'over', 'reached', 'reached'], 'confirmed'],
    ['goes on after one new start in its turn', ['restarted'], 'new'],
    ['goes on after two', ['restarted', 'restarted'], 'new'],
    ['takes its turn for over after the third', ['restarted', 'restarted', 'restarted'], 'before'],
    [
      'counts new starts for each turn anew',
      ['restarted', 'restarted', ...outage, 'restarted', 'restarted'],
      'new',
    ],
    [
      'does not count new starts of the one before',
      ['over', 'restarted', 'restarted', 'restarted', 'restarted'],
      'before',
    ],
  ])('%s', (_, events, expected) => {
    expect(after(...events)).toBe(expected);
  });

  test('A line that fails in every second turn does not swing for ever: after three fair turns the new one is refused', () => {
    const swing: TrialEvent[] = [...outage, 'over', 'reached'];
    expect(after(...swing, ...swing, ...swing)).toBe('new');
    expect(after(...swing, ...swing, ...swing, ...swing)).toBe('refused');
  });

  test('Turns grow while nothing works, to eight times what was configured', () => {
    const turns: number[] = [];
    let trial: Trial = beginTrial(7);
    for (let i = 0; i < 10; i++) {
      turns.push(turnOf(trial, ms(120_000)) / 1000);
      const step = stepTrial(trial, 'over');
      if ('trial' in step) ({ trial } = step);
    }
    expect(turns).toEqual([120, 120, 240, 240, 480, 480, 960, 960, 960, 960]);
  });

  test('Whatever happens, it is refused only right after the one before has reached a hub, and confirmed only by the new one', () => {
    const event = fc.constantFrom<TrialEvent>('reached', 'over', 'restarted');
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let trial = beginTrial(7);
        for (const event of events) {
          const step = stepTrial(trial, event);
          if ('trial' in step) {
            ({ trial } = step);
            continue;
          }
          expect(event).toBe('reached');
          expect(step.end).toBe(trial.runs === 'new' ? 'confirmed' : 'refused');
          return;
        }
      }),
    );
  });
});

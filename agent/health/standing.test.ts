import { expect, test } from 'vitest';
import { conditions } from '#contracts/conditions.ts';
import { monotonic } from '#contracts/units.ts';
import { StandingConditions } from './standing.ts';

const absent = { code: 'reader-absent', subject: 'counter-1' } as const;
const noise = { code: 'reader-noise', subject: 'counter-1' } as const;
const delay = conditions['reader-noise'].delaySeconds * 1000;

test('A condition keeps its beginning while it stands, and begins anew after it was gone', () => {
  const standing = new StandingConditions();
  const at = monotonic(5);
  expect(standing.update([absent], 'a', at)).toEqual([{ ...absent, since: 'a' }]);
  expect(standing.update([absent], 'b', at)).toEqual([{ ...absent, since: 'a' }]);
  expect(standing.update([], 'c', at)).toEqual([]);
  expect(standing.update([absent], 'd', at)).toEqual([{ ...absent, since: 'd' }]);
});

test('One with a delay is held back until it has stood for that long, and then says since when it stands', () => {
  const standing = new StandingConditions();
  expect(standing.update([noise, absent], 'a', monotonic(0))).toEqual([{ ...absent, since: 'a' }]);
  expect(standing.dueIn(monotonic(1000))).toBe(delay - 1000);
  expect(standing.update([noise], 'b', monotonic(delay - 1))).toEqual([]);
  expect(standing.update([noise], 'c', monotonic(delay))).toEqual([{ ...noise, since: 'a' }]);
  expect(standing.dueIn(monotonic(delay))).toBeUndefined();
});

test('A blip is never shown: a break starts the delay anew, and of another subject it counts for itself', () => {
  const standing = new StandingConditions();
  for (let at = 0; at < 10 * delay; at += delay) {
    expect(standing.update([noise], 'a', monotonic(at))).toEqual([]);
    expect(standing.update([], 'b', monotonic(at + delay - 1))).toEqual([]);
    expect(standing.dueIn(monotonic(at + delay - 1))).toBeUndefined();
  }
  standing.update([noise], 'a', monotonic(0));
  expect(standing.update([{ ...noise, subject: 'counter-2' }], 'b', monotonic(delay))).toEqual([]);
});

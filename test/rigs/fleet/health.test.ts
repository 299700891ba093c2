import { describe, expect, test } from 'vitest';
import { conditions } from '#contracts/conditions.ts';
import { HealthReport } from '#contracts/health.ts';
import { parseValue } from '#runtime/parse.ts';
import { seeded } from '../random.ts';
import { type Hurt, hurts, PlayedHealth } from './health.ts';

const now = Date.parse('2026-01-15T08:00:00.000Z');
const nothing = { depth: 0, oldestAt: null };

describe.each(Object.keys(hurts) as Hurt[])('A played terminal that is hurt by %s', (what) => {
  test('reports what the controller takes, with one condition, after the delay of that condition', () => {
    const health = new PlayedHealth(seeded(1), now);
    health.hurt(what, now);
    const wait = health.nextDue(now) ?? 0;
    if (wait > 0) expect(health.report(now + wait - 1, nothing).conditions).toEqual([]);
    const report = health.report(now + wait, nothing);
    expect(parseValue(HealthReport, report, 'MESSAGE_INVALID')).toEqual({ ok: true, value: report });
    expect(report.conditions).toHaveLength(1);
    const [one] = report.conditions;
    expect(Object.hasOwn(conditions, one?.code ?? '')).toBe(true);
    expect(one?.since).toBe(new Date(now).toISOString());
  });

  test('shows it at once where the delays are cut short, and is well when it is healed', () => {
    const health = new PlayedHealth(seeded(1), now, 2);
    health.hurt(what, now);
    expect(health.report(now + 2000, nothing).conditions).toHaveLength(1);
    health.heal();
    expect(health.report(now + 2001, nothing).conditions).toEqual([]);
    expect(health.nextDue(now + 2001)).toBeUndefined();
  });
});

test('A document is read in each sample of a played terminal, but none while its reader is unplugged', () => {
  const health = new PlayedHealth(seeded(1), now);
  const frames = (): number => health.report(now, nothing).counts.frames;
  expect(frames()).toBe(1);
  expect(frames()).toBe(2);
  health.hurt('unplug-reader', now);
  expect(frames()).toBe(2);
});

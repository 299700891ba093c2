import { beforeEach, describe, expect, test } from 'vitest';
import type { HealthMessage } from '#contracts/health.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { pack } from '#runtime/packed.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { healthy } from '#test/rigs/fleet-session.ts';
import { Reporting } from './reporting.ts';

let clock: TestClock;
let sent: HealthMessage[];
let health: typeof healthy;
let answer: Result<void>;

beforeEach(() => {
  clock = new TestClock();
  sent = [];
  health = healthy;
  answer = ok(undefined);
});

function begin(metered: boolean, sampleMillis = metered ? 600_000 : 15_000): Reporting {
  return new Reporting({
    health: { measure: async () => health, now: () => '2026-01-15T08:00:00.000Z' },
    session: 7,
    sampleEvery: ms(sampleMillis),
    fullEvery: ms(3_600_000),
    metered,
    clock,
    send: async (text) => {
      sent.push(JSON.parse(text) as HealthMessage);
      return answer;
    },
  });
}

const warmer = (): void => {
  health = { ...health, temperature: { celsius: (health.temperature?.celsius ?? 0) + 10 } };
};

describe('on a metered line', () => {
  test('what wanders is sent every ten minutes at most, however often somebody looks', async () => {
    const reporting = begin(true);
    await clock.advance(0);
    for (let minute = 0; minute < 60; minute++) {
      warmer();
      void reporting.look();
      await clock.advance(60_000);
    }
    expect(sent.filter(({ full }) => full).length).toBeLessThanOrEqual(2);
    expect(sent.length).toBeLessThanOrEqual(7);
    expect(sent.length).toBeGreaterThanOrEqual(6);
    reporting.close();
  });

  test('a reader that is unplugged is said at once, and alone', async () => {
    const reporting = begin(true);
    await clock.advance(60_000);
    warmer();
    health = { ...health, readers: [{ id: 'counter-1', state: 'absent' }] };
    void reporting.look();
    await clock.advance(0);
    expect(sent).toHaveLength(2);
    expect(Object.keys(sent[1]?.report ?? {})).toEqual(['readers']);
    await clock.advance(600_000);
    expect(Object.keys(sent[2]?.report ?? {})).toEqual(['temperature']);
    reporting.close();
  });
});

test('What moves with every sample is sent once a minute, and not with each of them', async () => {
  const reporting = begin(false);
  for (let sample = 0; sample < 20; sample++) {
    health = { ...health, counts: { ...health.counts, frames: health.counts.frames + 1 } };
    await clock.advance(15_000);
  }
  const changes = sent.filter(({ full }) => !full);
  expect(changes.length).toBeGreaterThanOrEqual(4);
  expect(changes.length).toBeLessThanOrEqual(5);
  expect(changes.every(({ report }) => Object.keys(report).join() === 'counts')).toBe(true);
  reporting.close();
});

test('A full report that is asked for goes at once, also while another is being measured, and says whether it arrived', async () => {
  const reporting = begin(false);
  const [one, two] = [reporting.now(), reporting.now()];
  await clock.advance(0);
  expect([await one, await two]).toEqual([ok(undefined), ok(undefined)]);
  expect(sent.map(({ full }) => full)).toEqual([true, true]);
  answer = fail('BROKER_UNREACHABLE', 'gone');
  const failing = reporting.now();
  await clock.advance(0);
  expect(await failing).toMatchObject({ ok: false });
  reporting.close();
  expect(await reporting.now()).toMatchObject({ ok: false, fault: { code: 'BROKER_UNREACHABLE' } });
});

test('A full report of an ordinary terminal takes less than 900 bytes on the line, and a change less than 200', async () => {
  const reporting = begin(false);
  await clock.advance(0);
  health = { ...health, readers: [{ id: 'counter-1', state: 'absent' }] };
  await clock.advance(15_000);
  const [full, change] = sent.map((message) => pack(JSON.stringify(message)).length);
  expect(full).toBeLessThan(900);
  expect(change).toBeLessThan(200);
  reporting.close();
});

import { expect, test } from 'vitest';
import { metricNames } from '#contracts/api/fleet.ts';
import { MetricItem, sampleNames } from '#contracts/outbox.ts';
import { parseValue } from '#runtime/parse.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { healthy } from '#test/rigs/fleet-session.ts';
import { OfflineHistory } from './offline-history.ts';

test('While there is no session, a sample is kept each quarter of an hour, with what was counted in it; with one, none', async () => {
  const clock = new TestClock();
  const kept: MetricItem[] = [];
  let health = healthy;
  let connected = false;
  const history = new OfflineHistory({
    health: { measure: async () => health, now: () => '2026-01-15T08:00:00.000Z' },
    clock,
    connected: () => connected,
    keep: (sample) => kept.push(sample),
  });
  await clock.advance(1000);
  health = {
    ...healthy,
    temperature: null,
    counts: { ...healthy.counts, frames: healthy.counts.frames + 5 },
  };
  await clock.advance(900_000);
  expect(kept).toHaveLength(1);
  expect(kept[0]).toMatchObject({ spanSeconds: 900, samples: { reads: 5, hits: 0, 'uplink-delay': 84 } });
  expect(kept[0]?.samples).not.toHaveProperty('temperature');
  expect(parseValue(MetricItem, kept[0], 'INTERNAL').ok).toBe(true);
  connected = true;
  await clock.advance(1_800_000);
  expect(kept).toHaveLength(1);
  connected = false;
  await clock.advance(900_000);
  expect(kept[1]?.samples.reads).toBe(0);
  history.close();
  await clock.advance(1_800_000);
  expect(kept).toHaveLength(2);
});

test('Every sample has the name of a metric that the centre keeps', () => {
  expect(sampleNames.filter((name) => !metricNames.includes(name))).toEqual([]);
});

import { describe, expect, test } from 'vitest';
import { at } from './test-bench.ts';
import { pathReplied, readTraffic, watchTraffic } from './traffic.ts';

describe('the traffic of the tunnel', () => {
  const reading = (now: number, sentBytes: number, receivedBytes: number) => ({
    at: at(now),
    sentBytes,
    receivedBytes,
  });

  test('is unanswered from the first that was sent after the last sign of life', () => {
    let seen = watchTraffic(reading(0, 100, 100));
    expect(seen).toMatchObject({ sentAt: undefined, receivedAt: undefined, since: 0 });
    seen = readTraffic(seen, reading(100, 200, 100));
    seen = readTraffic(seen, reading(200, 300, 100));
    expect(seen).toMatchObject({ sentAt: 200, receivedAt: undefined, unansweredSince: 100 });
    seen = readTraffic(seen, reading(300, 300, 200));
    expect(seen).toMatchObject({ receivedAt: 300, unansweredSince: undefined });
  });

  test('is answered by a reply to a probe too, but not by one from before', () => {
    const seen = readTraffic(watchTraffic(reading(0, 0, 0)), reading(100, 50, 0));
    expect(pathReplied(seen, at(40)).unansweredSince).toBe(100);
    expect(pathReplied(seen, at(150)).unansweredSince).toBeUndefined();
  });

  test('of an interface that was made anew counts as moved', () => {
    const seen = readTraffic(watchTraffic(reading(0, 5000, 5000)), reading(100, 10, 10));
    expect(seen).toMatchObject({ sentAt: 100, receivedAt: 100 });
  });
});

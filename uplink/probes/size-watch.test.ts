import { describe, expect, test } from 'vitest';
import {
  confirmMillis,
  fullProbeSpent,
  saveUp,
  sizeConfirmed,
  sizeInDoubt,
  type SizeWatch,
  startSizeWatch,
} from './size-watch.ts';
import { at, sizing } from './test-bench.ts';

const confirmed = sizeConfirmed(startSizeWatch(at(0)), 10_000);
const spend = (watch: SizeWatch, probes: number): SizeWatch =>
  Array.from({ length: probes }).reduce<SizeWatch>(fullProbeSpent, watch);

describe('how often the size of packets is confirmed', () => {
  const [little, much] = [10_000 + 4095, 10_000 + 4096];

  test('often where something passes, seldom where it stands by, is silent, or is paid by volume', () => {
    expect(confirmMillis('carrying', sizing, confirmed, little)).toBe(300_000);
    expect(confirmMillis('carrying', sizing, confirmed, much)).toBe(4000);
    expect(confirmMillis('standby', sizing, confirmed, much)).toBe(300_000);
    const metered = (quietMillis: number): number =>
      confirmMillis('metered-carrying', { ...sizing, quietMillis }, confirmed, much);
    expect([15_000, 900_000, 3_600_000].map(metered)).toEqual([900_000, 54_000_000, 86_400_000]);
    expect(confirmMillis('metered-standby', sizing, confirmed, much)).toBe(86_400_000);
  });

  test('at once where it begins to carry, and where its tunnel was made anew and counts from nothing', () => {
    expect(confirmMillis('carrying', sizing, sizeInDoubt(confirmed), 0)).toBe(4000);
    expect(confirmMillis('carrying', sizing, confirmed, 100)).toBe(4000);
    expect(confirmMillis('carrying', sizing, sizeInDoubt(confirmed), undefined)).toBe(300_000);
  });

  test('three hundred times in a row, then each half minute, and quietness saves up again', () => {
    const asked = (watch: SizeWatch): number => confirmMillis('carrying', sizing, watch, much);
    expect(asked(spend(confirmed, 299))).toBe(4000);
    const spent = spend(confirmed, 300);
    expect(asked(spent)).toBe(30_000);
    expect(asked(saveUp(spent, at(29_999)))).toBe(30_000);
    expect(asked(saveUp(spent, at(30_000)))).toBe(4000);
    expect(saveUp(spend(spent, 5), at(86_400_000)).saved).toBe(300);
  });
});

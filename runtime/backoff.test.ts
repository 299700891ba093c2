import { expect, test } from 'vitest';
import { ms } from '#contracts/units.ts';
import { Backoff } from './backoff.ts';

test('Pauses double up to the longest, each between half and whole, and begin anew only when the thing has worked', () => {
  for (const random of [() => 0, () => 0.999_999]) {
    const backoff = new Backoff(ms(100), ms(1000), random);
    for (const whole of [100, 200, 400, 800, 1000, 1000]) {
      const pause = backoff.next();
      expect(pause).toBeGreaterThanOrEqual(whole / 2);
      expect(pause).toBeLessThanOrEqual(whole);
    }
    backoff.worked();
    expect(backoff.next()).toBeLessThanOrEqual(100);
  }
});

import { describe, expect, test } from 'vitest';
import { fail } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { Pauses, type SessionEnd } from './pauses.ts';

const unreachable = fail('BROKER_UNREACHABLE', 'gone').fault;
type Over = Omit<Partial<SessionEnd>, 'stood'> & { readonly stood?: number };
const end = (over: Over = {}): SessionEnd => ({
  fault: unreachable,
  answered: false,
  ...over,
  stood: ms(over.stood ?? 0),
});
const pauses = (random = () => 1, spread = 30_000) =>
  new Pauses({ first: ms(1000), spread: ms(spread), random });

describe('pauses between sessions', () => {
  test('double up to a minute while none works, each with jitter', () => {
    const p = pauses();
    const waits = Array.from({ length: 8 }, () => p.after(end()));
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(pauses(() => 0).after(end())).toBe(500);
  });

  test('are short again once a session on a bad line has worked: it stood, or the controller answered', () => {
    const workings: readonly Over[] = [{ stood: 10_000 }, { stood: 300, answered: true }];
    for (const worked of workings) {
      const p = pauses();
      for (let i = 0; i < 5; i++) p.after(end());
      expect(p.after(end({ by: 'line', ...worked }))).toBe(1000);
    }
  });

  test('do not begin anew where the broker closes again and again soon after, whatever was answered meanwhile', () => {
    const p = pauses();
    const waits = Array.from({ length: 8 }, () =>
      p.after(end({ by: 'broker', stood: 60_000, answered: true })),
    );
    expect(waits.slice(-2)).toEqual([60_000, 60_000]);
  });

  test('five thousand terminals that the broker put out in one moment come back spread over its whole time', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const waits = Array.from({ length: 5000 }, () =>
      pauses(random).after(end({ by: 'broker', stood: 3_600_000 })),
    );
    const perSecond = new Map<number, number>();
    for (const wait of waits) {
      const second = Math.floor(wait / 1000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
    expect(Math.max(...perSecond.values())).toBeLessThan(250);
    expect(Math.max(...waits)).toBeLessThanOrEqual(31_000);
  });

  test('have no spread where the line alone failed: the site is not to wait for the fleet', () => {
    expect(pauses().after(end({ by: 'line', stood: 3_600_000 }))).toBe(1000);
  });

  test('are long where the broker has no room, and longer where somebody else has the identity', () => {
    const p = pauses();
    const full = fail('BROKER_BUSY', 'quota exceeded').fault;
    expect([p.after(end({ fault: full })), p.after(end({ fault: full }))]).toEqual([30_000, 60_000]);
    const taken = fail('IDENTITY_TAKEN_OVER', 'taken').fault;
    const fight = Array.from({ length: 6 }, () =>
      p.after(end({ fault: taken, by: 'broker', stood: 600_000, answered: true })),
    );
    expect(fight).toEqual([60_000, 120_000, 240_000, 480_000, 900_000, 900_000]);
  });
});

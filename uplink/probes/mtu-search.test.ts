import { describe, expect, test } from 'vitest';
import { monotonic } from '#contracts/units.ts';
import {
  advanceMtu,
  confirmNow,
  fullFailed,
  fullReplied,
  fullSent,
  fullTooLarge,
  type MtuSearch,
  startMtuSearch,
} from './mtu-search.ts';

/** A line of a test: how it is at each moment. */
interface Line {
  /** Largest packet that passes at that moment. */
  readonly pathMtu: (now: number) => number;
  readonly deviceMtu?: (now: number) => number;
  /** Whether anything passes at all. */
  readonly lives?: (now: number) => boolean;
  /** Whether a packet sent then is lost by chance. */
  readonly unlucky?: (now: number) => boolean;
  /** Whether small probes are sent every half second; where not, only when the search wants one. */
  readonly small?: boolean;
  readonly delay?: number;
  readonly confirmMillis?: number;
}

interface Seen {
  readonly search: MtuSearch;
  /** Every change of size or state, as “time size state”. */
  readonly changes: readonly string[];
  readonly sent: readonly { readonly at: number; readonly size: number }[];
}

/** Plays a search against a line, as the outer half does: small probes every 500 ms, down after three losses. */
function play(line: Line, until: number, search = startMtuSearch(1200), from = 0): Seen {
  const { pathMtu, deviceMtu = () => 1500, lives = () => true, delay = 40, confirmMillis = 4000 } = line;
  const unlucky = line.unlucky ?? (() => false);
  const timeoutMillis = Math.max(700, 4 * delay);
  const coming: { at: number; sequence?: number }[] = [];
  const changes: string[] = [];
  const sent: { at: number; size: number }[] = [];
  const name = ({ size, state }: MtuSearch): string => `${size} ${state}`;
  let smallAnsweredAt: number | undefined = from === 0 ? undefined : from;
  let sequence = from * 10;
  for (let now = from; now <= until; now += 50) {
    const before = name(search);
    for (const reply of coming.splice(0)) {
      if (reply.at > now) coming.push(reply);
      else if (reply.sequence === undefined) smallAnsweredAt = reply.at;
      else search = fullReplied(search, { sequence: reply.sequence });
    }
    const pathUp = smallAnsweredAt !== undefined && now - smallAnsweredAt < 2200;
    const at = monotonic(now);
    const evidence = {
      smallAnsweredAt: smallAnsweredAt === undefined ? undefined : monotonic(smallAnsweredAt),
      pathUp: pathUp || (line.small === false && lives(now)),
      timeoutMillis,
      confirmMillis,
    };
    const step = advanceMtu(search, at, evidence);
    search = step.search;
    const wantsSmall = step.wantsSmall && now % 500 === 0;
    if ((line.small !== false && now % 500 === 0) || wantsSmall)
      if (lives(now)) coming.push({ at: now + delay });
    for (const size of step.send) {
      if (size > deviceMtu(now)) {
        search = fullTooLarge(search, { size });
        continue;
      }
      sent.push({ at: now, size });
      search = fullSent(search, { size, sequence: ++sequence, at });
      if (lives(now) && size <= pathMtu(now) && !unlucky(now)) coming.push({ at: now + delay, sequence });
    }
    if (name(search) !== before) changes.push(`${now} ${name(search)}`);
  }
  return { search, changes, sent };
}

const timeOf = (change: string | undefined): number => Number(change?.split(' ')[0]);

describe('the size of packets', () => {
  test('is confirmed as soon as the line is up, and then every four seconds', () => {
    const { search, changes, sent } = play({ pathMtu: () => 1500 }, 21_000);
    expect(changes).toEqual(['100 1420 good']);
    expect(search.state).toBe('good');
    expect(sent.map(({ size }) => size)).toEqual([1420, 1420, 1420, 1420, 1420, 1420]);
  });

  test.each([
    [1300, 1280],
    [1280, 1280],
    [1250, 1200],
    [1200, 1200],
  ])('is found at the start where at most %i bytes pass: %i', (mtu, size) => {
    const { changes } = play({ pathMtu: () => mtu }, 10_000);
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatch(new RegExp(`${size} good$`));
    expect(timeOf(changes[0])).toBeLessThan(4000);
  });

  test('never goes below 1280 where the tunnel carries IPv6', () => {
    const { search } = play({ pathMtu: () => 1250 }, 10_000, startMtuSearch(1280));
    expect(search).toMatchObject({ size: 1280, state: 'large-lost', ladder: [1420, 1280] });
  });

  test.each([
    [1300, '1280 good'],
    [1250, '1200 good'],
    [600, '1200 large-lost'],
  ])(
    'is decided within 8 s after a black hole of %i bytes began, at whatever moment it does',
    (mtu, decided) => {
      const worst: number[] = [];
      for (let hole = 8000; hole < 12_000; hole += 50) {
        const { changes } = play({ pathMtu: (now) => (now < hole ? 1500 : mtu) }, hole + 12_000);
        const change = changes.find((text) => text.endsWith(decided));
        expect(changes).toHaveLength(2);
        worst.push(timeOf(change) - hole);
      }
      expect(Math.max(...worst)).toBeLessThan(8000);
      expect(Math.max(...worst)).toBeGreaterThan(5000);
    },
  );

  test('is not changed by one loss, nor by two', () => {
    for (const many of [1, 2]) {
      let left = many;
      const unlucky = (now: number): boolean => now > 6000 && left-- > 0;
      const { changes, sent } = play({ pathMtu: () => 1500, unlucky }, 20_000);
      expect(changes).toEqual(['100 1420 good']);
      expect(sent.length).toBeGreaterThan(4);
    }
  });

  test('is not changed by an outage of the whole line, whenever it begins and however long it is', () => {
    for (let begin = 8000; begin < 12_000; begin += 150) {
      for (const length of [500, 1500, 3000, 20_000]) {
        const lives = (now: number): boolean => now < begin || now >= begin + length;
        const { changes } = play({ pathMtu: () => 1500, lives }, begin + length + 6000);
        expect(changes).toEqual(['100 1420 good']);
      }
    }
  });

  test('is not changed in an hour on a line that loses one packet in ten by chance', () => {
    let seed = 7;
    // A generator of Park and Miller, so that the hour is always the same one.
    const unlucky = (): boolean => (seed = (seed * 48_271) % 2_147_483_647) % 10 === 0;
    const { changes } = play({ pathMtu: () => 1500, unlucky }, 3_600_000);
    expect(changes).toEqual(['100 1420 good']);
  });

  test('is decided by what this machine itself refuses, without waiting for a reply', () => {
    const { changes } = play({ pathMtu: () => 1500, deviceMtu: (now) => (now < 9000 ? 1500 : 1300) }, 20_000);
    expect(changes[1]).toMatch(/1280 good$/);
    expect(timeOf(changes[1])).toBeLessThan(9000 + 5000);
  });

  test('is not decided where no small packet shows that the line lives', () => {
    const line: Line = { pathMtu: () => 1250, small: false };
    let search = startMtuSearch(1200);
    let wanted = 0;
    for (let now = 0; now < 20_000; now += 50) {
      const evidence = { smallAnsweredAt: undefined, pathUp: true, timeoutMillis: 700, confirmMillis: 4000 };
      const step = advanceMtu(search, monotonic(now), evidence);
      search = step.search;
      if (step.wantsSmall) wanted++;
    }
    expect(search).toMatchObject({ size: 1420, state: 'untested' });
    expect(wanted).toBeGreaterThan(0);
    // With the small probes that it asks for, it is.
    expect(play(line, 20_000).search).toMatchObject({ size: 1200, state: 'good' });
  });
});

describe('upwards', () => {
  const small = (): MtuSearch => play({ pathMtu: () => 1300 }, 10_000).search;

  test('the next larger size is tried after ten minutes, and taken after three of three', () => {
    const { changes, sent } = play({ pathMtu: () => 1500 }, 700_000, small(), 10_050);
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatch(/1420 good$/);
    expect(timeOf(changes[0])).toBeGreaterThan(600_000);
    expect(timeOf(changes[0])).toBeLessThan(606_000);
    expect(sent.filter(({ size }) => size === 1420).length).toBeGreaterThanOrEqual(3);
    expect(sent.filter(({ size, at }) => size === 1420 && at < 600_000)).toEqual([]);
  });

  test('one of three that is lost ends the attempt for another ten minutes', () => {
    const { search, sent } = play({ pathMtu: () => 1300 }, 1_300_000, small(), 10_050);
    expect(search).toMatchObject({ size: 1280, state: 'good' });
    expect(sent.filter(({ size }) => size === 1420).length).toBeLessThanOrEqual(6);
  });

  test('two steps take two attempts', () => {
    const smallest = play({ pathMtu: () => 1200 }, 10_000).search;
    const { changes } = play({ pathMtu: () => 1500 }, 1_300_000, smallest, 10_050);
    expect(changes.map((text) => text.slice(text.indexOf(' ') + 1))).toEqual(['1280 good', '1420 good']);
    expect(timeOf(changes[1]) - timeOf(changes[0])).toBeGreaterThanOrEqual(600_000);
  });

  test('out of the loss of all large packets, the largest that passes is found again', () => {
    const lost = play({ pathMtu: () => 600 }, 10_000).search;
    expect(lost.state).toBe('large-lost');
    const { changes } = play({ pathMtu: () => 1300 }, 30_000, lost, 10_050);
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatch(/1280 good$/);
    expect(timeOf(changes[0])).toBeLessThan(16_000);
  });

  test('a line that is confirmed once a day to save data is not asked for more more often', () => {
    const saving: Line = { pathMtu: () => 1300, confirmMillis: 86_400_000 };
    const { sent } = play(saving, 1_300_000, small(), 10_050);
    expect(sent).toEqual([]);
  });
});

describe('what the caller tells', () => {
  const at = monotonic;
  const evidence = { smallAnsweredAt: at(0), pathUp: true, timeoutMillis: 700, confirmMillis: 4000 };

  test('a probe that could not be sent at all decides nothing', () => {
    const step = advanceMtu(startMtuSearch(1200), at(100), evidence);
    expect(step.send).toEqual([1420]);
    expect(fullFailed(step.search)).toMatchObject({ state: 'untested', size: 1420, round: undefined });
  });

  test('a confirmation can be asked for', () => {
    const { search } = play({ pathMtu: () => 1500 }, 5000);
    const soon = { ...evidence, confirmMillis: 100_000 };
    expect(advanceMtu(search, at(5100), soon).send).toEqual([]);
    expect(advanceMtu(confirmNow(search), at(5100), soon).send).toEqual([1420]);
  });

  test('a reply to a probe of another round changes nothing', () => {
    const { search } = advanceMtu(startMtuSearch(1200), at(100), evidence);
    const sent = fullSent(search, { size: 1420, sequence: 5, at: at(100) });
    expect(fullReplied(sent, { sequence: 4 })).toBe(sent);
    expect(fullTooLarge(sent, { size: 1280 })).toBe(sent);
  });

  test('nothing is sent twice while it is under way', () => {
    const { search, send } = advanceMtu(startMtuSearch(1200), at(100), evidence);
    expect(send).toEqual([1420]);
    expect(advanceMtu(search, at(150), evidence).send).toEqual([]);
  });
});

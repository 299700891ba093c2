import { describe, expect, test } from 'vitest';
import { smallProbeCost } from './budget.ts';
import { type PathView, untestedPath } from './path-meter.ts';
import { detectSeconds, dueProbes, mayProbeFull, type ScheduledLine } from './schedule.ts';
import { at, input, line, play, settings, start, traffic, view } from './test-bench.ts';
import { pathReplied, readTraffic, type Traffic, watchTraffic } from './traffic.ts';

const gaps = (times: readonly number[]): number[] =>
  times.slice(1).map((time, index) => time - (times[index] ?? 0));

describe('an uplink that is not metered', () => {
  test('is probed at its pace to the hub that carries and seldom to others, without drift, and never two at once', () => {
    const sent = play(
      (_now, [one = [], two = []]) => [
        line('carrying', one, { uplink: 'dsl', carries: 'hub-0' }),
        line('standby', two, { uplink: 'fibre' }),
      ],
      [2, 2],
      120_000,
    ).filter((probe) => probe.at >= 12_000);
    const times = (place: string): number[] =>
      sent.filter((probe) => probe.place === place).map((probe) => probe.at);
    expect(new Set(gaps(times('dsl hub-0')))).toEqual(new Set([2000]));
    for (const place of ['dsl hub-1', 'fibre hub-0', 'fibre hub-1'])
      expect(new Set(gaps(times(place)))).toEqual(new Set([12_000]));
    expect(Math.min(...gaps(sent.map((probe) => probe.at)))).toBeGreaterThanOrEqual(100);
  });

  test('is not probed to the hub that carries while the tunnel receives, but to the other one', () => {
    const sent = play(
      (_now, [one = []]) => [line('carrying', one, { carries: 'hub-0' })],
      [2],
      60_000,
      (now) => ({ traffic: traffic({ receivedAt: at(now - 100) }) }),
    );
    expect(sent.filter(({ place }) => place === 'line hub-0')).toHaveLength(1);
    expect(sent.filter(({ place }) => place === 'line hub-1').length).toBeGreaterThanOrEqual(5);
  });

  test.each([
    ['with traffic, within 3 s', true, 3000],
    ['without any, within 3.5 s', false, 3500],
  ])('is down after a failure %s', (_, flows, most) => {
    for (let fails = 5000; fails < 7000; fails += 50) {
      let downAt: number | undefined;
      let watched = watchTraffic({ at: at(start), sentBytes: 0, receivedBytes: 0 });
      play(
        (now, [one = []]) => {
          if (one[0]?.state === 'down') downAt ??= now - start;
          // The counters are read twice a second.
          if (flows && now % 500 === 0) {
            const receivedBytes = now < start + fails ? now : watched.receivedBytes;
            watched = readTraffic(watched, {
              at: at(now),
              sentBytes: now,
              receivedBytes,
            });
          }
          return [line('carrying', one, { carries: 'hub-0' })];
        },
        [2],
        12_000,
        () => (flows ? { traffic: watched } : {}),
        (now) => now < start + fails,
      );
      expect(downAt).toBeGreaterThan(fails);
      expect(downAt).toBeLessThanOrEqual(fails + most);
    }
  });

  test('a loss is followed up at once though the tunnel receives', () => {
    const carries = (lastSentAt: number): ScheduledLine =>
      line('carrying', [view({ lostInRow: 2, lastSentAt: at(lastSentAt) })], { carries: 'hub-0' });
    const due = (one: ScheduledLine): unknown[] => [
      ...dueProbes(input([one], { traffic: traffic({ receivedAt: at(start) }) })),
    ];
    expect(due(carries(start - 249))).toHaveLength(0);
    expect(due(carries(start - 250))).toHaveLength(1);
  });

  test('where the path that carries is in doubt all the others are asked, so that the next choice is none that is dead', () => {
    const fresh = view({ lastSentAt: at(start - 1000), lastReplyAt: at(start - 960) });
    const asked = (carrier: PathView): string[] =>
      dueProbes(
        input([
          line('carrying', [carrier, fresh], { uplink: 'dsl', carries: 'hub-0' }),
          line('standby', [fresh, fresh], { uplink: 'fibre' }),
        ]),
      ).map(({ uplink, hub }) => `${uplink} ${hub}`);
    const overdue = view({ lastSentAt: at(start - 350), lastReplyAt: at(start - 2300) });
    expect(asked(overdue)).toEqual(['dsl hub-0', 'dsl hub-1', 'fibre hub-0', 'fibre hub-1']);
    expect(asked({ ...overdue, lastSentAt: at(start - 349) })).toEqual([]);
    const down = { state: 'down', lastSentAt: at(start - 100), lostInRow: 3 } as const;
    expect(asked(view({ ...down, downSince: at(start - 2999) }))).toHaveLength(3);
    expect(asked(view({ ...down, downSince: at(start - 3000) }))).toHaveLength(0);
  });

  test('after the program stood still is probed once, and not for every turn that was missed', () => {
    const due = dueProbes(
      input([
        line('carrying', [view({ lastSentAt: at(start - 10_000), lastReplyAt: at(start - 9960) })], {
          carries: 'hub-0',
        }),
      ]),
    );
    expect(due).toHaveLength(1);
  });

  test('is not probed while it has no device, address or route', () => {
    expect(
      dueProbes(input([line('carrying', [view()], { usable: false })], { wantedAt: at(start) })),
    ).toEqual([]);
  });
});

describe('a metered uplink that carries', () => {
  const carrying = (meter: PathView, others: readonly PathView[] = []) =>
    line('metered-carrying', [meter, ...others], { carries: 'hub-0' });
  const due = (meter: PathView, seen: Partial<Traffic>, others: readonly PathView[] = []): string[] =>
    dueProbes(input([carrying(meter, others)], { traffic: traffic(seen) })).map(({ hub }) => hub);
  const fresh = view({ lastSentAt: at(start - 1000), lastReplyAt: at(start - 900) });
  const old = view({ lastSentAt: at(start - 60_000), lastReplyAt: at(start - 59_900) });

  test('is silent while what it sends is answered', () => {
    expect(due(old, { sentAt: at(start - 10), receivedAt: at(start - 5) })).toEqual([]);
    expect(
      due(old, { sentAt: at(start - 10), receivedAt: at(start - 500), unansweredSince: at(start - 400) }),
    ).toEqual([]);
  });

  test('is probed when nothing has come back for a second, and until it is clear', () => {
    const unanswered = { sentAt: at(start), receivedAt: at(start - 1200), unansweredSince: at(start - 1000) };
    expect(due(old, unanswered)).toEqual(['hub-0']);
    expect(due(view({ lastSentAt: at(start - 499), lostInRow: 0 }), unanswered)).toEqual([]);
    expect(due(view({ lastSentAt: at(start - 500), lostInRow: 1 }), { receivedAt: at(start) })).toEqual([
      'hub-0',
    ]);
  });

  test('is probed when nothing at all has moved for fifteen seconds', () => {
    expect(due(old, { sentAt: at(start - 14_999), receivedAt: at(start - 14_999) })).toEqual([]);
    expect(due(old, { sentAt: at(start - 15_000), receivedAt: at(start - 15_000) })).toEqual(['hub-0']);
    expect(due(fresh, { sentAt: at(start - 20_000), receivedAt: at(start - 20_000) })).toEqual([]);
  });

  test('is probed after as long a silence as it may have, and the other hub not more often either', () => {
    const other = view({ lastSentAt: at(start - 899_999) });
    const quiet = (silence: number, others: readonly PathView[]): string[] => {
      const seen = traffic({ receivedAt: at(start - silence), sentAt: at(start - silence) });
      const one = { ...carrying(view(), others), quietMillis: 900_000 };
      return dueProbes(input([one], { traffic: seen })).map(({ hub }) => hub);
    };
    expect(quiet(899_999, [])).toEqual([]);
    expect(quiet(900_000, [])).toEqual(['hub-0']);
    expect(quiet(0, [other])).toEqual([]);
    expect(quiet(0, [view({ lastSentAt: at(start - 900_000) })])).toEqual(['hub-1']);
  });

  test('is probed at once when it begins to carry, since what is known of it is old', () => {
    expect(due(old, { since: at(start - 1) })).toEqual(['hub-0']);
    expect(due(old, { since: at(start - 100), receivedAt: at(start - 50) })).toEqual([]);
    expect(due(fresh, { since: at(start - 950) })).toEqual([]);
  });

  test('asks the other hubs over it too once it loses probes, to tell line from hub', () => {
    const lost = view({ lastSentAt: at(start - 500), lostInRow: 1 });
    const other = view({ lastSentAt: at(start - 60_000) });
    expect(due(lost, {}, [other])).toEqual(['hub-0', 'hub-1']);
    expect(due(view({ lastSentAt: at(start - 100) }), { receivedAt: at(start) }, [other])).toEqual([]);
  });

  test('is down within 4 s after a failure while it sends, and within 18 s where it is silent', () => {
    for (const [sends, most] of [
      [true, 4000],
      [false, 18_000],
    ] as const) {
      let watched: Traffic = watchTraffic({
        at: at(start),
        sentBytes: 0,
        receivedBytes: 0,
      });
      const fails = start + 20_000;
      let downAt = Infinity;
      play(
        (now, [one = []]) => {
          if (one[0]?.state === 'down') downAt = Math.min(downAt, now - fails);
          const moves = now < fails || sends;
          watched = readTraffic(watched, {
            at: at(now),
            sentBytes: moves && now % 200 === 0 ? now : watched.sentBytes,
            receivedBytes: now < fails && now % 200 === 0 ? now : watched.receivedBytes,
          });
          if (one[0]?.lastReplyAt !== undefined) watched = pathReplied(watched, one[0].lastReplyAt);
          return [line('metered-carrying', one, { carries: 'hub-0' })];
        },
        [2],
        45_000,
        () => ({ traffic: watched }),
        (now) => now < fails,
      );
      expect(downAt).toBeLessThanOrEqual(most);
    }
  });
});

describe('a metered uplink that stands by', () => {
  test('is probed at once where it was never tested, then every ten minutes, one hub after the other', () => {
    const sent = play(
      (_now, [one = []]) => [line('metered-standby', one)],
      [2],
      3_600_000,
      undefined,
      undefined,
      1000,
    );
    expect(sent[0]).toEqual({ at: 0, place: 'line hub-0' });
    expect(sent[1]).toEqual({ at: 1000, place: 'line hub-1' });
    const later = sent.slice(2);
    expect(later).toHaveLength(5);
    expect(later.map(({ place }) => place)).toEqual([0, 1, 0, 1, 0].map((hub) => `line hub-${hub}`));
    expect(Math.min(...gaps(later.map((probe) => probe.at)))).toBeGreaterThanOrEqual(600_000);
  });

  test('a loss is asked about again soon, until the path is down', () => {
    const sent = play(
      (_now, [one = []]) => [line('metered-standby', one)],
      [1],
      1_300_000,
      undefined,
      (now) => now < start + 500_000,
      500,
    ).map((probe) => probe.at);
    expect(gaps(sent)).toEqual([600_000, 5000, 5000, 600_000]);
  });

  test('is not probed where the budget is spent, and a full probe needs more', () => {
    const never = untestedPath(settings);
    expect(dueProbes(input([line('metered-standby', [never], { budgetBytes: 571 })]))).toEqual([]);
    expect(
      dueProbes(input([line('metered-standby', [never], { budgetBytes: smallProbeCost })])),
    ).toHaveLength(1);
    expect(mayProbeFull({ role: 'metered-standby', budgetBytes: 2999 })).toBe(false);
    expect(mayProbeFull({ role: 'metered-standby', budgetBytes: 3000 })).toBe(true);
    expect(mayProbeFull({ role: 'metered-carrying', budgetBytes: 0 })).toBe(true);
  });

  test('is probed at once when everything is down, for 30 s at the full pace and then ever more rarely', () => {
    const sent = play(
      (_now, [one = []]) => [line('metered-standby', one)],
      [1],
      3_600_000,
      () => ({ allDownSince: at(start) }),
      () => false,
      100,
    ).map((probe) => probe.at);
    expect(sent[0]).toBe(0);
    expect(sent.filter((time) => time < 30_000)).toHaveLength(60);
    const later = gaps(sent.filter((time) => time >= 600_000));
    expect(Math.min(...later)).toBeGreaterThanOrEqual(59_000);
    expect(Math.max(...later)).toBeLessThanOrEqual(60_100);
  });

  test('that answers after a long outage is asked again at once, so that it is up at the second reply', () => {
    const again = view({ state: 'down', answeredInRow: 1, lastSentAt: at(start - 500) });
    const after = { allDownSince: at(start - 7_200_000) };
    expect(dueProbes(input([line('metered-standby', [again])], after))).toHaveLength(1);
    expect(dueProbes(input([line('metered-standby', [{ ...again, answeredInRow: 0 }])], after))).toEqual([]);
  });

  test('traffic that comes back through the tunnel ends the waiting', () => {
    const carries = line('metered-carrying', [view({ state: 'down', lastSentAt: at(start - 500) })], {
      carries: 'hub-0',
    });
    const after = { allDownSince: at(start - 7_200_000) };
    expect(dueProbes(input([carries], after))).toEqual([]);
    expect(
      dueProbes(input([carries], { ...after, traffic: traffic({ receivedAt: at(start - 100) }) })),
    ).toHaveLength(1);
  });
});

describe('when somebody asks for it', () => {
  test('every path is probed once, whatever its role and its budget', () => {
    const lines = [
      line('standby', [view({ lastSentAt: at(start - 1) }), view({ lastSentAt: at(start - 1) })], {
        uplink: 'dsl',
      }),
      line('metered-carrying', [view(), view()], { uplink: 'lte', carries: 'hub-0' }),
      line('metered-standby', [view({ lastSentAt: at(start - 1) })], { uplink: 'sat', budgetBytes: 0 }),
    ];
    expect(
      dueProbes(input(lines, { wantedAt: at(start), traffic: traffic({ receivedAt: at(start) }) })),
    ).toHaveLength(5);
    const done = lines.map((one) => ({
      ...one,
      paths: one.paths.map((path) => ({ ...path, meter: view({ lastSentAt: at(start) }) })),
    }));
    expect(
      dueProbes(input(done, { wantedAt: at(start), traffic: traffic({ receivedAt: at(start) }) })),
    ).toEqual([]);
  });
});

describe('how long a failure may go unnoticed', () => {
  const meter = { ...view(), quietMillis: 15_000 };

  test.each([
    ['carrying', 4],
    ['standby', 14],
    ['metered-carrying', 18],
    ['metered-standby', 611],
  ] as const)('%s: %i s', (role, seconds) => {
    expect(detectSeconds(role, settings, meter)).toBe(seconds);
  });

  test('is longer on a slow line, and where the budget is spent', () => {
    expect(detectSeconds('carrying', settings, { ...meter, timeoutMillis: 2400 })).toBe(7);
    expect(detectSeconds('metered-standby', settings, meter, 7_200_000)).toBe(7211);
  });

  test('is as long as the line may be quiet', () => {
    expect(detectSeconds('metered-carrying', settings, { ...meter, quietMillis: 900_000 })).toBe(903);
  });
});

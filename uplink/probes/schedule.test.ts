import { describe, expect, test } from 'vitest';
import { type MonotonicTime, monotonic } from '#contracts/units.ts';
import { budgetLeft, fullProbeCost, openBudget, readBudget, reserve, smallProbeCost } from './budget.ts';
import {
  type PathMeter,
  type PathView,
  probeReplied,
  probeSent,
  type ProbeSettings,
  timePassed,
  untestedPath,
} from './path-meter.ts';
import {
  confirmMillis,
  detectSeconds,
  dueProbes,
  fullProbeEvery,
  mayProbeFull,
  type LineRole,
  type ScheduledLine,
  type ScheduleInput,
} from './schedule.ts';
import { pathReplied, readTraffic, type Traffic, watchTraffic } from './traffic.ts';

const settings: ProbeSettings = {
  everyMillis: 2000,
  timeoutMillis: 700,
  lossesDown: 3,
  failbackSeconds: 30,
  meteredBytesPerMonth: 5_000_000,
};
const sizing = { fullProbeMillis: 4000, quietMillis: 15_000 };
const at = monotonic;
const start = 1_000_000;

const view = (changes: Partial<PathView> = {}): PathView => ({
  ...untestedPath(settings),
  state: 'up',
  upSince: at(0),
  lastSentAt: at(0),
  lastReplyAt: at(40),
  ...changes,
});
const line = (
  role: LineRole,
  meters: readonly PathView[],
  changes: Partial<ScheduledLine> = {},
): ScheduledLine => ({
  uplink: 'line',
  role,
  usable: true,
  carries: undefined,
  paths: meters.map((meter, index) => ({ hub: `hub-${index}`, meter })),
  quietMillis: 15_000,
  budgetBytes: 100_000,
  ...changes,
});
const input = (lines: readonly ScheduledLine[], changes: Partial<ScheduleInput> = {}): ScheduleInput => ({
  now: at(start),
  lines,
  settings,
  traffic: undefined,
  allDownSince: undefined,
  wantedAt: undefined,
  ...changes,
});
const traffic = (changes: Partial<Traffic> = {}): Traffic => ({
  sentBytes: 0,
  receivedBytes: 0,
  sentAt: undefined,
  receivedAt: undefined,
  unansweredSince: undefined,
  since: at(0),
  ...changes,
});

/** Plays the schedule; each probe is answered after 40 ms, unless it is said that it is not. */
function play(
  lines: (now: number, meters: readonly (readonly PathMeter[])[]) => readonly ScheduledLine[],
  counts: readonly number[],
  duration: number,
  changes: (now: number) => Partial<ScheduleInput> = () => ({}),
  answers: (now: number) => boolean = () => true,
  step = 50,
): { at: number; place: string }[] {
  const meters = counts.map((count) => Array.from({ length: count }, () => untestedPath(settings)));
  const sent: { at: number; place: string }[] = [];
  const coming: { at: number; row: number; column: number; sequence: number }[] = [];
  for (let now = start; now < start + duration; now += step) {
    const rows = lines(now, meters);
    const change = (row: number, column: number, to: (meter: PathMeter) => PathMeter): void => {
      const meter = meters[row]?.[column];
      if (meter !== undefined) (meters[row] ??= [])[column] = to(meter);
    };
    for (const one of coming.splice(0)) {
      if (one.at > now) coming.push(one);
      else
        change(one.row, one.column, (meter) =>
          probeReplied(meter, { sequence: one.sequence, at: at(one.at) }, settings),
        );
    }
    meters.forEach((row, index) =>
      row.forEach((_, column) => change(index, column, (meter) => timePassed(meter, at(now), settings))),
    );
    for (const { uplink, hub } of dueProbes(input(lines(now, meters), { now: at(now), ...changes(now) }))) {
      const row = rows.findIndex((one) => one.uplink === uplink);
      const column = rows[row]?.paths.findIndex((path) => path.hub === hub) ?? -1;
      sent.push({ at: now - start, place: `${uplink} ${hub}` });
      change(row, column, (meter) => probeSent(meter, { sequence: now, at: at(now) }, settings));
      if (answers(now)) coming.push({ at: now + 40, row, column, sequence: now });
    }
  }
  return sent;
}

const gaps = (times: readonly number[]): number[] =>
  times.slice(1).map((time, index) => time - (times[index] ?? 0));

/**
 * Bytes a day, by IP, of the probes of an uplink that is not metered and carries, where so many bytes pass its tunnel so
 * often and are answered. An hour is played.
 */
function costOfDay(hubs: number, passesEvery: number, passing: number): number {
  const hour = 3_600_000;
  const step = 50;
  let [passed, sizes, sizedAt, sizedBytes, saved] = [0, 0, 0, 0, 0];
  const sent = play(
    (_now, [one = []]) => [line('carrying', one, { carries: 'hub-0' })],
    [hubs],
    hour,
    (now) => {
      const since = now - start;
      if (since % passesEvery < step && passing > 0) passed += passing;
      saved += step / fullProbeEvery;
      const confirm = confirmMillis('carrying', sizing, { bytes: passed - sizedBytes, saved });
      if (since - sizedAt >= confirm) {
        [sizedAt, sizedBytes] = [since, passed];
        sizes += 1;
        saved = Math.max(0, saved - 1);
      }
      const receivedAt = since - (since % passesEvery);
      return Number.isFinite(receivedAt) ? { traffic: traffic({ receivedAt: at(start + receivedAt) }) } : {};
    },
    undefined,
    step,
  );
  // An echo of 48 bytes and one of 1420, there and back, inside of WireGuard.
  return 24 * (sent.length * 2 * 108 + sizes * 2 * 1480);
}

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

  test.each([
    ['nobody says anything', Infinity, 0],
    ['everyday talk passes', 30_000, 1200],
    ['it carries much all day', 50, 50_000],
  ])('costs at most 20 MB a day where %s, with four hubs too', (_, every, bytes) => {
    for (const hubs of [2, 4]) expect(costOfDay(hubs, every, bytes)).toBeLessThan(20_000_000);
    expect(costOfDay(2, every, bytes)).toBeGreaterThan(5_000_000);
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

  test('large packets are confirmed often where they cost nothing, and rarely where they do', () => {
    const [little, much] = [
      { bytes: 4095, saved: 9 },
      { bytes: 4096, saved: 9 },
    ];
    expect(confirmMillis('carrying', sizing, little)).toBe(300_000);
    expect(confirmMillis('carrying', sizing, much)).toBe(4000);
    expect(confirmMillis('carrying', sizing, { ...much, saved: 0.9 })).toBe(30_000);
    expect(confirmMillis('standby', sizing, much)).toBe(300_000);
    const metered = (quietMillis: number): number =>
      confirmMillis('metered-carrying', { ...sizing, quietMillis }, much);
    expect([15_000, 900_000, 3_600_000].map(metered)).toEqual([900_000, 54_000_000, 86_400_000]);
    expect(confirmMillis('metered-standby', sizing, much)).toBe(86_400_000);
  });
});

/**
 * What WireGuard puts on the wire, IPv4 and UDP headers included, in bytes: initiation 176 and response 120 of a handshake,
 * which is needed where the last one is two minutes old; an echo of 48 bytes 108 each way; 60 for a keepalive. Where
 * nothing answers, an initiation every 5 s until 90 s after the last packet (WireGuard, section 6.4).
 */
interface Month {
  readonly bytes: number;
  readonly probes: number;
  readonly probesInOutage: number;
}

function simulateMonth(dead: (now: number) => boolean, allDown: (now: number) => boolean): Month {
  const month = settings.meteredBytesPerMonth;
  const step = 5000;
  const days = 86_400_000;
  let meters = [untestedPath(settings), untestedPath(settings)];
  let budget = openBudget(undefined, month, at(0));
  let [bytes, probes, probesInOutage, handshakeAt] = [0, 0, 0, -Infinity];
  let allDownSince: MonotonicTime | undefined;
  for (let now = 0; now < 30 * days; now += step) {
    allDownSince = allDown(now) ? (allDownSince ?? at(now)) : undefined;
    budget = readBudget(
      budget,
      { at: at(now), counter: bytes, standsBy: true, doubled: allDownSince !== undefined },
      month,
    );
    meters = meters.map((meter) => timePassed(meter, at(now), settings));
    const standby = line('metered-standby', meters, { budgetBytes: budgetLeft(budget) });
    for (const { hub } of dueProbes(input([standby], { now: at(now), allDownSince }))) {
      budget = reserve(budget, smallProbeCost, at(now));
      probes++;
      if (dead(now)) probesInOutage++;
      meters = meters.map((meter, index) => {
        if (`hub-${index}` !== hub) return meter;
        const sent = probeSent(meter, { sequence: now, at: at(now) }, settings);
        return dead(now) ? sent : probeReplied(sent, { sequence: now, at: at(now + 80) }, settings);
      });
      if (!dead(now)) {
        bytes += 2 * 108 + 60 + (now - handshakeAt > 120_000 ? 176 + 120 : 0);
        if (now - handshakeAt > 120_000) handshakeAt = now;
      }
    }
    if (dead(now) && meters.some(({ lastSentAt }) => now - (lastSentAt ?? -Infinity) <= 90_000)) bytes += 176;
  }
  return { bytes, probes, probesInOutage };
}

describe('a month of a metered uplink that stands by', () => {
  const days = 86_400_000;
  const tenth = (now: number): boolean => now >= 10 * days && now < 11 * days;

  test('costs about 2.5 MB where nothing happens', () => {
    const { bytes, probes } = simulateMonth(
      () => false,
      () => false,
    );
    expect(bytes).toBeGreaterThan(2_300_000);
    expect(bytes).toBeLessThan(2_600_000);
    expect(probes).toBeGreaterThan(4300);
  });

  test('costs less than 3 MB where it is dead for a day', () => {
    const { bytes } = simulateMonth(tenth, () => false);
    expect(bytes).toBeLessThan(3_000_000);
  });

  test('costs less than 3.5 MB where everything is down for a day, and goes on being probed all the while', () => {
    const { bytes, probesInOutage } = simulateMonth(tenth, tenth);
    expect(bytes).toBeLessThan(3_500_000);
    expect(probesInOutage).toBeGreaterThan(100);
  });

  test('costs less than 5 MB where it is dead the whole month', () => {
    const { bytes } = simulateMonth(
      () => true,
      () => false,
    );
    expect(bytes).toBeLessThan(5_000_000);
  });
});

/** Bytes of the probes of a metered uplink that carries for 30 days, where something passes its tunnel so often, in ms. */
function simulateCarrying(quietMillis: number, passesEvery: number): number {
  const days = 2;
  const end = days * 86_400_000;
  let meters = [untestedPath(settings), untestedPath(settings)];
  let [bytes, moved] = [0, 0];
  for (let now = 0; now < end; now += 500) {
    if (now % passesEvery === 0) moved = now;
    const seen = traffic({ sentAt: at(moved), receivedAt: at(moved) });
    meters = meters.map((meter) => timePassed(meter, at(now), settings));
    const carrying = { ...line('metered-carrying', meters, { carries: 'hub-0' }), quietMillis };
    for (const { hub } of dueProbes(input([carrying], { now: at(now), traffic: seen }))) {
      bytes += smallProbeCost;
      meters = meters.map((meter, index) => {
        if (`hub-${index}` !== hub) return meter;
        const sent = probeSent(meter, { sequence: now, at: at(now) }, settings);
        return probeReplied(sent, { sequence: now, at: at(now + 80) }, settings);
      });
    }
  }
  const sizes = end / confirmMillis('metered-carrying', { ...sizing, quietMillis }, { bytes: 0, saved: 0 });
  return (bytes + sizes * fullProbeCost) * (30 / days);
}

describe('a month of a metered uplink that carries', () => {
  test('costs less than 3 MB in the metered profile, where MQTT speaks each ten minutes', () => {
    const bytes = simulateCarrying(900_000, 600_000);
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBeLessThan(3_000_000);
    expect(simulateCarrying(3_600_000, 600_000)).toBeLessThan(700_000);
  });

  test('costs a multiple where a failure must be noticed within 18 s', () => {
    expect(simulateCarrying(15_000, 600_000)).toBeGreaterThan(30_000_000);
  });
});

import { describe, expect, test } from 'vitest';
import { conditions } from '#contracts/health.ts';
import {
  type HubStatus,
  type LineState,
  type LineStatus,
  lineStates,
  type UplinkStatus,
} from '#contracts/uplink.ts';
import { wellStatus } from '#test/rigs/uplink-status.ts';
import { type ConditionFacts, conditionsOf } from './conditions.ts';
import { uplinkConditions, uplinkHealth } from './uplink.ts';

const present = (changes: Partial<UplinkStatus> = {}, firewallTouched = false) =>
  ({ helper: 'present', status: { ...wellStatus, ...changes }, firewallTouched }) as const;
const lines = (dsl: Partial<LineStatus>, lte: Partial<LineStatus> = {}): LineStatus[] =>
  wellStatus.uplinks.map((line) => ({ ...line, ...(line.name === 'dsl' ? dsl : lte) }));
const hubs = (one: Partial<HubStatus>, two: Partial<HubStatus> = {}): HubStatus[] =>
  wellStatus.hubs.map((hub) => ({ ...hub, ...(hub.name === 'hub-one' ? one : two) }));
const fault = (code: string) => ({ code, detail: '', since: 1 });
const bad = (Object.keys(lineStates) as LineState[]).filter((state) => lineStates[state].bad);

describe('The section of the report', () => {
  test('says who carries and how each uplink is, over the hub that carries', () => {
    expect(uplinkHealth(present())).toEqual({
      state: 'up',
      uplink: 'dsl',
      hub: 'hub-one',
      uplinks: [
        {
          name: 'dsl',
          state: 'up',
          loss: 0,
          delayMillis: 24,
          mtu: 1420,
          monthBytes: null,
          overBudget: false,
        },
        {
          name: 'lte',
          state: 'up',
          loss: 0,
          delayMillis: 88,
          mtu: 1280,
          monthBytes: 12_400_000,
          overBudget: false,
        },
      ],
    });
  });
  test('takes the better path where the hub that carries does not answer over an uplink', () => {
    const uplinks = lines({
      paths: [
        { hub: 'hub-one', state: 'down', loss: 1, delayMillis: null },
        { hub: 'hub-two', state: 'up', loss: 0.2, delayMillis: 40.6 },
      ],
    });
    expect(uplinkHealth(present({ uplinks }))?.uplinks[0]).toMatchObject({ loss: 0.2, delayMillis: 41 });
  });
  test('has no figures of an uplink that was never measured, and is null without a helper', () => {
    const section = uplinkHealth(
      present({ carrying: null, state: 'starting', uplinks: lines({ paths: [], mtu: null }) }),
    );
    expect(section).toMatchObject({ state: 'starting', uplink: null, hub: null });
    expect(section?.uplinks[0]).toMatchObject({ loss: null, delayMillis: null, mtu: null });
    expect(uplinkHealth({ helper: 'none' })).toBeNull();
    expect(uplinkHealth({ helper: 'absent' })).toBeNull();
  });
});

describe('The conditions', () => {
  test('None where all is well, where there is no helper, and where nothing was tested yet', () => {
    expect(uplinkConditions(present())).toEqual([]);
    expect(uplinkConditions({ helper: 'none' })).toEqual([]);
    expect(uplinkConditions(present({ state: 'starting', uplinks: lines({ state: 'untested' }) }))).toEqual(
      [],
    );
  });

  test.each(bad)('An uplink that is %s has one of its own, with its name', (state) => {
    expect(uplinkConditions(present({ uplinks: lines({}, { state }) }))).toEqual([
      { code: `line-${state}`, subject: 'lte' },
    ]);
    expect(Object.hasOwn(conditions, `line-${state}`)).toBe(true);
  });

  const cases: readonly [string, Parameters<typeof present>, { code: string; subject?: string }][] = [
    [
      'a used-up budget',
      [{ uplinks: lines({}, { overBudget: true }) }],
      { code: 'line-over-budget', subject: 'lte' },
    ],
    ['one silent hub', [{ hubs: hubs({}, { state: 'silent' }) }], { code: 'hub-silent', subject: 'hub-two' }],
    [
      'a key that failed',
      [
        {
          hubs: hubs({ key: { state: 'failed', rotatedAt: null, detail: '' } }),
          faults: [fault('ROTATION_FAILED')],
        },
      ],
      { code: 'uplink-key-failed', subject: 'hub-one' },
    ],
    [
      'a firewall that is not loaded',
      [{ firewall: { state: 'failed', mode: null, restored: 0 }, faults: [fault('FIREWALL_FAILED')] }],
      { code: 'firewall-failed' },
    ],
    ['a firewall that was touched', [{}, true], { code: 'firewall-touched' }],
    [
      'a configuration that was undone',
      [{ configuration: { version: 3, state: 'undone', detail: '' } }],
      { code: 'uplink-configuration-undone' },
    ],
    [
      'the inner half gone',
      [{ inner: 'absent' }],
      { code: 'uplink-helper-absent', subject: 'checkpost-tunnel' },
    ],
    [
      'a fault without a condition of its own, twice',
      [{ faults: [fault('ROUTING_FAILED'), fault('ROUTING_FAILED')] }],
      { code: 'uplink-fault', subject: 'ROUTING_FAILED' },
    ],
    [
      'a failed firewall that works again',
      [{ faults: [fault('FIREWALL_FAILED')] }],
      { code: 'uplink-fault', subject: 'FIREWALL_FAILED' },
    ],
  ];
  test.each(cases)('With %s there is one', (_, [changes, touched], expected) => {
    expect(uplinkConditions(present(changes, touched))).toEqual([expected]);
  });
});

describe('One cause lights one lamp', () => {
  const whole: ConditionFacts = {
    readers: [],
    link: 'down',
    edition: { tooOld: false, aging: false },
    editionDamaged: false,
    editionRefused: false,
    clock: 'unverified',
    disk: { totalBytes: 1e10, freeBytes: 5e9 },
    recordingFails: false,
    storeReplaced: false,
    certificateDaysLeft: 300,
    uplink: { helper: 'none' },
  };
  const codes = (uplink: ConditionFacts['uplink'], link: ConditionFacts['link'] = 'down'): string[] =>
    conditionsOf({ ...whole, uplink, link }).map(({ code, subject }) =>
      subject === undefined ? code : `${code} ${subject}`,
    );

  test('No uplink works: each says why, and neither the centre nor the hubs are named', () => {
    const down = present({
      state: 'lines-down',
      carrying: null,
      uplinks: lines({ state: 'no-carrier' }, { state: 'no-data' }),
      hubs: hubs({ state: 'silent' }, { state: 'silent' }),
      faults: [fault('HUB_UNREACHABLE')],
    });
    expect(codes(down)).toEqual(['line-no-carrier dsl', 'line-no-data lte']);
  });

  test('No hub answers: that is the one lamp, beside an uplink that has a trouble of its own', () => {
    const silent = { state: 'hubs-silent' } as const;
    const hubsDown = {
      state: 'hubs-down',
      carrying: null,
      hubs: hubs({ state: 'silent' }, { state: 'silent' }),
    } as const;
    expect(codes(present({ ...hubsDown, uplinks: lines(silent, silent) }))).toEqual(['hubs-down']);
    expect(codes(present({ ...hubsDown, uplinks: lines(silent, { state: 'no-data' }) }))).toEqual([
      'hubs-down',
      'line-no-data lte',
    ]);
  });

  test('The tunnel is up and yet the centre is out of reach: that is said, it is not the uplink', () => {
    expect(codes(present())).toEqual(['central-unreachable']);
    expect(codes(present({ uplinks: lines({}, { state: 'no-data' }) }))).toEqual([
      'line-no-data lte',
      'central-unreachable',
    ]);
  });

  test('No lamp goes out without another in its place', () => {
    expect(codes(present({ state: 'lines-down', carrying: null }))).toEqual(['central-unreachable']);
    expect(codes({ helper: 'absent' })).toEqual(['uplink-helper-absent', 'central-unreachable']);
    expect(codes({ helper: 'none' })).toEqual(['central-unreachable']);
    expect(codes(present({ state: 'starting', carrying: null }))).toEqual(['central-unreachable']);
  });

  test('The uplinks are all down and the centre was not missed yet: only they are named', () => {
    const down = present({ state: 'lines-down', carrying: null, uplinks: lines({ state: 'no-device' }) });
    expect(codes(down, 'unknown')).toEqual(['line-no-device dsl', 'clock-unverified']);
  });
});

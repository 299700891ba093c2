import { describe, expect, test } from 'vitest';
import { causes, conditions } from '#contracts/conditions.ts';
import {
  type HubStatus,
  type LineState,
  type LineStatus,
  lineStates,
  type UplinkStatus,
} from '#contracts/uplink.ts';
import { wellStatus } from '#test/rigs/uplink-status.ts';
import { type ConditionFacts, conditionsOf } from './conditions.ts';
import { wellFacts } from './test-bench.ts';
import { oldKeys, uplinkConditions, uplinkHealth } from './uplink.ts';

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
      'packets of 1280 bytes lost',
      [{ uplinks: lines({}, { mtu: 1279 }) }],
      { code: 'mtu-low', subject: 'lte' },
    ],
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
  const found = (
    uplink: ConditionFacts['uplink'],
    link: ConditionFacts['link'] = 'down',
    more: Partial<ConditionFacts> = {},
  ): string[] =>
    causes(
      conditionsOf({
        ...wellFacts,
        clock: { state: 'unverified', offsetMillis: null },
        uplink,
        link,
        ...more,
      }),
    ).map(({ code, subject }) => (subject === undefined ? code : `${code} ${subject}`));

  test('No uplink works: each says why, and neither the centre nor the hubs are named', () => {
    const down = present({
      state: 'lines-down',
      carrying: null,
      uplinks: lines({ state: 'no-carrier' }, { state: 'no-data' }),
      hubs: hubs({ state: 'silent' }, { state: 'silent' }),
      faults: [fault('HUB_UNREACHABLE')],
    });
    expect(found(down)).toEqual(['line-no-carrier dsl', 'line-no-data lte']);
  });

  test('A site that lost its only uplink two days ago shows that uplink and nothing of what follows', () => {
    const [dsl] = lines({ state: 'gateway-silent' });
    if (dsl === undefined) throw new Error('an uplink is wanted');
    const down = present({
      state: 'lines-down',
      carrying: null,
      uplinks: [dsl],
      hubs: hubs(
        { state: 'silent', key: { state: 'failed', rotatedAt: '2025-01-01T00:00:00.000Z', detail: '' } },
        { state: 'silent' },
      ),
      faults: [fault('HUB_UNREACHABLE'), fault('ROTATION_FAILED')],
    });
    const following: Partial<ConditionFacts> = {
      edition: { tooOld: true, aging: true },
      outbox: { depth: 5000, oldestAt: '2025-12-30T12:00:00.000Z' },
      configuration: { version: 4, state: 'probation' },
      outboxThinned: true,
    };
    expect(found(down, 'down', following)).toEqual(['line-gateway-silent dsl']);
    // Each of them is found all the same, once the uplink is not what explains it.
    expect(found(present(), 'up', following)).toEqual([
      'edition-old',
      'clock-unverified',
      'outbox-old',
      'outbox-thinned',
      'configuration-probation',
    ]);
  });

  test('No hub answers: that is the one lamp, beside an uplink that has a trouble of its own', () => {
    const silent = { state: 'hubs-silent' } as const;
    const hubsDown = {
      state: 'hubs-down',
      carrying: null,
      hubs: hubs({ state: 'silent' }, { state: 'silent' }),
    } as const;
    expect(found(present({ ...hubsDown, uplinks: lines(silent, silent) }))).toEqual(['hubs-down']);
    expect(found(present({ ...hubsDown, uplinks: lines(silent, { state: 'no-data' }) }))).toEqual([
      'hubs-down',
      'line-no-data lte',
    ]);
  });

  test('The tunnel is up and yet the centre is out of reach: that is said, it is not the uplink', () => {
    expect(found(present())).toEqual(['central-unreachable']);
    expect(found(present({ uplinks: lines({}, { state: 'no-data' }) }))).toEqual([
      'line-no-data lte',
      'central-unreachable',
    ]);
  });

  test('No lamp goes out without another in its place', () => {
    expect(found(present({ state: 'lines-down', carrying: null }))).toEqual(['tunnel-down']);
    expect(found({ helper: 'absent' })).toEqual(['uplink-helper-absent']);
    expect(found({ helper: 'none' })).toEqual(['central-unreachable']);
    expect(found(present({ state: 'starting', carrying: null }))).toEqual(['central-unreachable']);
  });

  test('The uplinks are all down and the centre was not missed yet: only they are named', () => {
    const down = present({ state: 'lines-down', carrying: null, uplinks: lines({ state: 'no-device' }) });
    expect(found(down, 'unknown')).toEqual(['line-no-device dsl']);
  });
});

describe('The keys of the tunnel', () => {
  test('One that is 90 days old is named by its hub; one whose age is not known is not', () => {
    const rotated = Date.parse('2026-11-03T04:00:00.000Z');
    expect(oldKeys(present(), rotated + 90 * 86_400_000)).toEqual([]);
    expect(oldKeys(present(), rotated + 90 * 86_400_000 + 1)).toEqual([
      { code: 'tunnel-key-old', subject: 'hub-one' },
    ]);
    expect(oldKeys({ helper: 'absent' }, rotated)).toEqual([]);
  });
});

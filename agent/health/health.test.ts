import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HealthReport } from '#contracts/health.ts';
import { changedSections } from './changes.ts';
import { type ConditionFacts, conditionsOf, StandingConditions } from './conditions.ts';
import { openMachine } from './machine.ts';

const report: HealthReport = {
  versions: { checkpost: '0.1.0', node: '24', os: 'test' },
  uptime: { systemSeconds: 100, agentSeconds: 50 },
  load: { one: 0.1, cpus: 2 },
  memory: { totalBytes: 2e9, availableBytes: 1e9, agentBytes: 8e7 },
  disk: { totalBytes: 1e10, freeBytes: 5e9 },
  temperature: { celsius: 40 },
  clock: { state: 'verified', offsetMillis: 5 },
  readers: [{ id: 'counter-1', state: 'ready' }],
  edition: { collection: 'sltd', version: 1, date: '2026-01-01T00:00:00.000Z', count: 10 },
  outbox: { depth: 0, oldestAt: null },
  audit: { entries: 7 },
  uplink: {
    state: 'up',
    uplink: 'dsl',
    hub: 'hub-one',
    uplinks: [
      {
        name: 'dsl',
        state: 'up',
        loss: 0,
        delayMillis: 20,
        mtu: 1420,
        monthBytes: null,
        overBudget: false,
      },
    ],
  },
  conditions: [],
};
const uplink = report.uplink;
const dsl = uplink?.uplinks[0];
if (uplink === null || dsl === undefined) throw new Error('an uplink is wanted');

describe('Only what somebody would act upon is a change', () => {
  const quiet: Partial<HealthReport> = {
    uptime: { systemSeconds: 900, agentSeconds: 850 },
    load: { one: 0.5, cpus: 2 },
    memory: { totalBytes: 2e9, availableBytes: 0.95e9, agentBytes: 9e7 },
    disk: { totalBytes: 1e10, freeBytes: 4.95e9 },
    temperature: { celsius: 43 },
    clock: { state: 'verified', offsetMillis: 400 },
    audit: { entries: 300 },
    uplink: { ...uplink, uplinks: [{ ...dsl, loss: 0.1, delayMillis: 90, mtu: 1280, monthBytes: 5e6 }] },
  };
  const loud: Partial<HealthReport> = {
    versions: { checkpost: '0.2.0', node: '24', os: 'test' },
    load: { one: 1.9, cpus: 2 },
    memory: { totalBytes: 2e9, availableBytes: 0.7e9, agentBytes: 8e7 },
    disk: { totalBytes: 1e10, freeBytes: 4.7e9 },
    temperature: null,
    clock: { state: 'unverified', offsetMillis: 5 },
    readers: [{ id: 'counter-1', state: 'absent' }],
    edition: null,
    outbox: { depth: 1, oldestAt: '2026-01-01T00:00:00.000Z' },
    conditions: [{ code: 'disk-low', since: '2026-01-01T00:00:00.000Z' }],
  };
  test('What wanders a little is none', () => {
    expect(changedSections(report, { ...report, ...quiet })).toEqual({});
  });
  for (const [section, value] of Object.entries(loud)) {
    test(`A change of ${section} is one, and it alone is in the message`, () => {
      expect(changedSections(report, { ...report, [section]: value })).toEqual({ [section]: value });
    });
  }
  test.each<[string, HealthReport['uplink']]>([
    ['the helper gone', null],
    ['another uplink that carries', { ...uplink, uplink: 'lte' }],
    ['another hub that carries', { ...uplink, hub: 'hub-two' }],
    ['the tunnel down', { ...uplink, state: 'lines-down' }],
    ['an uplink that fails', { ...uplink, uplinks: [{ ...dsl, state: 'no-data' }] }],
    ['an uplink over its budget', { ...uplink, uplinks: [{ ...dsl, overBudget: true }] }],
  ])('Of the uplinks, %s is a change', (_, now) => {
    expect(changedSections(report, { ...report, uplink: now })).toEqual({ uplink: now });
    expect(changedSections({ ...report, uplink: now }, report)).toEqual({ uplink });
  });
});

const healthy: ConditionFacts = {
  readers: [{ id: 'counter-1', state: 'ready' }],
  link: 'up',
  edition: { tooOld: false, aging: false },
  editionDamaged: false,
  editionRefused: false,
  clock: 'verified',
  disk: { totalBytes: 1e10, freeBytes: 5e9 },
  recordingFails: false,
  storeReplaced: false,
  certificateDaysLeft: 300,
  uplink: { helper: 'none' },
};

describe('Conditions', () => {
  test('A healthy terminal has none', () => {
    expect(conditionsOf(healthy)).toEqual([]);
  });
  const cases: readonly [string, Partial<ConditionFacts>, string][] = [
    ['an unplugged reader', { readers: [{ id: 'counter-1', state: 'absent' }] }, 'reader-absent'],
    [
      'a reader held by another program',
      { readers: [{ id: 'counter-1', state: 'refused' }] },
      'reader-refused',
    ],
    ['a noisy reader', { readers: [{ id: 'counter-1', state: 'noise' }] }, 'reader-noise'],
    ['no copy', { edition: null }, 'edition-absent'],
    ['an old copy', { edition: { tooOld: true, aging: true } }, 'edition-old'],
    ['a copy that is getting old', { edition: { tooOld: false, aging: true } }, 'edition-aging'],
    ['a damaged copy', { editionDamaged: true }, 'edition-damaged'],
    ['a refused edition', { editionRefused: true }, 'edition-refused'],
    ['a dead link', { link: 'down' }, 'central-unreachable'],
    ['a clock that nobody has verified', { clock: 'unverified' }, 'clock-unverified'],
    ['a full disk', { disk: { totalBytes: 1e10, freeBytes: 1e8 } }, 'disk-low'],
    ['a record that fails', { recordingFails: true }, 'not-recording'],
    ['a replaced database', { storeReplaced: true }, 'store-replaced'],
    ['a certificate about to expire', { certificateDaysLeft: 3 }, 'certificate-expiring'],
    ['a helper of the uplink that is gone', { uplink: { helper: 'absent' } }, 'uplink-helper-absent'],
  ];
  for (const [name, facts, code] of cases) {
    test(`With ${name} there is one condition, ${code}`, () => {
      expect(conditionsOf({ ...healthy, ...facts }).map((one) => one.code)).toEqual([code]);
    });
  }
  test('With the link down, the unverified clock is not a second lamp', () => {
    expect(conditionsOf({ ...healthy, link: 'down', clock: 'unverified' })).toEqual([
      { code: 'central-unreachable' },
    ]);
  });
  test('A condition keeps its beginning while it stands, and begins anew after it was gone', () => {
    const standing = new StandingConditions();
    const found = [{ code: 'reader-absent' as const, subject: 'counter-1' }];
    expect(standing.update(found, 'a')).toEqual([{ ...found[0], since: 'a' }]);
    expect(standing.update(found, 'b')).toEqual([{ ...found[0], since: 'a' }]);
    expect(standing.update([], 'c')).toEqual([]);
    expect(standing.update(found, 'd')).toEqual([{ ...found[0], since: 'd' }]);
  });
});

describe('The machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-machine-'));
  test('Every figure is real: this machine has memory, a disk and a processor', async () => {
    const machine = openMachine({ stateFolder: folder });
    const facts = await machine.facts();
    expect(facts.memory.totalBytes).toBeGreaterThan(facts.memory.availableBytes);
    expect(facts.memory.agentBytes).toBeGreaterThan(10_000_000);
    expect(facts.disk.totalBytes).toBeGreaterThan(facts.disk.freeBytes);
    expect(facts.load.cpus).toBeGreaterThan(0);
    expect(machine.os).not.toBe('unknown');
  });
  test('The hottest sensor counts; one that fails is passed over; without any there is no temperature', async () => {
    const thermal = join(folder, 'thermal');
    for (const [zone, text] of [
      ['0', '41000'],
      ['1', '58500'],
      ['2', 'broken'],
      ['3', '-274000'],
    ] as const) {
      mkdirSync(join(thermal, `thermal_zone${zone}`), { recursive: true });
      writeFileSync(join(thermal, `thermal_zone${zone}`, 'temp'), `${text}\n`);
    }
    const hot = await openMachine({ stateFolder: folder, thermal }).facts();
    expect(hot.temperature).toEqual({ celsius: 58.5 });
    rmSync(thermal, { recursive: true });
    const none = await openMachine({ stateFolder: folder, thermal }).facts();
    expect(none.temperature).toBeNull();
    rmSync(folder, { recursive: true });
  });
});

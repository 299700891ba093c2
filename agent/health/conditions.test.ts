import { describe, expect, test } from 'vitest';
import { type ConditionFacts, conditionsOf } from './conditions.ts';
import { wellFacts, wellReport } from './test-bench.ts';
import { type Figures, thresholds } from './thresholds.ts';

const mains = { source: 'mains', batteryPercent: 90, undervoltage: false } as const;
const at = (state: 'probation' | 'undone' | 'refused') => ({ version: 4, state });
const boot = { systemSeconds: 600, agentSeconds: 590 };

describe('The conditions', () => {
  test('A healthy terminal has none', () => {
    expect(conditionsOf(wellFacts)).toEqual([]);
  });
  test('A machine that tells nothing has none', () => {
    const silent = {
      temperature: null,
      power: null,
      storage: { wearPercent: null, fileSystemErrors: null },
      memory: { totalBytes: 0, availableBytes: 0, agentBytes: 0 },
      disk: { totalBytes: 0, freeBytes: 0 },
    };
    expect(conditionsOf({ ...wellFacts, ...silent })).toEqual([]);
  });
  const cases: readonly [string, Partial<ConditionFacts>, ...string[]][] = [
    ['an unplugged reader', { readers: [{ id: 'counter-1', state: 'absent' }] }, 'reader-absent'],
    ['a reader held elsewhere', { readers: [{ id: 'counter-1', state: 'refused' }] }, 'reader-refused'],
    ['a noisy reader', { readers: [{ id: 'counter-1', state: 'noise' }] }, 'reader-noise'],
    ['a silent reader', { readers: [{ id: 'counter-1', state: 'silent' }] }, 'reader-silent'],
    ['no copy', { edition: null }, 'edition-absent'],
    ['an old copy', { edition: { tooOld: true, aging: true } }, 'edition-old', 'edition-aging'],
    ['a copy that is getting old', { edition: { tooOld: false, aging: true } }, 'edition-aging'],
    ['a damaged copy', { editionDamaged: true }, 'edition-damaged'],
    ['a refused edition', { editionRefused: true }, 'edition-refused'],
    ['a dead link', { link: 'down' }, 'central-unreachable'],
    ['an unverified clock', { clock: { state: 'unverified', offsetMillis: null } }, 'clock-unverified'],
    ['a clock that is slow', { clock: { state: 'verified', offsetMillis: -61_000 } }, 'clock-wrong'],
    ['a full disk', { disk: { totalBytes: 1e10, freeBytes: 1e8 } }, 'disk-low'],
    [
      'errors of the file system',
      { storage: { wearPercent: 10, fileSystemErrors: 1 } },
      'file-system-errors',
    ],
    ['flash that wears', { storage: { wearPercent: 80, fileSystemErrors: 0 } }, 'flash-wearing'],
    ['spent flash', { storage: { wearPercent: 110, fileSystemErrors: 0 } }, 'flash-worn', 'flash-wearing'],
    ['little memory', { memory: { ...wellReport.memory, availableBytes: 1.5e8 } }, 'memory-low'],
    ['an agent that grows', { memory: { ...wellReport.memory, agentBytes: 5e8 } }, 'agent-memory-high'],
    ['heat', { temperature: { celsius: 85 } }, 'too-hot'],
    ['low voltage', { power: { ...mains, undervoltage: true } }, 'undervoltage'],
    ['no mains', { power: { ...mains, source: 'battery' } }, 'on-battery'],
    [
      'no mains for long',
      { power: { ...mains, source: 'battery', batteryPercent: 20 } },
      'battery-low',
      'on-battery',
    ],
    ['a battery that charges', { power: { ...mains, batteryPercent: 5 } }],
    ['a watchdog', { uptime: boot, start: { unexpected: false, watchdog: true } }, 'watchdog-reset'],
    ['a power cut', { uptime: boot, start: { unexpected: true, watchdog: false } }, 'unexpected-reboot'],
    ['a power cut that was long ago', { start: { unexpected: true, watchdog: true } }],
    ['a deep outbox', { outbox: { depth: 1000, oldestAt: '2026-01-01T12:00:00.000Z' } }, 'outbox-deep'],
    ['an old item', { outbox: { depth: 1, oldestAt: '2026-01-01T11:00:00.000Z' } }, 'outbox-old'],
    ['thinned metrics', { outboxThinned: true }, 'outbox-thinned'],
    ['a second machine', { sessionTakenOver: true }, 'session-taken-over'],
    ['probation', { configuration: at('probation') }, 'configuration-probation'],
    ['a configuration undone', { configuration: at('undone') }, 'configuration-undone'],
    ['a configuration refused', { configuration: at('refused') }, 'configuration-refused'],
    ['a record that fails', { recordingFails: true }, 'not-recording'],
    ['a replaced database', { storeReplaced: true }, 'store-replaced'],
    ['a certificate about to expire', { certificateDaysLeft: 3 }, 'certificate-expiring'],
    ['a helper of the uplink that is gone', { uplink: { helper: 'absent' } }, 'uplink-helper-absent'],
  ];
  for (const [name, facts, ...codes] of cases) {
    test(`With ${name}, what is found is: ${codes.join(', ') || 'nothing'}`, () => {
      expect(conditionsOf({ ...wellFacts, ...facts }).map(({ code }) => code)).toEqual(codes);
    });
  }
});

describe('A threshold lets go later than it begins', () => {
  const battery = (percent: number): Partial<Figures> => ({
    power: { source: 'battery', batteryPercent: percent, undervoltage: false },
  });
  const hours = (n: number): Partial<Figures> => ({
    outbox: { depth: 1, oldestAt: new Date(wellFacts.now - n * 3_600_000).toISOString() },
  });
  const disk = (mebibytes: number): Partial<Figures> => ({
    disk: { totalBytes: 1e10, freeBytes: mebibytes * 1_048_576 },
  });
  const memory = (changes: Partial<Figures['memory']>): Partial<Figures> => ({
    memory: { ...wellReport.memory, ...changes },
  });
  // Not yet, between the marks, beyond, and back to where it ends.
  const walks: Readonly<Record<string, readonly [Partial<Figures>, Partial<Figures>, Partial<Figures>]>> = {
    'disk-low': [disk(300), disk(256), disk(320)],
    'memory-low': [
      memory({ availableBytes: 2e8 }),
      memory({ availableBytes: 1.6e8 }),
      memory({ availableBytes: 2.4e8 }),
    ],
    'agent-memory-high': [
      memory({ agentBytes: 4e8 }),
      memory({ agentBytes: 4.2e8 }),
      memory({ agentBytes: 3.3e8 }),
    ],
    'too-hot': [
      { temperature: { celsius: 84 } },
      { temperature: { celsius: 85 } },
      { temperature: { celsius: 78 } },
    ],
    'clock-wrong': [
      { clock: { state: 'verified', offsetMillis: 59_000 } },
      { clock: { state: 'verified', offsetMillis: 60_000 } },
      { clock: { state: 'verified', offsetMillis: 10_000 } },
    ],
    'battery-low': [battery(21), battery(20), battery(30)],
    'outbox-deep': [
      { outbox: { depth: 999, oldestAt: null } },
      { outbox: { depth: 1000, oldestAt: null } },
      { outbox: { depth: 200, oldestAt: null } },
    ],
    'outbox-old': [hours(0.99), hours(1), hours(0.16)],
  };
  test.each(thresholds.map(({ code }) => code))('%s', (code) => {
    const [between, beyond, back] = walks[code] ?? [];
    const has = (figures: Partial<Figures> | undefined, before: boolean): boolean =>
      conditionsOf({ ...wellFacts, ...figures }, before ? [{ code }] : []).some((one) => one.code === code);
    expect(has(between, false)).toBe(false);
    expect(has(beyond, false)).toBe(true);
    expect(has(between, true)).toBe(true);
    expect(has(back, true)).toBe(false);
  });
});

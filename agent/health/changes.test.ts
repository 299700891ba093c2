import { describe, expect, test } from 'vitest';
import type { HealthMessage, HealthReport } from '#contracts/health.ts';
import { seeded } from '#test/rigs/random.ts';
import { changedSections, deadBands } from './changes.ts';
import { wellReport as report } from './test-bench.ts';

const uplink = report.uplink;
const dsl = uplink?.uplinks[0];
const lte = uplink?.uplinks[1];
if (uplink === null || dsl === undefined || lte === undefined) throw new Error('two uplinks are wanted');

describe('Only what somebody would act upon is a change', () => {
  const quiet: Partial<HealthReport> = {
    uptime: { systemSeconds: 200_900, agentSeconds: 850 },
    load: { one: 0.5, cpus: 2 },
    memory: { totalBytes: 2e9, availableBytes: 0.95e9, agentBytes: 9e7 },
    disk: { totalBytes: 1e10, freeBytes: 4.95e9 },
    temperature: { celsius: 43 },
    clock: { state: 'verified', offsetMillis: 400 },
    audit: { entries: 300 },
    traffic: { sentBytes: 2e8, receivedBytes: 9e8 },
    power: { source: 'mains', batteryPercent: 97, undervoltage: false },
    uplink: {
      ...uplink,
      uplinks: [
        { ...dsl, loss: 0.04, delayMillis: 43 },
        { ...lte, delayMillis: 113, monthBytes: 5e7 },
      ],
    },
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
    traffic: null,
    counts: { ...report.counts, frames: 31, noRecord: 28 },
    storage: { wearPercent: 20, fileSystemErrors: 0 },
    power: { source: 'battery', batteryPercent: 100, undervoltage: false },
    start: { unexpected: true, watchdog: false },
    configuration: { version: 4, state: 'probation' },
    certificateExpires: '2028-01-01T00:00:00.000Z',
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
    ['an uplink that fails', { ...uplink, uplinks: [{ ...dsl, state: 'no-data' }, lte] }],
    ['an uplink over its budget', { ...uplink, uplinks: [{ ...dsl, overBudget: true }, lte] }],
    ['an uplink that is gone', { ...uplink, uplinks: [dsl] }],
  ])('Of the uplinks, %s is a change at once', (_, now) => {
    expect(changedSections(report, { ...report, uplink: now }, () => 0)).toEqual({ uplink: now });
    expect(changedSections({ ...report, uplink: now }, report, () => 0)).toEqual({ uplink });
  });
  test('The order in which readers and uplinks are listed is no change', () => {
    const turned = { ...report, uplink: { ...uplink, uplinks: [lte, dsl] } };
    expect(changedSections(report, turned)).toEqual({});
  });
});

describe('What wanders all day waits for a minute', () => {
  const line = (changes: Partial<typeof dsl>): HealthReport => ({
    ...report,
    uplink: { ...uplink, uplinks: [{ ...dsl, ...changes }, lte] },
  });
  test.each<[string, HealthReport]>([
    ['the delay of a quick uplink by 200 ms', line({ delayMillis: 224 })],
    ['the loss of an uplink by 0.5', line({ loss: 0.5 })],
    ['an uplink without a delay', line({ delayMillis: null })],
    ['the size of packets that pass', line({ mtu: 1380 })],
    ['reads', { ...report, counts: { ...report.counts, frames: 31 } }],
    ['something owed', { ...report, outbox: { depth: 1, oldestAt: null } }],
  ])('%s', (_, now) => {
    expect(changedSections(report, now, () => 59_999)).toEqual({});
    expect(Object.keys(changedSections(report, now, () => 60_000))).toHaveLength(1);
  });
  test.each<[string, HealthReport]>([
    ['delay', line({ delayMillis: 44 })],
    ['loss', line({ loss: 0.05 })],
  ])('The %s of an uplink waits ten minutes where it moved by one step only', (_, now) => {
    expect(changedSections(report, now, () => 599_999)).toEqual({});
    expect(Object.keys(changedSections(report, now, () => 600_000))).toEqual(['uplink']);
  });
  test('A slow uplink must move by three tenths', () => {
    const slow = line({ delayMillis: 600 });
    expect(changedSections(slow, line({ delayMillis: 779 }))).toEqual({});
    expect(Object.keys(changedSections(slow, line({ delayMillis: 780 })))).toEqual(['uplink']);
  });
});

test('Every dead band is that of a field that there is', () => {
  const exists = (of: unknown, [key, ...rest]: readonly string[]): boolean => {
    if (key === undefined) return typeof of === 'number' || of === null;
    if (typeof of !== 'object' || of === null) return false;
    return exists(
      key === '*' ? Object.values(of)[0] : Object.entries(of).find(([k]) => k === key)?.[1],
      rest,
    );
  };
  for (const [name, { times }] of Object.entries(deadBands)) {
    expect(exists(report, name.split('.')), name).toBe(true);
    if (times !== undefined) expect(exists(report, times.split('.')), times).toBe(true);
  }
});

/** A day of a terminal at which nobody reads: measured once a minute, reported as the session does. */
function day(noise: (minute: number) => Partial<HealthReport>): { bytes: number; messages: number } {
  const sentAt = new Map<string, number>();
  let sent: HealthReport | undefined;
  let fullAt = 0;
  let bytes = 0;
  let messages = 0;
  for (let at = 0; at < 86_400_000; at += 60_000) {
    const now = { ...report, ...noise(at / 60_000) };
    const full = sent === undefined || at - fullAt >= 3_600_000;
    const since = (section: string): number => at - (sentAt.get(section) ?? 0);
    const changed: Partial<HealthReport> =
      sent === undefined || full ? now : changedSections(sent, now, since);
    if (Object.keys(changed).length === 0) continue;
    const message: HealthMessage = {
      v: 1,
      session: 1234,
      seq: ++messages,
      at: new Date(at).toISOString(),
      full,
      report: changed,
    };
    bytes += Buffer.byteLength(JSON.stringify(message));
    for (const section of Object.keys(changed)) sentAt.set(section, at);
    sent = { ...(sent ?? now), ...changed };
    if (full) fullAt = at;
  }
  return { bytes, messages };
}

describe('An idle day costs little', () => {
  const noisy = (delays: readonly [number, number], jitter: number, lossEvery: number) => {
    const random = seeded(7);
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    // As the helper measures: the delay smoothed with an eighth of each new one, the loss over the last 50 probes.
    const smooth = [...delays];
    const lost = [0, 0];
    return (minute: number): Partial<HealthReport> => {
      const hours = (minute / 60) * (Math.PI / 12);
      const lines = [dsl, lte].map((line, i) => {
        const usual = delays[i] ?? 0;
        for (let probe = 0; probe < 10; probe++) {
          const spike = random() < 0.01 ? usual * 3 : 0;
          const seen = Math.max(1, usual * (1 + jitter * normal()) + spike);
          smooth[i] = (smooth[i] ?? 0) * 0.875 + seen * 0.125;
        }
        lost[i] = random() < 1 / lossEvery ? 1 + Math.floor(random() * 3) : Math.max(0, (lost[i] ?? 0) - 1);
        return {
          ...line,
          delayMillis: Math.round(smooth[i] ?? 0),
          loss: (lost[i] ?? 0) / 50,
          monthBytes: i === 0 ? null : 12_400_000 + minute * 120,
        };
      });
      return {
        uptime: { systemSeconds: minute * 60, agentSeconds: minute * 60 },
        load: { one: Math.abs(0.2 + 0.15 * normal()), cpus: 2 },
        memory: { totalBytes: 2e9, availableBytes: 1e9 + 3e7 * normal(), agentBytes: 9e7 + 8e6 * normal() },
        disk: { totalBytes: 1e10, freeBytes: 5e9 - minute * 20_000 },
        temperature: { celsius: 42 + 10 * Math.sin(hours) + 0.7 * normal() },
        clock: { state: 'verified', offsetMillis: Math.round(minute * 3 + 20 * normal()) },
        audit: { entries: 7 + Math.floor(minute / 60) },
        traffic: { sentBytes: minute * 900, receivedBytes: minute * 700 },
        power: { source: 'mains', batteryPercent: 99 + Math.round(random()), undervoltage: false },
        uplink: { ...uplink, uplinks: lines },
      };
    };
  };
  test.each<[string, ReturnType<typeof noisy>]>([
    ['DSL and LTE', noisy([24, 88], 0.2, 20)],
    ['restless LTE and a satellite, each with much loss', noisy([110, 640], 0.45, 4)],
  ])('over %s, measured every minute: under 100 KB of JSON', (_, noise) => {
    const { bytes, messages } = day(noise);
    expect(bytes).toBeLessThan(100_000);
    expect(messages).toBeGreaterThan(24);
  });
  test('While somebody reads all day, the counts cost at most one small message a minute', () => {
    const { bytes, messages } = day((minute) => ({ counts: { ...report.counts, frames: 30 + minute } }));
    expect(messages).toBe(1440);
    expect(bytes).toBeLessThan(350_000);
  });
});

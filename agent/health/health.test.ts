import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Check } from 'typebox/value';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HealthReport } from '#contracts/health.ts';
import { instant } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { makeAuthority } from '#test/rigs/certificates.ts';
import { wellStatus } from '#test/rigs/uplink-status.ts';
import { Counts } from './counts.ts';
import { createHealth, type HealthParts } from './health.ts';
import { wellReport } from './test-bench.ts';

const end = new Date('2036-11-03T04:00:00.000Z');
const { certificate } = await (await makeAuthority()).issue({ name: 'UTO-0001-1', notAfter: end });

let folder: string;
let clock: TestClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-health-'));
  clock = new TestClock();
});
afterEach(() => rmSync(folder, { recursive: true }));

const health = (changes: Partial<HealthParts> = {}) =>
  createHealth({
    stateFolder: folder,
    version: '0.1.0',
    log: silentLog,
    clock,
    bootId: 'one',
    // A machine that tells nothing: how full and hot the real one is must not matter here.
    roots: { sys: folder, proc: folder },
    now: () => instant(clock.wall()),
    clockState: () => wellReport.clock,
    readers: () => [],
    edition: () => ({
      source: { collection: 'sltd', version: 1, date: '2026-01-01T00:00:00.000Z', count: 10 },
      tooOld: false,
      aging: false,
    }),
    editionState: () => ({ damaged: false, refused: false }),
    outbox: () => ({ depth: 0, oldestAt: null }),
    audit: () => ({ entries: 7 }),
    link: () => 'up',
    uplink: () => ({ helper: 'none' }),
    recordingFails: () => false,
    storeReplaced: () => false,
    certificate,
    ...changes,
  });
const codes = ({ conditions }: HealthReport): string[] => conditions.map(({ code }) => code);

test('A report is one of the contract, whatever is left out', async () => {
  const report = await health().measure();
  expect(Check(HealthReport, report)).toBe(true);
  expect(report).toMatchObject({
    certificateExpires: end.toISOString(),
    counts: { frames: 0 },
    configuration: { version: 0, state: 'current' },
    start: { unexpected: false, watchdog: false },
    power: null,
    traffic: null,
  });
});

test('Frames and verdicts are counted', async () => {
  const counts = new Counts();
  for (let i = 0; i < 3; i++) counts.frame();
  counts.verdict('no-record');
  counts.verdict('hit');
  counts.verdict('unreadable');
  const report = await health({ counts: () => counts.now() }).measure();
  expect(report.counts).toEqual({
    frames: 3,
    hit: 1,
    possible: 0,
    noRecord: 1,
    unresolved: 0,
    unreadable: 1,
  });
});

test('A blip of the uplink is never reported; a cut is, once, alone, after its delay, and asks to be measured then', async () => {
  let cut = false;
  let due = 0;
  const down = {
    ...wellStatus,
    state: 'lines-down' as const,
    carrying: null,
    uplinks: wellStatus.uplinks.map((line) => ({ ...line, state: 'no-carrier' as const })).slice(0, 1),
    hubs: wellStatus.hubs.map((hub) => ({ ...hub, state: 'silent' as const })),
  };
  const watched = health({
    link: () => (cut ? 'down' : 'up'),
    uplink: () => ({ helper: 'present', status: cut ? down : wellStatus, firewallTouched: false }),
    onDue: () => due++,
  });
  cut = true;
  expect(codes(await watched.measure())).toEqual([]);
  await clock.advance(19_000);
  expect(due).toBe(0);
  cut = false;
  expect(codes(await watched.measure())).toEqual([]);
  await clock.advance(60_000);
  expect(due).toBe(0);
  cut = true;
  const since = instant(clock.wall());
  await watched.measure();
  await clock.advance(20_000);
  expect(due).toBe(1);
  const conditions = [{ code: 'line-no-carrier', subject: 'dsl', since }];
  expect((await watched.measure()).conditions).toEqual(conditions);
  await clock.advance(600_000);
  expect((await watched.measure()).conditions).toEqual(conditions);
  await watched.close();
  expect(clock.waiting).toBe(0);
});

test('The gravest come first, and no more than the contract takes', async () => {
  const hubs = Array.from({ length: 80 }, (_, i) => ({
    ...wellStatus.uplinks[0],
    name: `line-${i}`,
    overBudget: true,
  })) as typeof wellStatus.uplinks;
  const report = await health({
    uplink: () => ({ helper: 'present', status: { ...wellStatus, uplinks: hubs }, firewallTouched: false }),
    recordingFails: () => true,
    edition: () => null,
  }).measure();
  expect(codes(report).slice(0, 3)).toEqual(['not-recording', 'edition-absent', 'line-over-budget']);
  expect(report.conditions).toHaveLength(64);
});

test('A threshold that was passed stands until its figure is well back', async () => {
  let offset = 61_000;
  const watched = health({ clockState: () => ({ state: 'verified', offsetMillis: offset }) });
  await watched.measure();
  offset = 30_000;
  await clock.advance(60_000);
  expect(codes(await watched.measure())).toEqual(['clock-wrong']);
  offset = 9000;
  expect(codes(await watched.measure())).toEqual([]);
});

test('A boot after a power cut is unexpected, one after an orderly end is not', async () => {
  const start = async (bootId: string) => {
    const watched = health({ bootId });
    return { watched, unexpected: (await watched.measure()).start.unexpected };
  };
  const first = await start('one');
  expect(first.unexpected).toBe(false);
  await first.watched.close();
  expect((await start('two')).unexpected).toBe(false);
  expect((await start('three')).unexpected).toBe(true);
});

import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandType } from '#contracts/command.ts';
import { ms } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { type FleetRig, startFleetRig } from '#test/rigs/fleet-session.ts';
import type { CommandAbout } from './index.ts';

// What goes each way besides health and what is owed, over a real Mosquitto.

let rig: FleetRig;
beforeEach(async () => {
  rig = await startFleetRig();
});
afterEach(() => rig.close());

const born = (count = 1) =>
  eventually(() => rig.controller.statuses.filter(({ state }) => state === 'online').length >= count);

test('What the centre desires comes at the start of each session and at each change, packed or not', async () => {
  const desired: string[] = [];
  await rig.controller.say('desired', '{"version":1}', { retain: true });
  await rig.start({ onDesired: (text) => desired.push(text) });
  await eventually(() => desired.length === 1);
  await rig.controller.say('desired', gzipSync('{"version":2}'), { retain: true });
  await eventually(() => desired.length === 2);
  await born();
  rig.line.cut();
  await eventually(() => desired.length === 3);
  expect(desired).toEqual(['{"version":1}', '{"version":2}', '{"version":2}']);
  await rig.controller.say('desired', '', { retain: true });
  await rig.controller.say('desired', gzipSync(Buffer.alloc(20_000_000)));
  await eventually(() => rig.lines.some((line) => line.includes('longer than 1048576 bytes')));
  expect(desired).toHaveLength(3);
});

test('A command brings its correlation data, and its answer takes them back', async () => {
  const commands: { text: string; about: CommandAbout }[] = [];
  const fleet = await rig.start({
    onCommand: (text, about) => {
      commands.push({ text, about });
      void fleet.answer(`{"of":${text}}`, about);
    },
  });
  await born();
  expect(fleet.session()).toBe(1);
  const correlation = Buffer.from([7, 0, 255]);
  await rig.controller.say('command', '1', {
    correlation,
    responseTopic: 'checkpost/1/UTO-0001-1/command/result',
    expirySeconds: 120,
    contentType: commandType,
  });
  await eventually(() => rig.controller.results.length === 1);
  expect(commands).toEqual([
    { text: '1', about: { correlation, responseTopic: 'checkpost/1/UTO-0001-1/command/result' } },
  ]);
  expect(rig.controller.results).toEqual([{ text: '{"of":1}', correlation }]);
});

test('A message on which the terminal stumbles costs a line in the log, not the session', async () => {
  let tries = 0;
  const fleet = await rig.start({
    onDesired: () => {
      tries++;
      throw new Error('a defect');
    },
  });
  await born();
  await rig.controller.say('desired', '{}', { retain: true });
  await eventually(() => rig.lines.some((line) => line.includes('a defect')));
  expect([tries, fleet.state()]).toEqual([1, 'connected']);
});

test('What runs is said at once, and again at the start of every session', async () => {
  const fleet = await rig.start();
  await born();
  fleet.report('{"running":1}');
  await eventually(() => rig.controller.reported.length === 1);
  rig.line.cut();
  await eventually(() => rig.controller.reported.length === 2);
  fleet.report('{"running":2}');
  await eventually(() => rig.controller.reported.length === 3);
  expect(rig.controller.reported).toEqual(['{"running":1}', '{"running":1}', '{"running":2}']);
});

test('A full report is made at once when it is asked for, and there is none without a session', async () => {
  const fleet = await rig.start();
  expect(await fleet.reportNow()).toMatchObject({ ok: false, fault: { code: 'BROKER_UNREACHABLE' } });
  expect(fleet.session()).toBeUndefined();
  await born();
  await eventually(() => rig.controller.reports.length === 1);
  expect(await fleet.reportNow()).toEqual({ ok: true, value: undefined });
  await eventually(() => rig.controller.reports.length === 2);
  expect(rig.controller.reports[1]).toMatchObject({ seq: 2, full: true, report: rig.health });
});

test('The centre has been reached when the controller has acknowledged something, not when the broker has', async () => {
  rig.controller.silent = true;
  let reached = 0;
  const fleet = await rig.start({}, { resendMillis: 200 });
  fleet.onReached(() => reached++);
  await born();
  rig.store.transaction(() =>
    rig.outbox.owe(
      { kind: 'store-replaced', file: 'x' },
      { at: '2026-01-15T08:00:00.000Z', clock: 'verified' },
    ),
  );
  await eventually(() => rig.controller.batches.length === 2);
  expect(reached).toBe(0);
  rig.controller.silent = false;
  await eventually(() => reached === 1);
});

test('Two machines with one identity put each other out ever more slowly, and both keep what they owe', async () => {
  const first = await rig.start({}, { retryMillis: 100 });
  await born();
  const second = await rig.start({}, { retryMillis: 100 });
  // Each is put out by the other at each of its sessions: 50, 100, 200, 400 ms … and never at the shortest pause again.
  const began = systemClock.monotonic();
  await eventually(() => systemClock.monotonic() - began > ms(4000), { timeoutMs: 6000 });
  expect(rig.line.accepted).toBeLessThan(18);
  expect(rig.line.accepted).toBeGreaterThan(5);
  await Promise.all([first.close(), second.close()]);
});

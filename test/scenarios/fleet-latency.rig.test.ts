import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Alert } from '#contracts/api/alerts.ts';
import type { TerminalRow } from '#contracts/api/fleet.ts';
import { EventReader } from '../rigs/event-source.ts';
import { FleetCentre } from '../rigs/fleet/centre.ts';
import { PlayedFleet } from '../rigs/fleet/fleet.ts';
import { startSlowLine, type SlowLine } from '../rigs/fleet/slow-line.ts';
import type { PlayedTerminal } from '../rigs/fleet/terminal.ts';
import { removeFolder } from '../rigs/stack.ts';

// A played terminal on a line of 600 ms for a round trip, and the real centre with its real broker.

/** Milliseconds for one way. */
const oneWay = 300;
const keepAliveSeconds = 5;
/** So long a terminal is silent before it is an alert, in seconds. */
const offlineSeconds = 2;

let folder: string;
let centre: FleetCentre;
let line: SlowLine;
let fleet: PlayedFleet;
let terminal: PlayedTerminal;
let live: EventReader;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-latency-'));
  const settings = { alerts: { offlineSeconds } };
  centre = await FleetCentre.prepare({ folder, store: 'sqlite', controllers: 1, settings });
  line = await startSlowLine(Number(new URL(centre.brokerUrl).port), oneWay);
  fleet = await PlayedFleet.prepare({
    authority: centre.authority,
    registry: centre.registry,
    root: readFileSync(join(centre.authority, 'authority.pem'), 'utf8'),
    url: `mqtts://localhost:${line.port}`,
    sites: 1,
    terminals: 1,
    seed: 1,
    settings: { keepAliveSeconds, retryMillis: 200, spreadSeconds: 0 },
  });
  terminal = [...fleet.terminals.values()][0] as PlayedTerminal;
  await centre.start();
  live = await EventReader.connect(`${centre.controllers[0]?.url}/api/v1/live`);
  await fleet.start(1);
  await live.next<TerminalRow>('terminal', ({ state }) => state === 'online', { timeoutMs: 30_000 });
}, 90_000);

afterAll(async () => {
  live?.close();
  await fleet?.close();
  await line?.close();
  await centre?.close();
  removeFolder(folder);
}, 60_000);

/** Milliseconds from what is done until the console is told of a terminal that fits. */
async function untilTold(act: () => void, fits: (row: TerminalRow) => boolean): Promise<number> {
  const from = live.events.length;
  const began = performance.now();
  act();
  const told = await live.next<TerminalRow>('terminal', fits, { from, timeoutMs: 30_000 });
  return told.at - began;
}

const absent = ({ conditions }: TerminalRow): boolean =>
  conditions.some(({ code }) => code === 'reader-absent');

test('A condition of a terminal whose line takes 600 ms there and back is at the console within 3 s, 19 times of 20', async () => {
  const times: number[] = [];
  for (let n = 0; n < 20; n++) {
    times.push(await untilTold(() => terminal.hurt('unplug-reader'), absent));
    await untilTold(
      () => terminal.heal(),
      (row) => !absent(row),
    );
  }
  times.sort((a, b) => a - b);
  say('condition to console', times[9], times[18]);
  // Nothing can be faster than the line.
  expect(times[0]).toBeGreaterThan(oneWay);
  expect(times[18]).toBeLessThan(3000);
}, 120_000);

test('A terminal that loses its power is off at the console within 1.5 keep-alives, and an alert after the tolerance', async () => {
  const from = live.events.length;
  const cut = performance.now();
  // No end of the connection is ever heard of.
  line.blackHole(true);
  void terminal.cutPower();
  const off = await live.next<TerminalRow>('terminal', ({ state }) => state === 'offline', {
    from,
    timeoutMs: 60_000,
  });
  const alert = await live.next<Alert>(
    'alert',
    (row) => row.terminal === terminal.id && row.state === 'open',
    {
      from,
      timeoutMs: 60_000,
    },
  );
  say('power cut to offline, to the alert', off.at - cut, alert.at - cut);
  // The broker looks after sessions once in some seconds.
  expect(off.at - cut).toBeLessThan(keepAliveSeconds * 1500 + 7000);
  expect(alert.at - off.at).toBeLessThan(offlineSeconds * 1000 + 7000);
}, 120_000);

function say(what: string, ...millis: readonly (number | undefined)[]): void {
  process.stdout.write(`${what}: ${millis.map((one) => `${Math.round(one ?? 0)} ms`).join(', ')}\n`);
}

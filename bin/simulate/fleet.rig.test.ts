import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Registry } from '#contracts/registry.ts';
import { parseJson } from '#runtime/parse.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { FleetCentre } from '#test/rigs/fleet/centre.ts';
import type { FleetCounts } from '#test/rigs/fleet/orders.ts';
import { execute } from '../command.ts';
import { command } from '../commands/simulate.ts';
import { order } from './control.ts';

// The commands as they are typed, against a real Mosquitto with the access rules of a real fleet; nobody acknowledges.

let folder: string;
let centre: FleetCentre;
let control: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-simulate-fleet-'));
  control = join(folder, 'orders');
  centre = await FleetCentre.prepare({ folder, store: 'sqlite', controllers: 1 });
}, 60_000);
afterEach(async () => {
  await centre.close();
  rmSync(folder, { recursive: true });
});

interface Running {
  out: string;
  err: string;
  readonly stop: () => void;
  readonly code: Promise<number>;
}

function run(...argv: readonly string[]): Running {
  const stopping = new AbortController();
  const running = { out: '', err: '', stop: () => stopping.abort(), code: Promise.resolve(0) };
  running.code = execute(command, argv, {
    stdin: new PassThrough(),
    stdout: { write: (text) => (running.out += text) },
    stderr: { write: (text) => (running.err += text) },
    env: {},
    signal: stopping.signal,
  });
  return running;
}

const fleetOf = (terminals: number, ...more: readonly string[]): Running => {
  const where = ['--authority', centre.authority, '--registry', centre.registry, '--url', centre.brokerUrl];
  const size = ['--sites', '3', '--terminals', String(terminals)];
  return run('fleet', ...where, ...size, '--control', control, '--json', ...more);
};

async function counts(): Promise<FleetCounts | undefined> {
  const told = await order(control, { do: 'count' });
  return told.ok ? told.value.counts : undefined;
}

const connected = (how: number): Promise<true> =>
  eventually(async () => (await counts())?.connected === how, { what: `${how} being connected` });

test('A fleet of four connects with certificates of its own, is hurt, loses power, loses its lines and comes back', async () => {
  const running = fleetOf(4);
  await connected(4);
  const [first = ''] = running.out.split('\n');
  expect(JSON.parse(first)).toMatchObject({ event: 'ready', terminals: 4, control });
  const registry = parseJson(Registry, readFileSync(centre.registry, 'utf8'), 'REGISTRY_INVALID');
  expect(registry.ok && registry.value.terminals.map(({ terminal }) => terminal)).toEqual([
    'XAA-0101-1',
    'XAB-0101-1',
    'XAC-0101-1',
    'XAA-0101-2',
  ]);

  expect(await run('hurt', 'XAA-0101-1', 'unplug-reader', '--control', control).code).toBe(0);
  const streams = await order(control, { do: 'list' });
  expect(streams.ok && streams.value.streams?.map(({ hurts }) => hurts)).toEqual([
    ['unplug-reader'],
    [],
    [],
    [],
  ]);
  expect(await run('hurt', 'XAB-0101-1', 'stop', '--control', control).code).toBe(0);
  await connected(3);
  expect(await run('hurt', 'XAB-0101-1', 'start', '--control', control).code).toBe(0);
  await connected(4);
  await order(control, { do: 'cut', site: 'XAA-0101' });
  await connected(2);
  await order(control, { do: 'heal' });
  await connected(4);
  running.stop();
  expect(await running.code).toBe(0);
});

test('A second run takes the certificates that the first one made, which only their owner can read', async () => {
  expect(await fleetOf(4, '--prepare').code).toBe(0);
  const kept = `${centre.registry}.keys`;
  expect(statSync(kept).mode & 0o777).toBe(0o600);
  const before = readFileSync(kept, 'utf8');
  expect(await fleetOf(4, '--prepare').code).toBe(0);
  expect(readFileSync(kept, 'utf8')).toBe(before);
  expect(await fleetOf(6, '--prepare').code).toBe(0);
  // The four that there were have theirs still.
  expect(readFileSync(kept, 'utf8').startsWith(before)).toBe(true);
});

test.each([
  [['hurt', 'XAA-0101-1', 'drown'], 'USAGE'],
  [['hurt', 'XAA-0101-1', 'heal', '--control', '/nowhere/orders'], 'SIMULATOR_SILENT'],
  [
    ['fleet', '--authority', '/nowhere', '--registry', '/tmp/x', '--url', 'mqtts://localhost:1'],
    'FILE_REFUSED',
  ],
])('What cannot be played is refused with its code: %j', async (argv, code) => {
  const running = run(...argv, '--json');
  expect(await running.code).not.toBe(0);
  expect(JSON.parse(running.out)).toMatchObject({ error: { code } });
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AlertRow } from '#contracts/console.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { EventReader } from '#test/rigs/event-source.ts';
import { alertRow, MadeUpFleet, terminalRow } from '#test/rigs/fleet-source.ts';
import { startConsole } from './index.ts';

let fleet: MadeUpFleet;
let server: { url: string; close(): Promise<void> };

beforeEach(async () => {
  fleet = new MadeUpFleet();
  fleet.show(terminalRow(1));
  for (const n of [1, 2]) fleet.raise(alertRow(n));
  const parts = { host: '127.0.0.1', port: 0, pageDir: '/nonexistent', log: silentLog, clock: systemClock };
  const started = await startConsole({ ...parts, source: fleet });
  if (!started.ok) throw new Error(started.fault.detail);
  server = started.value;
});
afterEach(() => server.close());

test('a page that connects is told every terminal, then the alerts oldest first, then what happens', async () => {
  const reader = await EventReader.connect(`${server.url}/api/events`);
  try {
    await reader.next('heartbeat', () => true);
    fleet.raise(alertRow(3));
    await reader.next<AlertRow>('alert', ({ id }) => id === 3);
    expect(reader.events.map(({ event }) => event)).toEqual([
      'terminal',
      'alert',
      'alert',
      'heartbeat',
      'alert',
    ]);
    expect(reader.events[1]?.data).toEqual(alertRow(1));
  } finally {
    reader.close();
  }
});

test('terminals and alerts are there as JSON, the newest alert first', async () => {
  expect(await (await fetch(`${server.url}/api/terminals`)).json()).toEqual([terminalRow(1)]);
  expect(await (await fetch(`${server.url}/api/alerts`)).json()).toEqual([alertRow(2), alertRow(1)]);
});

test('the metrics are text that Prometheus takes', async () => {
  const response = await fetch(`${server.url}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(await response.text()).toBe('checkpost_terminals 1\n');
});

test('closing ends the live events of every page', async () => {
  const reader = await EventReader.connect(`${server.url}/api/events`);
  await reader.next('heartbeat', () => true);
  await server.close();
  await expect(fetch(`${server.url}/api/terminals`)).rejects.toThrow();
  reader.close();
});

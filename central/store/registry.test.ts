import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '#runtime/log.ts';
import { systemClock } from '#runtime/clock.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { openRegistry } from './registry.ts';

let folder: string;
const file = (): string => join(folder, 'registry.json');
const terminal = {
  terminal: 'UTO-0001-1',
  bureau: 'UTO',
  site: 'UTO-0001',
  siteName: 'Specimen crossing',
  certificate: 'a'.repeat(64),
  enrolledAt: '2026-01-15T08:00:00.000Z',
};
const site = {
  site: 'UTO-0002',
  bureau: 'UTO',
  name: 'Pass',
  timeZone: 'Asia/Dushanbe',
  latitude: 39.5,
  longitude: 71.2,
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'registry-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function open(registry: object) {
  writeFileSync(file(), JSON.stringify(registry));
  const opened = await openRegistry(file(), { clock: systemClock, log: silentLog });
  if (!opened.ok) throw new Error(opened.fault.detail);
  return opened.value;
}

test('a registry without sites, as earlier releases wrote it, has those of its terminals, without a place', async () => {
  const registry = await open({ v: 1, terminals: [terminal] });
  expect([...registry.sites().values()]).toEqual([
    {
      site: 'UTO-0001',
      bureau: 'UTO',
      name: 'Specimen crossing',
      timeZone: null,
      latitude: null,
      longitude: null,
    },
  ]);
  await registry.close();
});

test('whoever asked is told when it was read again, and then finds what is new', async () => {
  const registry = await open({ v: 1, terminals: [], sites: [] });
  let told = 0;
  const stop = registry.onChange(() => told++);
  writeFileSync(file(), JSON.stringify({ v: 1, terminals: [terminal], sites: [site] }));
  await eventually(() => told > 0);
  expect([...registry.sites().keys()]).toEqual(['UTO-0002', 'UTO-0001']);
  expect(registry.all()).toEqual([terminal]);
  stop();
  await registry.close();
});

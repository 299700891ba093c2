import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Feedback } from '#contracts/readers.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { type SerialReader, startSerialReader } from '#test/rigs/serial-reader.ts';
import { chooseProfile, createLocator, openReader, type Reader, type Signal } from './index.ts';

let folder: string;
let device: SerialReader;
let reader: Reader | undefined;
let heard: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-signals-'));
  heard = '';
  device = await startSerialReader({
    link: join(folder, 'reader'),
    heard: (bytes) => (heard += Buffer.from(bytes).toString('latin1')),
  });
});

afterEach(async () => {
  await reader?.close();
  await device.close();
  rmSync(folder, { recursive: true });
});

/** What the reader hears of each signal, one after the other. */
async function hears(feedback: Feedback, signals: readonly Signal[]): Promise<string[]> {
  const chosen = chooseProfile({ profile: 'swipe' }, []);
  if (!chosen.ok) throw new Error(chosen.fault.detail);
  const profile = { ...chosen.value, signals: { read: '5b725d', again: '5b615d', attention: '5b215d' } };
  reader = openReader(
    { id: 'counter-1', profile, feedback },
    {
      locator: createLocator({
        wanted: [{ id: 'counter-1', device: device.link, kind: 'serial', replacement: 'accept' }],
        scan: () => [],
      }),
      clock: systemClock,
      random: () => 0.5,
      log: silentLog,
      listener: { frame: () => {}, state: () => {}, fault: () => {} },
    },
  );
  await eventually(() => reader?.state() === 'ready');
  for (const signal of signals) reader.signal(signal);
  // Whatever was not to be heard would have come before this.
  const last = feedback === 'off' ? undefined : signals.length * 3;
  await eventually(() => heard.length >= (last ?? 0));
  return heard.match(/\[.\]/g) ?? [];
}

test('Discreet feedback is the same for every verdict, and another one only for a document to be swiped again', async () => {
  expect(await hears('discreet', ['read', 'attention', 'again'])).toEqual(['[r]', '[r]', '[a]']);
});

test('Full feedback has one of its own for what an officer must look at', async () => {
  expect(await hears('full', ['read', 'attention', 'again'])).toEqual(['[r]', '[!]', '[a]']);
});

test('With feedback off nothing is ever sent to the reader', async () => {
  expect(await hears('off', ['read', 'attention', 'again'])).toEqual([]);
  await reader?.close();
  reader = undefined;
  await device.unplug();
  expect(heard).toBe('');
});

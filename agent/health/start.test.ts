import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cameUnexpectedly, StartKeeper, watchdogCaused } from './start.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-start-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([
  ['The first run of all expects everything', undefined, false],
  ['After an orderly stop another boot is expected', { boot: 'a', orderly: true, unexpected: false }, false],
  ['Without one it is not', { boot: 'a', orderly: false, unexpected: false }, true],
  ['A crash of the agent alone is no reboot', { boot: 'b', orderly: false, unexpected: false }, false],
  [
    'A restart of the agent does not forget how its boot came',
    { boot: 'b', orderly: true, unexpected: true },
    true,
  ],
  [
    'An unexpected boot that was stopped in order is over',
    { boot: 'a', orderly: true, unexpected: true },
    false,
  ],
])('%s', (_, last, unexpected) => {
  expect(cameUnexpectedly(last, 'b')).toBe(unexpected);
});

describe('What is kept in the state folder', () => {
  const run = async (boot: string, end: 'stopped' | 'killed'): Promise<boolean> => {
    const keeper = new StartKeeper({ stateFolder: folder, boot });
    expect(await keeper.begin()).toMatchObject({ ok: true });
    if (end === 'stopped') expect(await keeper.end()).toMatchObject({ ok: true });
    return keeper.unexpected;
  };
  test('A power cut is seen at the next boot, for all of it, and not at the one after', async () => {
    expect(await run('one', 'stopped')).toBe(false);
    expect(await run('two', 'killed')).toBe(false);
    expect(await run('three', 'killed')).toBe(true);
    expect(await run('three', 'stopped')).toBe(true);
    expect(await run('four', 'stopped')).toBe(false);
  });
  test('A file that makes no sense accuses nobody', async () => {
    writeFileSync(join(folder, 'last-run.json'), '{"boot":"one"');
    expect(await run('two', 'stopped')).toBe(false);
  });
  test('A folder that cannot be written is a fault, not a throw', async () => {
    const keeper = new StartKeeper({ stateFolder: join(folder, 'none'), boot: 'one' });
    expect(await keeper.begin()).toMatchObject({ ok: false, fault: { code: 'FILE_REFUSED' } });
  });
});

test.each([
  ['32', true],
  ['33024', false],
  ['0', false],
  ['nonsense', false],
  [undefined, false],
])('The watchdog says %s: it caused this boot: %s', async (bootstatus, caused) => {
  const watchdog = join(folder, 'class/watchdog/watchdog0');
  mkdirSync(watchdog, { recursive: true });
  if (bootstatus !== undefined) writeFileSync(join(watchdog, 'bootstatus'), `${bootstatus}\n`);
  expect(await watchdogCaused(folder)).toBe(caused);
});

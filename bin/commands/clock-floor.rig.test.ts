import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { requires } from '#test/rigs/requirements.ts';

// The command as a process, without CAP_SYS_TIME: whatever goes wrong here, the clock of this machine stays.
const reason = requires({ test: 'the clock at boot', root: true, tools: ['setpriv'] });
const folder = mkdtempSync(join(tmpdir(), 'checkpost-clock-floor-'));
afterAll(() => rmSync(folder, { recursive: true }));
const program = resolve(import.meta.dirname, '../main.ts');
const soon = new Date(Math.ceil(Date.now() / 1000) * 1000 + 7 * 86_400_000);
writeFileSync(
  join(folder, 'time-floor.json'),
  JSON.stringify({ v: 1, at: soon.toISOString(), boot: 'before' }),
);

function clockFloor(args: readonly string[], path = process.env['PATH'] ?? '') {
  return spawnSync(
    'setpriv',
    ['--inh-caps=-all', '--bounding-set=-sys_time', process.execPath, program, 'clock-floor', ...args],
    { encoding: 'utf8', env: { ...process.env, PATH: path } },
  );
}

describe.skipIf(reason !== undefined)('checkpost clock-floor', () => {
  test('With --check it only says that the clock is below the floor', () => {
    const done = clockFloor(['--state', folder, '--check']);
    expect(done.status, done.stderr).toBe(0);
    expect(done.stdout).toContain(`below the floor of ${soon.toISOString()}: it would be set`);
    const json = JSON.parse(clockFloor(['--state', folder, '--check', '--json']).stdout) as object;
    expect(json).toMatchObject({ result: 'below', floor: soon.toISOString(), fault: null });
  });

  test('It sets the clock with date, by seconds since 1970', () => {
    const said = join(folder, 'said');
    const date = join(folder, 'date');
    writeFileSync(date, `#!/bin/sh\necho "$@" > ${said}\n`);
    chmodSync(date, 0o755);
    const done = clockFloor(['--state', folder], `${folder}:${process.env['PATH']}`);
    rmSync(date);
    expect(done.status, done.stderr).toBe(0);
    expect(done.stdout).toContain(`it was set to ${soon.toISOString()}`);
    expect(readFileSync(said, 'utf8')).toBe(`--utc --set=@${soon.getTime() / 1000}\n`);
  });

  test('Without the capability it says which one it needs, and ends with 1', () => {
    const done = clockFloor(['--state', folder]);
    expect(done.status).toBe(1);
    expect(done.stderr).toContain('CAP_SYS_TIME');
  });

  test('A floor that is damaged is told and does not hold up the start', () => {
    const damaged = mkdtempSync(join(folder, 'damaged-'));
    writeFileSync(join(damaged, 'time-floor.json'), 'nonsense');
    const done = clockFloor(['--state', damaged]);
    expect(done.status, done.stderr).toBe(0);
    expect(done.stderr).toContain('TIME_FLOOR_FAILED');
    expect(done.stdout).toContain('nothing was done');
  });

  test('Called without a folder it says how', () => {
    expect(clockFloor([])).toMatchObject({ status: 2 });
  });
});

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect } from 'vitest';

const main = resolve(import.meta.dirname, '../../bin/main.ts');

/**
 * Runs our command under strace, which kills it at its n-th call of the kind; whether that happened. Where it ended by
 * itself, it must have ended well.
 */
export function killedAt(call: string, n: number, args: readonly string[]): boolean {
  // Files and database are written by the main thread: without -f the others run at full speed.
  const trace = [
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:signal=KILL:when=${n}`,
  ];
  const done = spawnSync('strace', [...trace, process.execPath, main, ...args], { encoding: 'utf8' });
  if (done.signal === 'SIGKILL' || done.status === 137) return true;
  expect(done.status, done.stderr).toBe(0);
  return false;
}

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from './commands.ts';

// The one command as it ships, called as a person calls it.

const root = resolve(import.meta.dirname, '..');
const checkpost = (...args: string[]) =>
  spawnSync(resolve(root, 'dist/bin/checkpost'), args, { encoding: 'utf8' });

describe('The one command', () => {
  test('has the subcommands of the design, and lists each with what it does', () => {
    const help = checkpost('--help');
    expect(help.status).toBe(0);
    for (const name of [
      'demo',
      'simulate',
      'agent',
      'uplink',
      'central',
      'status',
      'document',
      'edition',
      'audit',
      'site',
      'authority',
      'enrol',
    ]) {
      expect(help.stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
    }
  });

  test.each(Object.keys(commands))(
    '%s --help says what it is, how it is called and its exit codes',
    (name) => {
      const help = checkpost(name, '--help');
      expect(help.status).toBe(0);
      expect(help.stdout).toContain(`checkpost ${name}`);
      expect(help.stdout).toMatch(/Usage:/);
      expect(help.stdout).toMatch(/Exit codes: 0/);
    },
  );

  test.each(Object.keys(commands))('%s with an option that it does not have says so and exits 2', (name) => {
    const called = checkpost(name, '--no-such-option');
    expect(called.status).toBe(2);
    expect(called.stderr).toContain('USAGE');
  });

  test('without a command, or with one that does not exist, it exits 2', () => {
    expect(checkpost().status).toBe(2);
    expect(checkpost('fly').status).toBe(2);
  });

  test('a fault is one JSON object with --json', () => {
    const called = checkpost('status', '--config', '/nowhere.json', '--json');
    expect(called.status).toBe(1);
    expect(JSON.parse(called.stdout === '' ? called.stderr : called.stdout)).toMatchObject({
      error: { code: 'SETTINGS_UNREADABLE' },
    });
  });
});

test('Setting up again when nothing changed costs under a second', () => {
  const setup = (): number => {
    const began = performance.now();
    const done = spawnSync('node', ['bin/dev/setup.mjs', 'test'], { cwd: root, encoding: 'utf8' });
    expect(done.status, done.stderr).toBe(0);
    // It says what it does; here it does nothing.
    expect(done.stderr).toBe('');
    return performance.now() - began;
  };
  expect(Math.min(setup(), setup(), setup())).toBeLessThan(1000);
});

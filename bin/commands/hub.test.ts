import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { execute } from '../command.ts';
import { command } from './hub.ts';

let folder: string;
let config: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-hub-command-'));
  config = join(folder, 'hub.json');
  writeConfig();
  writeFileSync(join(folder, 'terminals.json'), '[]', { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true }));

function writeConfig(more: object = {}): void {
  const settings = {
    name: 'one',
    privateKey: 'hub.key',
    address: '10.77.255.1',
    probeAddress: '10.78.255.1',
    terminals: 'terminals.json',
    state: 'state',
    ...more,
  };
  writeFileSync(config, JSON.stringify(settings));
}

async function run(...argv: string[]) {
  const said = { stdout: '', stderr: '' };
  const code = await execute(command, argv, {
    stdin: process.stdin,
    stdout: { write: (text) => (said.stdout += text) },
    stderr: { write: (text) => (said.stderr += text) },
    env: {},
    signal: new AbortController().signal,
  });
  return { code, ...said };
}

const key = (letter: string): string => `${letter.repeat(42)}A=`;
const terminal = (name: string, number: number, letter: string) => ({
  terminal: name,
  address: `10.77.0.${number}`,
  publicKey: key(letter),
  probes: [],
});

test('The public key is made once, and printed for people and machines', async () => {
  const first = await run('--config', config, '--public-key');
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[A-Za-z0-9+/]{43}=\n$/) as string });
  const second = await run('--config', config, '--public-key', '--json');
  expect(JSON.parse(second.stdout)).toEqual({ publicKey: first.stdout.trim() });
});

test('A good configuration is said to be good, with the number of its terminals', async () => {
  const list = [terminal('UTO-0001-1', 1, 'a'), terminal('UTO-0002-1', 2, 'b')];
  writeFileSync(join(folder, 'terminals.json'), JSON.stringify(list));
  const done = await run('--config', config, '--check-config', '--json');
  expect(done).toMatchObject({ code: 0, stdout: '{"ok":true,"terminals":2}\n' });
});

test('Two terminals with one key and one address are both named, before anything is started', async () => {
  const list = [terminal('UTO-0001-1', 1, 'a'), terminal('UTO-0002-1', 1, 'a')];
  writeFileSync(join(folder, 'terminals.json'), JSON.stringify(list));
  for (const more of [['--check-config'], []]) {
    const done = await run('--config', config, ...more);
    expect(done.code).toBe(1);
    expect(done.stderr).toContain('SETTINGS_INVALID');
    expect(done.stderr).toContain('UTO-0001-1 (tunnel) and UTO-0002-1 (tunnel) have the address 10.77.0.1');
    expect(done.stderr).toContain('have the public key');
  }
});

test('A list with preshared keys that others may read is refused', async () => {
  const list = [{ ...terminal('UTO-0001-1', 1, 'a'), presharedKey: key('c') }];
  writeFileSync(join(folder, 'terminals.json'), JSON.stringify(list));
  chmodSync(join(folder, 'terminals.json'), 0o644);
  const done = await run('--config', config, '--check-config');
  expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining('CREDENTIAL_UNREADABLE') as string });
  expect(done.stderr).not.toContain(key('c'));
});

test('A terminal that is not in the list cannot be forgotten, and the fault says so', async () => {
  const done = await run('reset', 'UTO-0009-1', '--config', config, '--json');
  expect(JSON.parse(done.stdout)).toMatchObject({ error: { code: 'TERMINAL_UNKNOWN' } });
  expect(done.code).toBe(1);
});

test.each([
  [[]],
  [['--config', 'x', 'reset']],
  [['--config', 'x', 'reset', 'a', 'b']],
  [['--config', 'x', 'terminals', 'a']],
  [['--config', 'x', 'other']],
  [['--config', 'x', 'terminals', '--public-key']],
  [['--config', 'x', '--check-config', '--public-key']],
])('Called with %j it says how it is called, with exit code 2', async (argv) => {
  const done = await run(...argv);
  expect(done.code).toBe(2);
  expect(done.stderr).toContain('checkpost hub');
});

test('A configuration that is wrong names every wrong setting', async () => {
  writeConfig({ address: 'here', listenPort: 0 });
  const done = await run('--config', config, '--check-config');
  expect(done.code).toBe(1);
  for (const name of ['address: found "here"', 'listenPort: found 0']) expect(done.stderr).toContain(name);
});

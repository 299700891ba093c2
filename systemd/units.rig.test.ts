import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { requires } from '#test/rigs/requirements.ts';

// systemd's own checkers on the files as they ship; only the path of the program is that of this checkout.

const here = import.meta.dirname;
const program = resolve(here, '../bin/checkpost');
const units = readdirSync(here).filter((name) => name.endsWith('.service'));
const folder = mkdtempSync(join(tmpdir(), 'checkpost-units-'));
afterAll(() => rmSync(folder, { recursive: true }));

const reason = requires({
  test: 'the units',
  tools: ['systemd-analyze', 'systemd-sysusers', 'systemd-tmpfiles'],
});

function unitText(name: string): string {
  return readFileSync(join(here, name), 'utf8').replaceAll('/usr/lib/checkpost/bin/checkpost', program);
}

function verify(texts: Readonly<Record<string, string>>): { status: number | null; said: string } {
  const dir = mkdtempSync(join(folder, 'verify-'));
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(dir, name), text);
  const files = Object.keys(texts).map((name) => join(dir, name));
  const done = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], { encoding: 'utf8' });
  // Of the machine's own units that ours name, what is wrong with them is not ours.
  const said = `${done.stdout}${done.stderr}`
    .split('\n')
    .filter((line) => line.includes('checkpost'))
    .join('\n');
  return { status: done.status, said };
}

describe.skipIf(reason !== undefined)('The units', () => {
  test('Every unit of the design that this release has passes systemd-analyze verify, without a word', () => {
    expect(units.sort()).toEqual([
      'checkpost-agent.service',
      'checkpost-central.service',
      'checkpost-netns.service',
      'checkpost-tunnel.service',
      'checkpost-uplink.service',
    ]);
    expect(verify(Object.fromEntries(units.map((name) => [name, unitText(name)])))).toEqual({
      status: 0,
      said: '',
    });
  });

  test('A unit with a directive that does not exist, or a program that is not there, is caught', () => {
    const name = 'checkpost-agent.service';
    expect(verify({ [name]: unitText(name).replace('RestartSec=', 'RestartSeconds=') }).said).toContain(
      'RestartSeconds',
    );
    expect(verify({ [name]: unitText(name).replace(program, '/nowhere/checkpost') }).status).not.toBe(0);
  });

  // The design's 1.2 and 1.6 need the appliance, where the program does not stand in the system's own tree.
  test.each([
    ['checkpost-agent.service', 20],
    ['checkpost-uplink.service', 25],
    ['checkpost-tunnel.service', 25],
    ['checkpost-central.service', 25],
  ] as const)('%s is exposed at most %d tenths', (name, threshold) => {
    const done = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', `--threshold=${threshold}`, join(here, name)],
      { encoding: 'utf8' },
    );
    expect(done.status, done.stdout.split('\n').slice(-3).join('\n')).toBe(0);
  });

  test('The agent has no capability, and only the two halves of the uplink have one', () => {
    const capabilities = (name: string): (string | undefined)[] =>
      [...unitText(name).matchAll(/^(?:Ambient|Bounding|CapabilityBounding)\w*=(.*)$/gm)].map(
        (match) => match[1],
      );
    expect(capabilities('checkpost-agent.service')).toEqual(['']);
    expect(capabilities('checkpost-central.service')).toEqual(['']);
    expect(
      new Set([...capabilities('checkpost-uplink.service'), ...capabilities('checkpost-tunnel.service')]),
    ).toEqual(new Set(['CAP_NET_ADMIN']));
  });

  test('Users, groups and folders are made by systemd’s own tools, and belong to whom they should', () => {
    const root = join(folder, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    const users = spawnSync('systemd-sysusers', [`--root=${root}`, join(here, 'checkpost.sysusers')], {
      encoding: 'utf8',
    });
    expect(users.status, users.stderr).toBe(0);
    const passwd = readFileSync(join(root, 'etc/passwd'), 'utf8');
    for (const user of ['checkpost', 'checkpost-uplink', 'checkpost-central', '_chrony']) {
      expect(passwd).toMatch(new RegExp(`^${user}:x:.*:/usr/sbin/nologin$`, 'm'));
    }
    expect(readFileSync(join(root, 'etc/group'), 'utf8')).toMatch(/^checkpost-reader:x:\d+:checkpost$/m);
    const folders = spawnSync(
      'systemd-tmpfiles',
      ['--create', `--root=${root}`, join(here, 'checkpost.tmpfiles')],
      {
        encoding: 'utf8',
      },
    );
    expect(folders.status, folders.stderr).toBe(0);
    expect(statSync(join(root, 'var/lib/checkpost')).mode & 0o777).toBe(0o700);
  });
});

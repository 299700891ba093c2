import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { requires } from '#test/rigs/requirements.ts';

// systemd's own checkers on the files as they ship; only the path of the program is that of this checkout.

const here = import.meta.dirname;
const program = resolve(here, '../bin/checkpost');
const units = readdirSync(here).filter((name) => /\.(service|path)$/.test(name));
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
      'checkpost-clock-floor.service',
      'checkpost-netns.service',
      'checkpost-reboot.path',
      'checkpost-reboot.service',
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
    ['checkpost-clock-floor.service', 25],
    ['checkpost-central.service', 25],
    ['checkpost-reboot.service', 25],
  ] as const)('%s is exposed at most %d tenths', (name, threshold) => {
    const done = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', `--threshold=${threshold}`, join(here, name)],
      { encoding: 'utf8' },
    );
    expect(done.status, done.stdout.split('\n').slice(-3).join('\n')).toBe(0);
  });

  test('The agent has no capability, the two halves of the uplink one, and what sets the clock another', () => {
    const capabilities = (name: string): (string | undefined)[] =>
      [...unitText(name).matchAll(/^(?:Ambient|Bounding|CapabilityBounding)\w*=(.*)$/gm)].map(
        (match) => match[1],
      );
    expect(capabilities('checkpost-agent.service')).toEqual(['']);
    expect(capabilities('checkpost-central.service')).toEqual(['']);
    expect(
      new Set([...capabilities('checkpost-uplink.service'), ...capabilities('checkpost-tunnel.service')]),
    ).toEqual(new Set(['CAP_NET_ADMIN']));
    expect(new Set(capabilities('checkpost-clock-floor.service'))).toEqual(new Set(['CAP_SYS_TIME']));
    expect(capabilities('checkpost-reboot.service')).toEqual(['CAP_DAC_OVERRIDE CAP_SYS_BOOT']);
  });

  const lines = (name: string): string[] => unitText(name).split('\n');
  const listed = (name: string, directive: string): string[] =>
    lines(name)
      .filter((line) => line.startsWith(`${directive}=`))
      .flatMap((line) => line.slice(directive.length + 1).split(' '));

  test('The clock is set before anything that looks at it, by a unit that may set it and has no network', () => {
    const name = 'checkpost-clock-floor.service';
    expect(listed(name, 'Before')).toEqual(
      expect.arrayContaining(['checkpost-uplink.service', 'checkpost-agent.service', 'chrony.service']),
    );
    expect(listed('checkpost-uplink.service', 'After')).toEqual(
      expect.arrayContaining([name, 'nftables.service', 'checkpost-netns.service']),
    );
    // Not Requires: a clock that cannot be set is no reason to stay away.
    expect(listed('checkpost-uplink.service', 'Wants')).toContain(name);
    expect(lines(name)).not.toContain('ProtectClock=yes');
    expect(listed(name, 'SystemCallFilter').at(-1)).toBe('clock_settime');
    expect(lines(name)).toContain('PrivateNetwork=yes');
  });

  test('A restart is asked for by a file that the agent can write, which is taken away first and never outlives a start', () => {
    const file = '/var/lib/checkpost/reboot';
    expect(listed('checkpost-reboot.path', 'PathExists')).toEqual([file]);
    expect(listed('checkpost-agent.service', 'StateDirectory')).toEqual(['checkpost']);
    const commands = lines('checkpost-reboot.service').filter((line) => line.startsWith('ExecStart='));
    expect(commands).toEqual([
      `ExecStart=/usr/bin/rm -f ${file}`,
      'ExecStart=/usr/bin/systemctl --no-block reboot',
    ]);
    const root = join(folder, 'restarted');
    mkdirSync(join(root, 'etc'), { recursive: true });
    mkdirSync(join(root, 'var/lib/checkpost'), { recursive: true });
    const create = (...more: string[]) =>
      spawnSync('systemd-tmpfiles', [...more, `--root=${root}`, join(here, 'checkpost.tmpfiles')]);
    writeFileSync(join(root, file), '');
    create('--remove');
    expect(readdirSync(join(root, 'var/lib/checkpost'))).toEqual(['reboot']);
    create('--remove', '--boot');
    expect(readdirSync(join(root, 'var/lib/checkpost'))).toEqual([]);
  });

  test('Both halves are watched and never given up, and wireguard-go outlives the one that started it', () => {
    for (const name of ['checkpost-uplink.service', 'checkpost-tunnel.service']) {
      expect(lines(name)).toEqual(
        expect.arrayContaining([
          'WatchdogSec=30',
          'StartLimitIntervalSec=0',
          'Restart=always',
          'Type=notify',
        ]),
      );
    }
    expect(lines('checkpost-uplink.service')).toEqual(
      expect.arrayContaining(['KillMode=process', 'RuntimeDirectoryPreserve=yes']),
    );
    expect(listed('checkpost-uplink.service', 'RuntimeDirectory')).toEqual(['checkpost-uplink', 'wireguard']);
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
    expect(readFileSync(join(root, 'etc/group'), 'utf8')).toMatch(/^checkpost-uplink:x:\d+:checkpost$/m);
    const folders = spawnSync(
      'systemd-tmpfiles',
      ['--create', `--root=${root}`, join(here, 'checkpost.tmpfiles')],
      {
        encoding: 'utf8',
      },
    );
    expect(folders.status, folders.stderr).toBe(0);
    expect(statSync(join(root, 'var/lib/checkpost')).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, 'var/lib/checkpost-uplink')).mode & 0o777).toBe(0o700);
    for (const name of ['time.d', 'time-authorities', 'chrony.d'])
      expect(statSync(join(root, 'etc/checkpost', name)).mode & 0o777).toBe(0o755);
  });
});

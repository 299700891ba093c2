import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requires } from '#test/rigs/requirements.ts';
import { Site, uplinkTools } from '#test/rigs/site/site.ts';
import { allUp, loseUplink, rotate } from '#test/rigs/site/trials.ts';

// As systemd/checkpost-uplink.service and checkpost-tunnel.service start the halves: their own user, one capability.
const user = 642;
const reason = requires({
  test: 'the halves with one capability',
  root: true,
  tools: [...uplinkTools, 'mount', 'strace'],
});
const sockets = mkdtempSync(join(tmpdir(), 'checkpost-sockets-'));
const trace = join(sockets, 'execs');
const asUnit = [
  'sh',
  '-c',
  // The folder of wireguard-go's sockets belongs to the user, as RuntimeDirectory= makes it.
  'mount --bind "$0" /run/wireguard && exec "$@"',
  join(sockets, 'wireguard'),
  ...`setpriv --reuid ${user} --regid ${user} --clear-groups --no-new-privs`.split(' '),
  ...'--inh-caps -all,+net_admin --ambient-caps -all,+net_admin --bounding-set -all,+net_admin'.split(' '),
];
const traced = [...asUnit, ...`strace -f -qq -s 100000 -e trace=execve -o ${trace}`.split(' ')];

describe.skipIf(reason !== undefined)('The halves as their own user, with CAP_NET_ADMIN alone', () => {
  const site = new Site({ around: { outer: traced, inner: asUnit } });
  beforeAll(async () => {
    mkdirSync('/run/wireguard', { recursive: true });
    mkdirSync(join(sockets, 'wireguard'));
    await site.build();
    for (const path of [sockets, join(sockets, 'wireguard'), ...owned(site.folder)])
      chownSync(path, user, user);
    await site.startTerminal();
    await site.connected();
    await allUp(site);
  });
  afterAll(async () => {
    // strace keeps signals back while it writes to a file, and waits for wireguard-go, which outlives the half.
    await site.outer.stop('SIGKILL');
    await site.close();
    rmSync(sockets, { recursive: true, force: true });
  });

  test('Both have that capability and no other, and are not root', () => {
    for (const half of [site.outer, site.inner]) {
      const status = readFileSync(`/proc/${nodeOf(half.pid)}/status`, 'utf8');
      expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(String(user));
      for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        // 1 << 12: capabilities(7), linux/capability.h.
        expect(new RegExp(`^${set}:\\s+0*1000$`, 'm').test(status), set).toBe(true);
    }
  });

  test('They do all of their work so: fail over, change keys, hold the closed list', async () => {
    expect(await loseUplink(site)).toBeLessThan(6000);
    expect(await rotate(site)).toMatchObject({ lost: 0 });
    expect(await site.status()).toMatchObject({ state: 'up', faults: [], firewall: { state: 'held' } });
  });

  test('No argument of any program that was started held a private or preshared key, and no log line does', () => {
    const execs = readFileSync(trace, 'utf8');
    expect(execs).toContain('"syncconf"');
    const secrets = owned(site.folder)
      .filter((file) => /\.(key|psk)$/.test(file))
      .map((file) => readFileSync(file, 'utf8').trim());
    // The enrolment's key and two preshared ones, and what the change of keys has made since.
    expect(secrets.length).toBeGreaterThan(6);
    for (const secret of secrets) {
      expect(execs.includes(secret)).toBe(false);
      expect(site.log().includes(secret)).toBe(false);
    }
  });

  test('The command that an engineer types says in its first line which way the site is connected', () => {
    const said = execFileSync(
      process.execPath,
      ['bin/main.ts', 'uplink', 'status', '--socket', site.controlSocket],
      {
        encoding: 'utf8',
      },
    );
    expect(said.split('\n')[0]).toMatch(/^Connected through dsl and one for /);
    for (const line of said.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});

/** Everything of the terminal in the folder of the site: the hubs' own folders are not its. */
function owned(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return [folder, ...all.filter((name) => !/^(one|two)(\/|$)/.test(name)).map((name) => join(folder, name))];
}

/** The program itself, behind those that were put around it. */
function nodeOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(/\s+/)
    .filter(Boolean);
  const isNode = readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(process.execPath);
  const [child] = children;
  return isNode || child === undefined ? pid : nodeOf(Number(child));
}

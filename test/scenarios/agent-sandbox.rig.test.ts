import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { toError } from '#runtime/errors.ts';
import { loadSettings } from '#runtime/settings.ts';
import { judge, leaks } from '#test/rigs/capture/index.ts';
import { requires } from '#test/rigs/requirements.ts';
import { captureAt, type FarEnd } from '#test/rigs/site/escape/far-ends.ts';
import { sandbox, SandboxedAgent } from '#test/rigs/site/escape/sandboxed-agent.ts';
import type { TakenSocket } from '#test/rigs/site/escape/take-sockets.ts';
import { inside, run } from '#test/rigs/site/namespaces.ts';
import { Site, uplinkTools } from '#test/rigs/site/site.ts';
import { closedList, factsOf } from '#uplink/index.ts';

// A real agent, as its unit runs it: in its namespace, as a user without any capability. There is no firewall here
// (`firewall: false`), so that nothing but the construction holds it.
const reason = requires({
  test: 'the sandbox of the agent',
  root: true,
  tools: [...uplinkTools, 'tcpdump', 'nsenter', 'unshare'],
});

const checkout = resolve(import.meta.dirname, '../..');
const hubs = ['192.0.2.10', '198.51.100.10'].map((address) => ({ address, port: 51_820 }));
const misuse = {
  targets: [
    { address: '203.0.113.9', port: 443 },
    { address: '10.1.0.1', port: 53 },
    { address: '192.0.2.10', port: 51_820 },
    { address: '2001:db8:9::9', port: 443 },
  ],
  devices: ['dsl0', 'lte0'],
};
/** What the kernel says where there is no device of a name, and where a connection has begun. */
const [ENODEV, EINPROGRESS] = [-19, -115];

describe.skipIf(reason !== undefined)('The agent, in its sandbox', () => {
  const site = new Site({ settings: { firewall: false } });
  const agent = new SandboxedAgent(site);
  const { terminal, agent: netns } = site.ns;
  const ends: FarEnd[] = site.lines.map(({ name }) => ({
    netns: site.provider(name),
    device: `p${site.device(name)}`,
    terminal: { netns: terminal, device: site.device(name) },
  }));

  beforeAll(async () => {
    await site.start();
    await agent.start();
    // The tunnel as the way to everywhere: more than an agent ever has. The inner half would take it away again.
    await site.inner.stop();
    for (const family of ['-4', '-6'])
      run('ip', '-n', netns, family, 'route', 'replace', 'default', 'dev', `${site.prefix}0`);
  });
  afterAll(async () => {
    await agent.close();
    await site.close();
  });

  /** What left the terminal while something went on, though nothing on the closed list allows it. */
  async function leaked(action: () => Promise<unknown>): Promise<string[]> {
    const settings = loadSettings(UplinkSettings, site.settingsFile);
    if (!settings.ok) throw toError(settings.fault);
    const capture = await captureAt(ends, site.folder);
    await action();
    const found = leaks(judge(await capture.stop(), closedList(factsOf(settings.value, hubs, 0))));
    // The kernel's own multicast reports (RFC 3810) after an interface came up: the firewall, which is off here so that
    // the namespace stands alone, drops them.
    return found.filter((line) => !/ICMPv6 type 143 code 0 \S+ > ff02::16,/.test(line));
  }

  const program = (name: string): string => join(checkout, `test/rigs/site/escape/${name}.ts`);

  test('It has no capability, cannot gain any, and was given no socket', () => {
    const status = readFileSync(`/proc/${agent.pid}/status`, 'utf8');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect(status).toMatch(new RegExp(String.raw`^${set}:\s+0+$`, 'm'));
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Uid:\s+65534\s+65534\s+65534\s/m);
    for (const fd of [0, 1, 2]) expect(readlinkSync(`/proc/${agent.pid}/fd/${fd}`)).not.toMatch(/^socket:/);
  });

  test('Its unit does the same, and hands it nothing that was opened outside', () => {
    const units = join(checkout, 'systemd');
    const unit = readFileSync(join(units, 'checkpost-agent.service'), 'utf8');
    expect(unit.split('\n')).toEqual(
      expect.arrayContaining([
        'NetworkNamespacePath=/run/netns/checkpost',
        'CapabilityBoundingSet=',
        'NoNewPrivileges=yes',
        'RestrictNamespaces=yes',
        'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6',
      ]),
    );
    expect(unit).not.toMatch(
      /^(Sockets|OpenFile|FileDescriptorStoreMax|StandardInput|AmbientCapabilities)=/m,
    );
    const activating = readdirSync(units)
      .filter((name) => name.endsWith('.socket'))
      .filter(
        (name) =>
          name === 'checkpost-agent.socket' ||
          /^Service=checkpost-agent\.service$/m.test(readFileSync(join(units, name), 'utf8')),
      );
    expect(activating).toEqual([]);
  });

  test('Every socket that it holds is of its own namespace; turned to the outside, none gets there', async () => {
    await agent.connected();
    let sockets: TakenSocket[] = [];
    const found = await leaked(async () => {
      const orders = JSON.stringify({ pid: agent.pid, ...misuse });
      sockets = JSON.parse(run(process.execPath, program('take-sockets'), orders)) as TakenSocket[];
      await site.connected();
    });
    expect(found).toEqual([]);
    const { ino } = statSync(`/run/netns/${netns}`);
    expect(new Set(sockets.map(({ namespace }) => namespace))).toEqual(new Set([ino]));
    expect(new Set(sockets.flatMap(({ bound }) => bound))).toEqual(new Set([ENODEV]));
    // The listener of the page, the two connections to the centre, and the one to the helper, which is no way out.
    const tcp = sockets.filter(({ domain, type }) => domain === 2 && type === 1);
    expect(tcp.length).toBeGreaterThanOrEqual(3);
    expect(sockets.some(({ domain }) => domain === 1)).toBe(true);
    // They could really be turned: what is refused before it comes to the network would prove nothing.
    expect(tcp.every(({ disconnected }) => disconnected === 0)).toBe(true);
    const begun = tcp.filter(({ answers }) => answers.some(([, answer]) => answer === EINPROGRESS));
    expect(begun.length).toBeGreaterThanOrEqual(2);
  });

  test('It cannot enter the namespace of the physical interfaces by ways that root can', () => {
    const args = [program('enter'), terminal, String(site.outer.pid)];
    const enter = (as: readonly string[]): Record<string, boolean> =>
      JSON.parse(inside(netns, ...as, process.execPath, ...args)) as Record<string, boolean>;
    const entered = enter(sandbox);
    expect(Object.keys(entered)).toHaveLength(8);
    expect(Object.values(entered)).not.toContain(true);
    expect(enter([])).toMatchObject({
      'ip netns exec': true,
      'nsenter by process': true,
      'setns by name': true,
    });
  });

  test('A listener inherited from outside would get out: so it must never be given one', async () => {
    const through = ['ip', 'netns', 'exec', netns, ...sandbox];
    const inherit = async (): Promise<TakenSocket> => {
      const said = inside(
        terminal,
        process.execPath,
        program('inherited'),
        JSON.stringify(misuse),
        ...through,
      );
      return JSON.parse(said) as TakenSocket;
    };
    let socket: TakenSocket | undefined;
    const found = await leaked(async () => (socket = await inherit()));
    expect(socket).toMatchObject({ fd: 3, disconnected: 0 });
    expect(found).toContainEqual(expect.stringMatching(/TCP .* > 203\.0\.113\.9 port 443/));
    // The rules are the second line: by those of boot it does not leave either.
    inside(terminal, 'nft', '-f', join(checkout, 'firmware-config/nftables/checkpost.nft'));
    expect(await leaked(inherit)).toEqual([]);
  });
});

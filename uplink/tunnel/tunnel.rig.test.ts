import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemChildren } from '#runtime/child.ts';
import { systemClock } from '#runtime/clock.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { netnsChildren } from '#test/rigs/netns-children.ts';
import { requires } from '#test/rigs/requirements.ts';
import {
  addNamespace,
  connect,
  inside,
  namespaceOf,
  removeNamespace,
  sweep,
} from '#test/rigs/site/namespaces.ts';
import { type PeerConf, syncTunnel, type TunnelConf } from './conf.ts';
import { readHandshakes, readTransfer } from './counters.ts';
import { applyInner, type InnerOrder } from './inner.ts';
import { ensureLink, ensureLinkIn, type Link } from './link.ts';

const reason = requires({
  test: 'the tunnels of the uplink',
  root: true,
  tools: ['ip', 'wg', 'wireguard-go', 'ping'],
});

// A terminal, its agent's namespace, and two hubs in a third. Names of wireguard-go are unique on the whole machine.
const [terminal, agent, hubs] = [namespaceOf('tT'), namespaceOf('tA'), namespaceOf('tH')];
const id = String(process.pid % 100_000);
const [tunnel, second] = [`cpt${id}`, `cps${id}`];
const hubNames = [`cpj${id}`, `cpk${id}`] as const;
const children = netnsChildren(terminal, systemChildren);
const atHubs = netnsChildren(hubs, systemChildren);
const inAgent = netnsChildren(agent, systemChildren);
const wish = { mode: 'userspace', clock: systemClock, signal: new AbortController().signal } as const;
const mark = 25_456;

interface Pair {
  readonly privateKey: string;
  readonly publicKey: string;
}
async function pair(): Promise<Pair> {
  const wg = { name: 'wg', package: 'wireguard-tools' };
  const made = await systemChildren.run(wg, ['genkey']);
  const privateKey = made.ok ? made.value.trim() : '';
  const half = await systemChildren.run(wg, ['pubkey'], { input: privateKey });
  return { privateKey, publicKey: half.ok ? half.value.trim() : '' };
}

function must<T>(result: { ok: true; value: T } | { ok: false; fault: { detail: string } }): T {
  if (!result.ok) throw new Error(result.fault.detail);
  return result.value;
}

let own: Pair;
const hubKeys: Pair[] = [];
const links: Link[] = [];

const peer = (at: number, changes: Partial<PeerConf> = {}): PeerConf => ({
  publicKey: hubKeys[at]?.publicKey ?? '',
  endpoint: `192.0.2.1:${51_820 + at}`,
  allowedIps: [`10.77.0.${101 + at}/32`],
  ...changes,
});
const conf = (...peers: PeerConf[]): TunnelConf => ({ privateKey: own.privateKey, peers });

/** Sends so many echoes 20 ms apart; how many were not answered. */
async function lost(netns: string, to: string, count: number): Promise<number> {
  const ping = spawn('ip', [
    'netns',
    'exec',
    netns,
    'ping',
    '-q',
    '-i',
    '0.02',
    '-c',
    String(count),
    '-W',
    '1',
    to,
  ]);
  let said = '';
  ping.stdout.on('data', (text: Buffer) => (said += text.toString()));
  await new Promise((resolve) => ping.once('close', resolve));
  return count - Number(/(\d+) received/.exec(said)?.[1] ?? 0);
}
const answers = (netns: string, to: string) => async (): Promise<boolean> => (await lost(netns, to, 1)) === 0;

async function handshake(at: number): Promise<number> {
  return must(await readHandshakes(tunnel, children)).get(hubKeys[at]?.publicKey ?? '') ?? 0;
}

/** The processes of wireguard-go for an interface. */
function programs(name: string): number[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `wireguard-go\0${name}\0`;
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function raise(name: string): Promise<void> {
  for (const address of ['10.77.0.2/32', 'fd77::2/128'])
    inside(terminal, 'ip', 'address', 'replace', address, 'dev', name);
  inside(terminal, 'ip', 'link', 'set', name, 'up');
  for (const at of [1, 2]) inside(terminal, 'ip', 'route', 'replace', `10.77.0.10${at}`, 'dev', name);
}

describe.skipIf(reason !== undefined)('The tunnels', () => {
  beforeAll(async () => {
    sweep();
    for (const netns of [terminal, agent, hubs]) addNamespace(netns);
    connect(
      { netns: terminal, device: 'up0', address: '192.0.2.2/24' },
      { netns: hubs, device: 'up1', address: '192.0.2.1/24' },
    );
    own = await pair();
    for (const [at, name] of hubNames.entries()) {
      hubKeys.push(await pair());
      links.push(must(await ensureLink({ ...wish, name, children: atHubs })));
      const terminalPeer = { publicKey: own.publicKey, allowedIps: ['10.77.0.2/32', 'fd77::2/128'] };
      const { privateKey = '' } = hubKeys[at] ?? {};
      must(await syncTunnel(name, { privateKey, listenPort: 51_820 + at, peers: [terminalPeer] }, atHubs));
      inside(hubs, 'ip', 'address', 'add', `10.77.0.10${at + 1}/32`, 'dev', name);
      inside(hubs, 'ip', 'link', 'set', name, 'up');
      // Answers to a hub's address leave by that hub, whichever the terminal has sent by.
      const table = String(100 + at);
      inside(hubs, 'ip', 'route', 'add', '10.77.0.2', 'dev', name, 'table', table);
      inside(hubs, 'ip', 'rule', 'add', 'from', `10.77.0.10${at + 1}`, 'table', table);
    }
    // Behind both hubs, as the centre is.
    inside(hubs, 'ip', 'address', 'add', '10.9.0.1/32', 'dev', 'lo');
    inside(hubs, 'ip', 'route', 'add', '10.77.0.2', 'dev', hubNames[0]);
    inside(hubs, 'sysctl', '-q', '-w', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0');
  });

  afterEach(async () => {
    for (const name of [tunnel, second]) {
      if (!existsSync(`/var/run/wireguard/${name}.sock`)) continue;
      await must(await ensureLinkIn(agent, { ...wish, name, children })).remove();
    }
  });

  afterAll(async () => {
    for (const link of links) await link.remove();
    for (const netns of [terminal, agent, hubs]) removeNamespace(netns);
  });

  test('A link has its mark, passes packets, and takes its program with it when it is removed', async () => {
    const link = must(await ensureLink({ ...wish, name: tunnel, mark, children }));
    expect(link).toMatchObject({ by: 'userspace', adopted: false });
    expect(inside(terminal, 'wg', 'show', tunnel, 'fwmark').trim()).toBe('0x6370');
    expect(must(await syncTunnel(tunnel, conf(peer(0)), children))).toBe(true);
    await raise(tunnel);
    await eventually(answers(terminal, '10.77.0.101'));
    expect(inside(terminal, 'wg', 'show', tunnel, 'fwmark').trim()).toBe('0x6370');
    expect(
      must(await readTransfer(tunnel, children)).get(hubKeys[0]?.publicKey ?? '')?.rxBytes,
    ).toBeGreaterThan(100);
    const { ended } = link;
    expect(programs(tunnel)).toHaveLength(1);
    await link.remove();
    expect(await ended).toEqual({ ok: true, value: undefined });
    expect(programs(tunnel)).toEqual([]);
    expect(inside(terminal, 'ip', '-brief', 'link')).not.toContain(tunnel);
  });

  test('It survives the SIGKILL of whoever made it, with its session, and is taken over as it is', async () => {
    const maker = startMaker();
    await maker.said('made');
    must(await syncTunnel(tunnel, conf(peer(0)), children));
    await raise(tunnel);
    await eventually(answers(terminal, '10.77.0.101'));
    const [before, [program]] = [await handshake(0), programs(tunnel)];
    const probing = lost(terminal, '10.77.0.101', 50);
    maker.child.kill('SIGKILL');
    await new Promise((resolve) => maker.child.once('close', resolve));
    const link = must(await ensureLink({ ...wish, name: tunnel, mark, children }));
    expect(link).toMatchObject({ by: 'userspace', adopted: true });
    expect(await probing).toBe(0);
    expect(programs(tunnel)).toEqual([program]);
    expect(await handshake(0)).toBe(before);
    // Nor has it anything to do with our terminal or our group any more.
    expect(readFileSync(`/proc/${program}/stat`, 'utf8').split(' ')[5]).not.toBe(String(process.pid));
  });

  test('When its program is killed that is a fault at once, and the next call makes it anew', async () => {
    const link = must(await ensureLink({ ...wish, name: tunnel, mark, children }));
    const { ended } = link;
    for (const pid of programs(tunnel)) process.kill(pid, 'SIGKILL');
    expect(await ended).toMatchObject({ ok: false, fault: { code: 'TUNNEL_FAILED' } });
    const again = await eventually(async () => {
      const made = await ensureLink({ ...wish, name: tunnel, mark, children });
      return made.ok ? made.value : undefined;
    });
    expect(again.adopted).toBe(false);
  });

  test('Telling it the same again changes nothing, and a change of one hub loses nothing of the other and keeps its session', async () => {
    must(await ensureLink({ ...wish, name: tunnel, mark, children }));
    const both = conf(peer(0, { keepaliveSeconds: 25 }), peer(1));
    expect(must(await syncTunnel(tunnel, both, children))).toBe(true);
    expect(must(await syncTunnel(tunnel, both, children))).toBe(false);
    await raise(tunnel);
    for (const at of [1, 2]) await eventually(answers(terminal, `10.77.0.10${at}`));
    const [first, port] = [await handshake(0), inside(terminal, 'wg', 'show', tunnel, 'listen-port')];
    const probing = lost(terminal, '10.77.0.101', 150);
    const { privateKey } = await pair();
    const changes = [
      { presharedKey: privateKey },
      { endpoint: '192.0.2.1:9' },
      { allowedIps: [] },
      {},
    ] as const;
    for (let round = 0; round < 3; round++)
      for (const change of changes) {
        expect(
          must(await syncTunnel(tunnel, conf(peer(0, { keepaliveSeconds: 25 }), peer(1, change)), children)),
        ).toBe(true);
        // Traffic passes between one change and the next.
        expect(await lost(terminal, '10.77.0.101', 5)).toBe(0);
      }
    // With the hub itself taken away and given back.
    must(await syncTunnel(tunnel, conf(peer(0, { keepaliveSeconds: 25 })), children));
    must(await syncTunnel(tunnel, both, children));
    expect(await probing).toBe(0);
    expect(await handshake(0)).toBe(first);
    expect(inside(terminal, 'wg', 'show', tunnel, 'listen-port')).toBe(port);
    expect(inside(terminal, 'wg', 'show', tunnel, 'fwmark').trim()).toBe('0x6370');
    must(await syncTunnel(tunnel, conf(), children));
    expect(inside(terminal, 'wg', 'show', tunnel, 'peers').trim()).toBe('');
  });

  test('What wg refuses is a fault without the key', async () => {
    must(await ensureLink({ ...wish, name: tunnel, mark, children }));
    const done = await syncTunnel(tunnel, conf(peer(0, { allowedIps: ['nonsense'] })), children);
    expect(done).toMatchObject({ ok: false, fault: { code: 'TUNNEL_FAILED' } });
    expect(JSON.stringify(done)).not.toContain(own.privateKey);
  });

  test('In the namespace of the agent both tunnels are set up at once, a second time changes nothing, and a switch of hubs loses nothing', async () => {
    for (const name of [tunnel, second]) {
      const link = must(await ensureLinkIn(agent, { ...wish, name, mark, children }));
      expect(link.adopted).toBe(false);
      // Once more, as after a restart: it is in the other namespace by now, and is found there.
      expect(must(await ensureLinkIn(agent, { ...wish, name, mark, children })).adopted).toBe(true);
    }
    expect(inside(terminal, 'ip', '-brief', 'link')).not.toMatch(new RegExp(`${tunnel}|${second}`));
    const order = (carrying: string): InnerOrder => ({
      tunnels: [tunnel, second].map((name, at) => ({
        interface: name,
        mtu: 1420,
        privateKey: own.privateKey,
        peer: peer(at, { allowedIps: [`10.77.0.10${at + 1}/32`, '10.9.0.0/16', 'fd09::/16'] }),
      })),
      addresses: ['10.77.0.2/32', 'fd77::2/128'],
      routes: [
        { destination: '10.77.0.101/32', interface: tunnel },
        { destination: '10.77.0.102/32', interface: second },
        { destination: '10.9.0.0/16', interface: carrying },
        { destination: 'fd09::/16', interface: carrying },
      ],
    });
    expect(must(await applyInner(order(tunnel), inAgent))).toContain(`${tunnel}: key and hub`);
    expect(must(await applyInner(order(tunnel), inAgent))).toEqual([]);
    for (const to of ['10.77.0.101', '10.77.0.102', '10.9.0.1']) await eventually(answers(agent, to));
    const probing = lost(agent, '10.9.0.1', 100);
    const changed: string[][] = [];
    for (let round = 0; round < 4; round++) {
      expect(await lost(agent, '10.9.0.1', 8)).toBe(0);
      changed.push(must(await applyInner(order(round % 2 === 0 ? second : tunnel), inAgent)));
    }
    expect(await probing).toBe(0);
    expect(changed[0]).toEqual([
      `-4 route replace 10.9.0.0/16 dev ${second}`,
      `-6 route replace fd09::/16 dev ${second} metric 1024`,
    ]);
    expect(must(await applyInner(order(tunnel), inAgent))).toEqual([]);
    // A smaller size takes IPv6 away, and a larger one brings it back.
    const small = (mtu: number): InnerOrder => ({
      ...order(tunnel),
      tunnels: order(tunnel).tunnels.map((one) => ({ ...one, mtu })),
    });
    must(await applyInner(small(1200), inAgent));
    expect(must(await applyInner(small(1200), inAgent))).toEqual([]);
    must(await applyInner(small(1280), inAgent));
    expect(must(await applyInner(small(1280), inAgent))).toEqual([]);
    expect(inside(agent, 'ip', '-6', 'route', 'show', 'fd09::/16')).toContain(tunnel);
    // What somebody did from inside is undone.
    inside(agent, 'ip', 'address', 'add', '10.77.0.66/32', 'dev', second);
    inside(agent, 'ip', 'route', 'add', 'default', 'dev', tunnel);
    inside(agent, 'ip', 'route', 'flush', '10.9.0.0/16');
    inside(agent, 'ip', 'link', 'set', second, 'down');
    must(await applyInner(small(1280), inAgent));
    expect(must(await applyInner(small(1280), inAgent))).toEqual([]);
    expect(inside(agent, 'ip', 'route')).not.toContain('default');
    await eventually(answers(agent, '10.9.0.1'));
  });
});

/** A process that makes the tunnel of the terminal and then waits, so that it can be killed. */
function startMaker(): { child: ChildProcess; said: (what: string) => Promise<unknown> } {
  const [child, clock, link] = ['runtime/child.ts', 'runtime/clock.ts', 'uplink/tunnel/link.ts'].map((file) =>
    JSON.stringify(join(import.meta.dirname, '../..', file)),
  );
  const script = `
    import { systemChildren as children } from ${child};
    import { systemClock as clock } from ${clock};
    import { ensureLink } from ${link};
    const { signal } = new AbortController();
    const made = await ensureLink({ name: '${tunnel}', mode: 'userspace', mark: ${mark}, children, clock, signal });
    console.log(made.ok ? 'made' : made.fault.detail);
    setInterval(() => {}, 1000);`;
  const args = ['netns', 'exec', terminal, process.execPath, '--input-type=module', '--eval', script];
  const maker = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: maker.stdout }).on('line', (line) => lines.push(line));
  return { child: maker, said: (what) => eventually(() => lines.includes(what), { what }) };
}

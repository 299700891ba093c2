import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '#test/rigs/eventually.ts';
import { ManagedProcess } from '#test/rigs/process.ts';
import { requires } from '#test/rigs/requirements.ts';
import type { TerminalConfig } from './test-terminal.ts';

// A terminal T with a tunnel to each of two hubs and one probe tunnel, and the hubs as real processes. All names carry
// the process id: interface names of wireguard-go must be unique on the whole machine.
const id = String(process.pid % 100_000);
const reason = requires({
  test: 'changes of keys between a terminal and two hubs',
  root: true,
  tools: ['ip', 'wg', 'wireguard-go', 'ping', 'setpriv'],
});
const hubs = ['one', 'two'] as const;
type HubName = (typeof hubs)[number];
const T = `crT${id}`;
const ns: Readonly<Record<HubName, string>> = { one: `crA${id}`, two: `crB${id}` };
const tunnel: Readonly<Record<HubName, string>> = { one: `cra${id}`, two: `crb${id}` };
const hubDevice: Readonly<Record<HubName, string>> = { one: `crha${id}`, two: `crhb${id}` };
const probe = `crp${id}`;
const last: Readonly<Record<HubName, number>> = { one: 1, two: 2 };

const folder = mkdtempSync(join(tmpdir(), 'checkpost-rotation-'));
const main = resolve(import.meta.dirname, '../../bin/main.ts');
const driver = join(import.meta.dirname, 'test-terminal.ts');
const configFile = join(folder, 'terminal.json');
const logFile = join(folder, 'all.log');
const processes: ManagedProcess[] = [];
const hub: Partial<Record<HubName, ManagedProcess>> = {};

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const inside = (netns: string, ...args: string[]): string => run('ip', 'netns', 'exec', netns, ...args);
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

function start(name: string, netns: string, args: readonly string[], waitForReady = false): ManagedProcess {
  const one = new ManagedProcess({
    name,
    command: 'ip',
    args: ['netns', 'exec', netns, ...args],
    logFile,
    waitForReady,
  });
  processes.push(one);
  return one;
}

async function startHub(name: HubName): Promise<void> {
  const config = join(folder, name, 'hub.json');
  hub[name] = start(`hub ${name}`, ns[name], [process.execPath, main, 'hub', '--config', config], true);
  await hub[name].start();
}

function writeTerminals(name: HubName, text: string): void {
  writeFileSync(join(folder, name, 'terminals.json'), text, { mode: 0o600 });
}

/** A command line at the hub, while its service runs. */
function atHub(name: HubName, ...args: string[]): string {
  const config = join(folder, name, 'hub.json');
  return inside(ns[name], process.execPath, main, 'hub', ...args, '--config', config, '--json');
}

/** The code of the fault that it ended with. */
function faultAtHub(name: HubName, ...args: string[]): string {
  try {
    return atHub(name, ...args);
  } catch (thrown) {
    const { stdout } = thrown as { stdout: string };
    const line = stdout.split('\n').find((one) => one.includes('"error"')) ?? '{}';
    return (JSON.parse(line) as { error?: { code: string } }).error?.code ?? stdout;
  }
}

const log = (): string => readFileSync(logFile, 'utf8');

interface Done {
  readonly outcome: unknown;
  readonly steps: readonly string[];
  readonly hours: number;
}

/** Runs the terminal's side; undefined where it was killed on the way. */
function terminal(slot: string, verb: 'rotate' | 'keys' | 'path', more = ''): Promise<Done | undefined> {
  return new Promise((settle) => {
    const args = ['netns', 'exec', T, process.execPath, driver, configFile, slot, verb, more];
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const take = (piece: string): void => {
      text += piece;
      writeFileSync(logFile, piece, { flag: 'a' });
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.once('close', () => {
      const line = text.split('\n').find((one) => one.includes('"event":"done"'));
      settle(line === undefined ? undefined : (JSON.parse(line) as Done));
    });
  });
}

/** Pings a hub through its tunnel every 20 ms while `work` runs; the answer is how many were lost. */
async function lostWhile(name: HubName, work: () => Promise<unknown>): Promise<number> {
  const args = `netns exec ${T} ping -n -i 0.02 -W 1 -I 10.77.0.2 10.77.255.${last[name]}`.split(' ');
  const ping = spawn('ip', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  const over = new Promise((settle) => ping.once('close', settle));
  ping.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await eventually(() => text.includes('icmp_seq=5 '), { what: `pings through the tunnel to ${name}` });
  await work();
  const before = text.length;
  await eventually(() => text.length > before + 500, { what: 'pings after it' });
  ping.kill('SIGINT');
  await over;
  const seen = new Set([...text.matchAll(/icmp_seq=(\d+) ttl/g)].map((match) => Number(match[1])));
  const newest = Math.max(...seen);
  return newest - seen.size;
}

function pings(address: string): boolean {
  try {
    inside(T, 'ping', '-n', '-c', '1', '-W', '1', address);
    return true;
  } catch {
    return false;
  }
}

/** Public key of the terminal in the tunnel, as its own interface says. */
const publicKey = (device: string): string => inside(T, 'wg', 'show', device, 'public-key').trim();

/** Peers of a hub's interface that may speak from this address. */
function holders(name: HubName, address: string): string[] {
  return inside(ns[name], 'wg', 'show', hubDevice[name], 'allowed-ips')
    .split('\n')
    .filter((line) => line.includes(`\t${address}/32`))
    .map((line) => line.split('\t')[0] ?? '');
}

function presharedHash(netns: string, device: string, key: string): string {
  const line = inside(netns, 'wg', 'show', device, 'preshared-keys')
    .split('\n')
    .find((one) => one.startsWith(key));
  const psk = line?.split('\t')[1] ?? '(none)';
  return psk === '(none)' ? 'none' : hash(psk);
}

/** One key on both sides, nothing left over anywhere, and the same preshared key in force. */
function expectOneKey(name: HubName, device: string, address: string, slot: string): void {
  const mine = publicKey(device);
  expect(holders(name, address)).toEqual([mine]);
  const hubKey = config().hubs.find((one) => one.name === name)?.publicKey ?? '';
  const there = presharedHash(ns[name], hubDevice[name], mine);
  expect(there).not.toBe('none');
  expect(presharedHash(T, device, hubKey)).toBe(there);
  const left = readdirSync(join(folder, 'state/keys', slot)).filter((file) => file.endsWith('.key'));
  expect(left).toHaveLength(1);
  // The tunnel and the probe: no candidate is left over.
  expect(inside(ns[name], 'wg', 'show', hubDevice[name], 'peers').trim().split('\n')).toHaveLength(2);
}

const config = (): TerminalConfig => JSON.parse(readFileSync(configFile, 'utf8')) as TerminalConfig;

beforeAll(async () => {
  if (reason !== undefined) return;
  for (const netns of [T, ...Object.values(ns)]) {
    run('ip', 'netns', 'add', netns);
    inside(netns, 'ip', 'link', 'set', 'lo', 'up');
  }
  for (const name of hubs) {
    const [near, far] = [`crx${last[name]}${id}`, `cry${last[name]}${id}`];
    run('ip', 'link', 'add', near, 'netns', T, 'type', 'veth', 'peer', 'name', far, 'netns', ns[name]);
    inside(T, 'ip', 'address', 'add', `192.0.2.${last[name] * 16 + 2}/28`, 'dev', near);
    inside(ns[name], 'ip', 'address', 'add', `192.0.2.${last[name] * 16 + 1}/28`, 'dev', far);
    inside(T, 'ip', 'link', 'set', near, 'up');
    inside(ns[name], 'ip', 'link', 'set', far, 'up');
  }
  writeFileSync(join(folder, 'tunnel.key'), run('wg', 'genkey'), { mode: 0o600 });
  mkdirSync(join(folder, 'psk'), { mode: 0o700 });
  for (const name of hubs) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, `psk/${name}.psk`), run('wg', 'genpsk'), { mode: 0o600 });
    writeTerminals(name, '[]');
    writeFileSync(
      join(folder, name, 'hub.json'),
      JSON.stringify({
        name,
        interface: hubDevice[name],
        privateKey: 'hub.key',
        address: `10.77.255.${last[name]}`,
        probeAddress: `10.78.255.${last[name]}`,
        terminals: 'terminals.json',
        state: 'state',
        log: { level: 'trace' },
      }),
    );
  }
  const terminalConfig = {
    state: join(folder, 'state'),
    privateKey: join(folder, 'tunnel.key'),
    presharedKeys: join(folder, 'psk'),
    uplinks: [{ name: 'dsl' }],
    hubs: hubs.map((name) => ({
      name,
      publicKey: run(
        process.execPath,
        main,
        'hub',
        '--config',
        join(folder, name, 'hub.json'),
        '--public-key',
      ).trim(),
      address: `10.77.255.${last[name]}`,
      probeAddress: `10.78.255.${last[name]}`,
      servicePort: 51_821,
    })),
    probe: { interface: probe, address: '10.78.0.2' },
    tunnels: tunnel,
  };
  writeFileSync(configFile, JSON.stringify(terminalConfig));
  for (const name of hubs) await startHub(name);
  for (const device of [probe, ...Object.values(tunnel)]) {
    await start(device, T, ['wireguard-go', '-f', device]).start();
    await eventually(() => run('wg', 'show', device, 'peers') === '', { what: `${device} answering` });
  }
  // Makes the key of the probe, so that both can be registered: the hubs do not answer yet.
  await terminal('probe-dsl', 'keys');
  const tunnelKey = execFileSync('wg', ['pubkey'], {
    input: readFileSync(join(folder, 'tunnel.key')),
    encoding: 'utf8',
  }).trim();
  for (const name of hubs) {
    const presharedKey = readFileSync(join(folder, `psk/${name}.psk`), 'utf8').trim();
    const probes = [{ uplink: 'dsl', address: '10.78.0.2', publicKey: publicKey(probe), presharedKey }];
    writeTerminals(
      name,
      JSON.stringify([
        { terminal: 'UTO-0001-1', address: '10.77.0.2', publicKey: tunnelKey, presharedKey, probes },
      ]),
    );
    process.kill(hub[name]?.pid ?? 0, 'SIGHUP');
    await eventually(() => holders(name, '10.77.0.2').length === 1, { what: 'the list being read again' });
    const { publicKey: hubKey } = terminalConfig.hubs.find((one) => one.name === name) ?? { publicKey: '' };
    const psk = join(folder, `psk/${name}.psk`);
    const endpoint = `192.0.2.${last[name] * 16 + 1}:51820`;
    const peer = (address: string): string[] =>
      `peer ${hubKey} preshared-key ${psk} endpoint ${endpoint} allowed-ips ${address}/32 persistent-keepalive 25`.split(
        ' ',
      );
    const keyFile = join(folder, 'tunnel.key');
    inside(T, 'wg', 'set', tunnel[name], 'private-key', keyFile, ...peer(`10.77.255.${last[name]}`));
    inside(T, 'wg', 'set', probe, ...peer(`10.78.255.${last[name]}`));
  }
  inside(T, 'ip', 'address', 'add', '10.78.0.2/32', 'dev', probe);
  inside(T, 'ip', 'link', 'set', probe, 'up', 'mtu', '1420');
  for (const name of hubs) {
    inside(T, 'ip', 'address', 'add', '10.77.0.2/32', 'dev', tunnel[name]);
    inside(T, 'ip', 'link', 'set', tunnel[name], 'up', 'mtu', '1420');
    inside(T, 'ip', 'route', 'add', `10.77.255.${last[name]}/32`, 'dev', tunnel[name]);
    inside(T, 'ip', 'route', 'add', `10.78.255.${last[name]}/32`, 'dev', probe);
    await eventually(() => pings(`10.77.255.${last[name]}`), { what: 'a ping through the tunnel' });
    await eventually(() => pings(`10.78.255.${last[name]}`), { what: 'a ping through the probe tunnel' });
  }
});

afterAll(async () => {
  for (const name of hubs) await hub[name]?.stop();
  for (const one of processes) await one.stop();
  for (const netns of reason === undefined ? [T, ...Object.values(ns)] : []) {
    // What a killed hub left behind: only processes inside these namespaces, which are all of this test.
    for (const pid of run('ip', 'netns', 'pids', netns).split('\n').filter(Boolean))
      process.kill(Number(pid), 'SIGKILL');
    run('ip', 'netns', 'delete', netns);
  }
  rmSync(folder, { recursive: true });
});

describe.skipIf(reason !== undefined)('A change of keys', () => {
  test('The key of a tunnel is changed within a second of silence, and the tunnel to the other hub loses nothing', async () => {
    const before = publicKey(tunnel.one);
    let here = -1;
    let done: Done | undefined;
    const other = await lostWhile('two', async () => {
      here = await lostWhile('one', async () => {
        done = await terminal('tunnel@one', 'rotate');
      });
    });
    expect(done).toMatchObject({ outcome: { kind: 'final' } });
    expect(done?.steps).toEqual(['made', 'offered', 'switched', 'accepted', 'final']);
    // Every answer of a hub brings its time.
    expect(done?.hours).toBeGreaterThan(2);
    expect(publicKey(tunnel.one)).not.toBe(before);
    expect(publicKey(tunnel.two)).toBe(before);
    expectOneKey('one', tunnel.one, '10.77.0.2', 'tunnel@one');
    expect(other).toBe(0);
    // 20 ms apart.
    expect(here).toBeLessThanOrEqual(50);
    process.stderr.write(`lost in the tunnel whose key was changed: ${here} of 20 ms\n`);
  });

  test.each(['made', 'offered', 'switched', 'accepted', 'final'])(
    'Killed after "%s", the next process ends with one key on both sides',
    async (step) => {
      const before = publicKey(tunnel.one);
      expect(await terminal('tunnel@one', 'rotate', step)).toBeUndefined();
      const done = await terminal('tunnel@one', 'rotate');
      expect(done).toMatchObject({ outcome: { kind: 'final' } });
      expect(publicKey(tunnel.one)).not.toBe(before);
      expectOneKey('one', tunnel.one, '10.77.0.2', 'tunnel@one');
      expect(pings('10.77.255.1')).toBe(true);
    },
  );

  test('The key of a probe tunnel is changed with both hubs, although they are asked through it', async () => {
    const before = publicKey(probe);
    const done = await terminal('probe-dsl', 'rotate');
    expect(done).toMatchObject({ outcome: { kind: 'final' } });
    expect(publicKey(probe)).not.toBe(before);
    for (const name of hubs) expectOneKey(name, probe, '10.78.0.2', 'probe-dsl');
    for (const name of hubs) expect(pings(`10.78.255.${last[name]}`)).toBe(true);
  });

  test('While one hub is down, the key of a probe that both share stays as it is, and is changed when the hub is back', async () => {
    const before = publicKey(probe);
    await hub.two?.stop('SIGKILL');
    const rotating = terminal('probe-dsl', 'rotate');
    await eventually(() =>
      readFileSync(join(folder, 'one/state/terminals/UTO-0001-1.json'), 'utf8').includes('offeredAt'),
    );
    expect(publicKey(probe)).toBe(before);
    expect(holders('one', '10.78.0.2')).toEqual([before]);
    await startHub('two');
    expect(await rotating).toMatchObject({ outcome: { kind: 'final' } });
    expect(publicKey(probe)).not.toBe(before);
    for (const name of hubs) expectOneKey(name, probe, '10.78.0.2', 'probe-dsl');
  });

  test('A hub that is killed between offer and handshake and started again finishes the change', async () => {
    const before = publicKey(tunnel.two);
    expect(await terminal('tunnel@two', 'rotate', 'offered')).toBeUndefined();
    await hub.two?.stop('SIGKILL');
    await startHub('two');
    const done = await terminal('tunnel@two', 'rotate');
    expect(done).toMatchObject({ outcome: { kind: 'final' } });
    expect(publicKey(tunnel.two)).not.toBe(before);
    expectOneKey('two', tunnel.two, '10.77.0.2', 'tunnel@two');
  });

  test('A hub that is down while the terminal switches finishes the change when it is back', async () => {
    expect(await terminal('tunnel@two', 'rotate', 'offered')).toBeUndefined();
    await hub.two?.stop('SIGKILL');
    const rotating = terminal('tunnel@two', 'rotate', 'switched');
    await startHub('two');
    await rotating;
    expect(await terminal('tunnel@two', 'rotate')).toMatchObject({ outcome: { kind: 'final' } });
    expectOneKey('two', tunnel.two, '10.77.0.2', 'tunnel@two');
  });
});

describe.skipIf(reason !== undefined)('A hub', () => {
  test('Killed and started again, it takes its interface over: at most a few pings are lost', async () => {
    const lost = await lostWhile('one', async () => {
      await hub.one?.stop('SIGKILL');
      await startHub('one');
    });
    process.stderr.write(`lost while the hub was killed and started again: ${lost} of 20 ms\n`);
    expect(lost).toBeLessThanOrEqual(10);
  });

  test('Told of the largest packet, its kernel sends none larger to the terminal, and forgets it when told again', async () => {
    const large = (): string => {
      const args = 'ping -n -c 1 -W 1 -M do -s 1300 -I 10.77.255.1 10.77.0.2'.split(' ');
      try {
        return inside(ns.one, ...args);
      } catch (thrown) {
        const { stdout, stderr } = thrown as { stdout: string; stderr: string };
        return stdout + stderr;
      }
    };
    expect(large()).toContain(' 0% packet loss');
    expect(await terminal('tunnel@one', 'path', '1280')).toMatchObject({ outcome: [{ ok: true }] });
    expect(large()).toMatch(/message too long|mtu ?= ?1280/i);
    // Also after a restart of the hub.
    await hub.one?.stop('SIGKILL');
    await startHub('one');
    expect(inside(ns.one, 'ip', 'route', 'show', '10.77.0.2')).toContain('mtu lock 1280');
    expect(await terminal('tunnel@one', 'path', '1420')).toMatchObject({ outcome: [{ ok: true }] });
    expect(large()).toContain(' 0% packet loss');
  });

  test('A list with a key or an address that stands twice is refused, both terminals are named, and nothing changes', async () => {
    const before = readFileSync(join(folder, 'one/terminals.json'), 'utf8');
    const peers = (): string[] =>
      inside(ns.one, 'wg', 'show', hubDevice.one, 'allowed-ips').split('\n').sort();
    const held = peers();
    const [mine] = JSON.parse(before) as [object];
    writeTerminals('one', JSON.stringify([mine, { ...mine, terminal: 'UTO-0002-1', probes: [] }]));
    process.kill(hub.one?.pid ?? 0, 'SIGHUP');
    await eventually(() => log().includes('UTO-0001-1 (tunnel) and UTO-0002-1 (tunnel) have the address'));
    expect(faultAtHub('one', '--check-config')).toBe('SETTINGS_INVALID');
    expect(peers()).toEqual(held);
    expect(pings('10.77.255.1')).toBe(true);
    writeTerminals('one', before);
    expect(JSON.parse(atHub('one', '--check-config'))).toEqual({ ok: true, terminals: 1 });
  });

  test('A terminal that is taken out of the list is cut at once, and is back with its changed key when it stands there again', async () => {
    const before = readFileSync(join(folder, 'one/terminals.json'), 'utf8');
    writeTerminals('one', '[]');
    process.kill(hub.one?.pid ?? 0, 'SIGHUP');
    await eventually(() => inside(ns.one, 'wg', 'show', hubDevice.one, 'peers') === '');
    expect(pings('10.77.255.1')).toBe(false);
    expect(pings('10.77.255.2')).toBe(true);
    writeTerminals('one', before);
    process.kill(hub.one?.pid ?? 0, 'SIGHUP');
    await eventually(() => pings('10.77.255.1'), { what: 'the terminal coming back', timeoutMs: 40_000 });
  });

  test('Told to forget a terminal, it shakes hands with it again, and lists it', async () => {
    type Listed = { terminals: { terminal: string; handshakeAge: number | null }[] };
    const age = (): number | null | undefined =>
      (JSON.parse(atHub('two', 'terminals')) as Listed).terminals[0]?.handshakeAge;
    expect(age()).toBeTypeOf('number');
    expect(JSON.parse(atHub('two', 'reset', 'UTO-0001-1'))).toEqual({ terminal: 'UTO-0001-1', peers: 2 });
    const handshakes = inside(ns.two, 'wg', 'show', hubDevice.two, 'latest-handshakes').trim().split('\n');
    expect(handshakes.some((line) => line.endsWith('\t0'))).toBe(true);
    await eventually(() => pings('10.77.255.2'), { what: 'the terminal coming back', timeoutMs: 40_000 });
    expect(age()).toBeLessThan(60);
    expect(faultAtHub('two', 'reset', 'UTO-0009-9')).toBe('TERMINAL_UNKNOWN');
  });

  test('A second one beside it says that the port is taken, and does not disturb the first', async () => {
    expect(faultAtHub('two')).toBe('PORT_IN_USE');
    expect(pings('10.77.255.2')).toBe(true);
  });

  test('No key that is secret stands in any log line', () => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const secrets = files
      .filter((file) => /\.(key|psk)$|terminals.*\.json$/.test(file))
      .flatMap((file) => {
        const text = readFileSync(join(folder, file), 'utf8');
        const preshared = [...text.matchAll(/"presharedKey":"([^"]+)"/g)].map((match) => match[1] ?? '');
        return file.endsWith('.json') ? preshared : [text.trim()];
      });
    expect(secrets.length).toBeGreaterThan(8);
    expect(log()).toContain('A terminal offers a new key');
    expect(secrets.filter((secret) => log().includes(secret))).toEqual([]);
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '#test/rigs/eventually.ts';
import { ManagedProcess } from '#test/rigs/process.ts';
import { requires } from '#test/rigs/requirements.ts';

// A terminal T and a hub H as network namespaces with a veth pair between them, and a namespace A for the agent.
// All names carry the process id: interface names of wireguard-go must be unique on the whole machine.
const id = String(process.pid % 100_000);
const [T, H, A] = [`cpT${id}`, `cpH${id}`, `cpA${id}`] as const;
const [tunnel, hubTunnel] = [`cpt${id}`, `cph${id}`] as const;
const reason = requires({
  test: 'the tunnel to a hub',
  root: true,
  tools: ['ip', 'wg', 'wireguard-go', 'ping', 'setpriv', 'strace'],
});

const folder = mkdtempSync(join(tmpdir(), 'checkpost-uplink-'));
const config = join(folder, 'uplink.json');
const keyFile = join(folder, 'keys/tunnel.key');
const logFile = join(folder, 'uplink.log');
const command = resolve(import.meta.dirname, '../bin/main.ts');
const hubKey = join(folder, 'hub.key');
const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8' });
const inside = (netns: string, ...args: string[]): string => run('ip', 'netns', 'exec', netns, ...args);

let started: ManagedProcess[] = [];
let hub: ManagedProcess | undefined;

function uplink(netns: string, ...args: string[]): ManagedProcess {
  const one = new ManagedProcess({
    name: `uplink in ${netns}`,
    command: 'ip',
    args: ['netns', 'exec', netns, process.execPath, command, 'uplink', '--config', config, ...args],
    logFile,
    waitForReady: true,
  });
  started.push(one);
  return one;
}

function publicKey(): string {
  return run(process.execPath, command, 'uplink', '--config', config, '--public-key').trim();
}

function pings(netns: string): boolean {
  try {
    inside(netns, 'ping', '-c', '1', '-W', '1', '10.77.0.1');
    return true;
  } catch {
    return false;
  }
}

function log(): string {
  return existsSync(logFile) ? readFileSync(logFile, 'utf8') : '';
}

beforeAll(async () => {
  if (reason !== undefined) return;
  for (const netns of [T, H, A]) {
    run('ip', 'netns', 'add', netns);
    inside(netns, 'ip', 'link', 'set', 'lo', 'up');
  }
  run('ip', 'link', 'add', `u${id}`, 'netns', T, 'type', 'veth', 'peer', 'name', `h${id}`, 'netns', H);
  for (const [netns, device, address] of [
    [T, `u${id}`, '192.0.2.2/24'],
    [H, `h${id}`, '192.0.2.1/24'],
  ] as const) {
    inside(netns, 'ip', 'address', 'add', address, 'dev', device);
    inside(netns, 'ip', 'link', 'set', device, 'up');
  }
  writeFileSync(hubKey, run('wg', 'genkey'), { mode: 0o600 });
  const hubPublic = execFileSync('wg', ['pubkey'], { input: readFileSync(hubKey), encoding: 'utf8' }).trim();
  writeFileSync(
    config,
    JSON.stringify({
      interface: tunnel,
      namespace: A,
      privateKey: 'keys/tunnel.key',
      addresses: ['10.77.0.2/32'],
      hubs: [
        {
          name: 'hub-one',
          publicKey: hubPublic,
          endpoint: '192.0.2.1:51820',
          allowedIps: ['10.77.0.1/32'],
          keepaliveSeconds: 5,
        },
      ],
      watchMillis: 200,
      log: { level: 'trace' },
    }),
  );
  hub = new ManagedProcess({
    name: 'hub',
    command: 'ip',
    args: ['netns', 'exec', H, 'wireguard-go', '-f', hubTunnel],
    logFile: join(folder, 'hub.log'),
  });
  await hub.start();
  await eventually(() => run('wg', 'show', hubTunnel, 'peers') === '', { what: 'the hub answering' });
  const peer = ['peer', publicKey(), 'allowed-ips', '10.77.0.2/32'];
  inside(H, 'wg', 'set', hubTunnel, 'private-key', hubKey, 'listen-port', '51820', ...peer);
  inside(H, 'ip', 'address', 'add', '10.77.0.1/24', 'dev', hubTunnel);
  inside(H, 'ip', 'link', 'set', hubTunnel, 'mtu', '1280', 'up');
});

afterEach(async () => {
  for (const one of started) await one.stop();
  started = [];
});

afterAll(async () => {
  await hub?.stop();
  if (reason === undefined) for (const netns of [T, H, A]) run('ip', 'netns', 'delete', netns);
  rmSync(folder, { recursive: true });
});

function readProc(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', ' ');
  } catch {
    // The process has ended, or does not let itself be read.
    return '';
  }
}

describe.skipIf(reason !== undefined)('The tunnel', () => {
  test('The command brings a tunnel up that a ping passes, says so for the hub, and takes it down on SIGTERM', async () => {
    const one = uplink(T);
    await one.start();
    await eventually(() => pings(T), { what: 'a ping through the tunnel', timeoutMs: 20_000 });
    await eventually(() => log().includes('A hub answers'), { what: 'the log naming the hub' });
    expect(inside(T, 'ip', 'link', 'show', 'dev', tunnel)).toContain('mtu 1280');
    expect(inside(T, 'wg', 'show', tunnel, 'fwmark').trim()).toBe('0x6370');
    expect(await one.stop()).toBe(0);
    expect(inside(T, 'ip', '-brief', 'link')).not.toContain(tunnel);
    expect(pings(T)).toBe(false);
  });

  test('The private key has mode 0600 and stands in no argument of any process, no log line and no message', async () => {
    const one = uplink(T);
    await one.start();
    await eventually(() => pings(T), { what: 'a ping through the tunnel', timeoutMs: 20_000 });
    const key = readFileSync(keyFile, 'utf8').trim();
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    // It is the key in use: the search below is for the right thing.
    expect(inside(T, 'wg', 'show', tunnel, 'private-key').trim()).toBe(key);
    const lines = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => ['cmdline', 'environ'].map((file) => readProc(`/proc/${pid}/${file}`)));
    expect(lines.some((line) => line.includes(config))).toBe(true);
    expect(lines.filter((line) => line.includes(key))).toEqual([]);
    await one.stop();
    expect(log()).not.toBe('');
    expect(log()).not.toContain(key);
  });

  test('No argument of any program that was started ever held the private key, not even for a moment', async () => {
    const trace = join(folder, 'execs');
    const one = new ManagedProcess({
      name: 'uplink under strace',
      command: 'ip',
      args: [
        ...`netns exec ${T} strace -f -qq -s 100000 -e trace=execve -o ${trace}`.split(' '),
        ...`${process.execPath} ${command} uplink --config ${config}`.split(' '),
      ],
      logFile,
      waitForReady: true,
    });
    started.push(one);
    const { pid } = await one.start();
    // Its own process, since strace itself keeps signals back while it writes to a file.
    process.kill(Number(pid), 'SIGTERM');
    expect(await one.exited()).toBe(0);
    const execs = readFileSync(trace, 'utf8');
    expect(execs).toContain('"private-key"');
    expect(execs).not.toContain(readFileSync(keyFile, 'utf8').trim());
  });

  test('After a SIGKILL, the next start takes over what was left behind', async () => {
    const first = uplink(T);
    await first.start();
    await first.stop('SIGKILL');
    const left = inside(T, 'ip', '-brief', 'link').includes(tunnel);
    const second = uplink(T);
    await second.start();
    await eventually(() => pings(T), { what: 'a ping through the tunnel', timeoutMs: 20_000 });
    expect(left).toBe(true);
  });

  test('When the interface is taken away under it, the command ends with code 1 and names the tunnel', async () => {
    const one = uplink(T);
    await one.start();
    inside(T, 'ip', 'link', 'delete', 'dev', tunnel);
    expect(await one.exited()).toBe(1);
    expect(log()).toContain('TUNNEL_FAILED');
  });

  test('The two halves put the tunnel into the namespace of the agent, in which there is no other way out', async () => {
    const outer = uplink(T, '--part', 'outer');
    await outer.start();
    const inner = uplink(A, '--part', 'inner');
    await inner.start();
    await eventually(() => pings(A), { what: 'a ping through the tunnel', timeoutMs: 20_000 });
    const links = inside(A, 'ip', '-brief', 'link').trim().split('\n');
    expect(links.map((line) => line.split(/\s+/)[0])).toEqual(['lo', tunnel]);
    expect(inside(T, 'ip', '-brief', 'link')).not.toContain(tunnel);
    expect(await inner.stop()).toBe(0);
    // Without its key and hubs the interface passes nothing, although it is still there.
    expect(inside(A, 'wg', 'show', tunnel, 'peers').trim()).toBe('');
    expect(inside(A, 'wg', 'show', tunnel, 'private-key').trim()).toBe('(none)');
    expect(await outer.stop()).toBe(0);
    await eventually(() => !inside(A, 'ip', '-brief', 'link').includes(tunnel), {
      what: 'the interface going',
    });
  });

  test('Without the right to make an interface, it says which capability is missing', () => {
    const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
    const readable = join(tmpdir(), `checkpost-uplink-${id}.json`);
    writeFileSync(readable, readFileSync(config), { mode: 0o644 });
    try {
      run('setpriv', ...nobody, process.execPath, command, 'uplink', '--config', readable);
      expect.fail('it started without rights');
    } catch (thrown) {
      expect(thrown).toMatchObject({ status: 1, stderr: expect.stringContaining('CAP_NET_ADMIN') as string });
    } finally {
      rmSync(readable);
    }
  });
});

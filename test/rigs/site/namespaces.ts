import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * Network namespaces of a test, whose names say which process made them, so that whoever comes next can take away what
 * a test that was killed has left: nothing of it ever stays.
 */
const form = /^cp([A-Za-z0-9]{1,8})-(\d+)$/;
/** WireGuard interfaces of a site: those of the terminal, and those of its hubs; the number is that of the process. */
const interfaceForm = /^(?:u(\d{1,6})(?:\d|-p\d)|h(\d{1,6})(?:one|two))$/;
/** Where wireguard-go has its sockets: outside of all namespaces. */
const sockets = '/var/run/wireguard';

/** Name of a namespace of this process. */
export function namespaceOf(what: string): string {
  return `cp${what}-${process.pid}`;
}

export function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a program inside a namespace. */
export function inside(netns: string, ...args: string[]): string {
  return run('ip', 'netns', 'exec', netns, ...args);
}

export function addNamespace(netns: string): void {
  run('ip', 'netns', 'add', netns);
  inside(netns, 'ip', 'link', 'set', 'lo', 'up');
}

/** Ends every process inside, at once, then removes the namespace and with it every interface. */
export function removeNamespace(netns: string): void {
  for (let round = 0; round < 50; round++) {
    const pids = spawnSync('ip', ['netns', 'pids', netns], { encoding: 'utf8' }).stdout.split('\n');
    const living = pids.filter((pid) => pid !== '').map(Number);
    if (living.length === 0) break;
    for (const pid of living) kill(pid);
  }
  spawnSync('ip', ['netns', 'delete', netns]);
}

/**
 * Takes away what processes have left that have ended: their namespaces, what runs in them, and the programs of
 * WireGuard, which go on by themselves in whatever namespace; the names of all that was taken away.
 */
export function sweep(): string[] {
  const left = listNamespaces().filter((name) => isOrphan(form.exec(name)?.[2]));
  for (const netns of left) removeNamespace(netns);
  const living = new Set(processes().map((pid) => interfaceNumber(pid)));
  return [...left, ...removeTunnels((owner) => !living.has(owner))];
}

/** What stands for a process in the names of its interfaces, which have 15 letters at most. */
export function interfaceNumber(pid: number = process.pid): number {
  return pid % 1_000_000;
}

/** Ends the wireguard-go of every interface whose owner is meant, and takes away the socket that it leaves behind. */
export function removeTunnels(isMeant: (owner: number, name: string) => boolean): string[] {
  const isOurs = (name: string): boolean => {
    const match = interfaceForm.exec(name);
    return match !== null && isMeant(Number(match[1] ?? match[2]), name);
  };
  const running = wireguardPrograms().filter(({ name }) => isOurs(name));
  for (const { pid } of running) kill(pid);
  const stale = listSockets().filter((name) => isOurs(name));
  for (const name of stale) rmSync(join(sockets, `${name}.sock`), { force: true });
  return [...new Set([...running.map(({ name }) => name), ...stale])];
}

/** Names of the interfaces that wireguard-go has a socket for, or had one when it was killed. */
export function listSockets(): string[] {
  if (!existsSync(sockets)) return [];
  return readdirSync(sockets).map((file) => basename(file, '.sock'));
}

/** Every wireguard-go of this machine, with the interface that it does. */
export function wireguardPrograms(): { pid: number; name: string }[] {
  return processes().flatMap((pid) => {
    const [program = '', ...args] = commandOf(pid);
    const name = args.at(-1);
    return basename(program) === 'wireguard-go' && name !== undefined ? [{ pid, name }] : [];
  });
}

function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return []; // It has ended meanwhile.
  }
}

function isOrphan(owner: string | undefined): boolean {
  return owner !== undefined && !existsSync(`/proc/${owner}`);
}

export function listNamespaces(): string[] {
  return existsSync('/run/netns') ? readdirSync('/run/netns') : [];
}

/** A pair of interfaces between two namespaces, each up with its address. */
export function connect(
  one: { netns: string; device: string; address: string },
  two: { netns: string; device: string; address: string },
): void {
  const other = ['peer', 'name', two.device, 'netns', two.netns];
  run('ip', 'link', 'add', one.device, 'netns', one.netns, 'type', 'veth', ...other);
  for (const { netns, device, address } of [one, two]) {
    run('ip', '-n', netns, 'address', 'add', address, 'dev', device);
    run('ip', '-n', netns, 'link', 'set', device, 'up');
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

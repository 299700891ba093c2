import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { requires } from '../requirements.ts';
import { interfaceNumber, listNamespaces, listSockets, run, sweep, wireguardPrograms } from './namespaces.ts';
import { uplinkTools } from './site.ts';

const reason = requires({ test: 'taking down an abandoned site', root: true, tools: uplinkTools });

interface Made {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly namespaces: readonly string[];
  readonly folder: string;
}

describe.skipIf(reason !== undefined)('What is left of a site', () => {
  const made: Made[] = [];
  afterEach(async () => {
    for (const site of made.splice(0)) {
      await killed(site.child);
      rmSync(site.folder, { recursive: true, force: true });
    }
    sweep();
  });
  const make = async (): Promise<Made> => {
    const site = await build();
    made.push(site);
    return site;
  };

  test('When the process that made it is killed, the next sweep takes all of it away and nothing of a living one', async () => {
    const [dead, living] = [await make(), await make()];
    const inside = processesIn(dead.namespaces);
    // It really ran: both halves, two hubs, two tunnels and two probe tunnels, and the tunnels of the hubs.
    expect(inside.length).toBeGreaterThanOrEqual(8);
    expect(socketsOf(dead)).toHaveLength(6);
    const before = { sockets: socketsOf(living), programs: programsOf(living) };
    expect(before.sockets).toHaveLength(6);
    expect(before.programs).toHaveLength(6);

    await killed(dead.child);
    // Its programs of WireGuard go on by themselves.
    expect(programsOf(dead)).toHaveLength(6);
    const taken = sweep();
    expect(taken).toEqual(expect.arrayContaining([...dead.namespaces]));

    expect(listNamespaces().filter((name) => dead.namespaces.includes(name))).toEqual([]);
    expect(socketsOf(dead)).toEqual([]);
    await eventually(() => programsOf(dead).length === 0 && inside.every((pid) => !isAlive(pid)), {
      what: 'everything inside ending',
    });

    expect(taken.filter((name) => living.namespaces.includes(name))).toEqual([]);
    expect(listNamespaces()).toEqual(expect.arrayContaining([...living.namespaces]));
    expect({ sockets: socketsOf(living), programs: programsOf(living) }).toEqual(before);
    expect(sweep().filter((name) => name.includes(String(dead.pid)))).toEqual([]);
  });

  test('When the namespaces were taken away and the programs of WireGuard were not, they end with the next sweep', async () => {
    const site = await make();
    await killed(site.child);
    for (const name of site.namespaces) run('ip', 'netns', 'delete', name);
    // Those whose interface was in the namespace of the agent have ended with it.
    expect(programsOf(site).length).toBeGreaterThanOrEqual(4);
    sweep();
    expect(socketsOf(site)).toEqual([]);
    // They are told to end, and take a moment to.
    await eventually(() => programsOf(site).length === 0, { what: 'the programs of WireGuard ending' });
  });
});

async function build(): Promise<Made> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'abandoned.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', () => reject(new Error('the site was not built')));
  });
  const { namespaces, folder } = JSON.parse(line) as { namespaces: string[]; folder: string };
  return { pid: child.pid ?? 0, child, namespaces, folder };
}

/** Only itself: not what it has started. */
function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

function processesIn(namespaces: readonly string[]): number[] {
  return namespaces.flatMap((name) =>
    run('ip', 'netns', 'pids', name)
      .split('\n')
      .filter((pid) => pid !== '')
      .map(Number),
  );
}

/** Names of the interfaces of a site, by which its sockets and programs are known. */
function isOf({ pid }: Made, name: string): boolean {
  return new RegExp(`^[uh]${interfaceNumber(pid)}(?:\\d|-p\\d|one|two)$`).test(name);
}

function socketsOf(site: Made): string[] {
  return listSockets()
    .filter((name) => isOf(site, name))
    .sort();
}

function programsOf(site: Made): number[] {
  return wireguardPrograms()
    .filter(({ name, pid }) => isOf(site, name) && isAlive(pid))
    .map(({ pid }) => pid);
}

/** One that has ended and waits to be fetched is dead: proc(5), the third field of its stat. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Base, decodeFilter } from '#formats/edition/index.ts';
import { valueOf } from '#test/rigs/bureau.ts';
import { passport } from '#test/rigs/documents.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { checkout, startStack } from '#test/rigs/stack.ts';
import { type Figure, percentile, round } from './bench.ts';
import type { Material } from './edition-material.ts';

const mebibyte = 1_048_576;

/** The agent with the whole collection in use: its memory, and how long it takes to open it. */
export async function benchAgentMemory(
  material: Pick<Material, 'count'>,
  folder: string,
  say: (text: string) => void,
  limits: { readonly residentMiB: number; readonly publishSeconds?: number; readonly publishMiB?: number },
): Promise<Figure[]> {
  const at = join(folder, 'stack');
  mkdirSync(at);
  const big = join(folder, 'big-repository');
  const stack = await startStack({ folder: at, agent: { edition: { seed: big } }, withoutEdition: true });
  try {
    say('publishing, in a process of its own');
    const published = await publish(
      ['--csv', join(folder, 'synthetic.csv'), '--repository', big, '--authority', join(at, 'authority')],
      limits,
    );
    await eventually(async () => (await stack.terminalView()).edition?.source.count === material.count, {
      timeoutMs: 1_200_000,
      everyMs: 500,
      what: 'the edition being in use',
    });
    say('the agent with the edition in use');
    const resident: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      await stack.agent.stop();
      await stack.agent.start();
      await eventually(async () => (await stack.terminalView()).edition !== null, { what: 'the edition' });
      for (let swipe = 0; swipe < 20; swipe++) {
        const number = `M${turn}${String(swipe).padStart(7, '0')}`;
        await stack.reader.present(passport(number));
      }
      await eventually(() => residentBytes(stack.agent.pid) > 0);
      resident.push(residentBytes(stack.agent.pid) / mebibyte);
    }
    return [
      ...published,
      {
        name: 'agent',
        case: `resident with ${material.count} documents`,
        value: round(percentile(resident, 0.5)),
        unit: 'MiB',
        target: limits.residentMiB,
      },
      {
        name: 'edition opened',
        case: 'median, with its filter',
        value: round(opening(stack.editionFolder)),
        unit: 'ms',
        target: 300,
      },
    ];
  } finally {
    await stack.close();
  }
}

/** Publishes as a bureau does, by the command that ships: how long it takes and its largest memory. */
async function publish(
  args: readonly string[],
  limits: { readonly publishSeconds?: number; readonly publishMiB?: number },
): Promise<Figure[]> {
  const began = performance.now();
  const child = spawn(join(checkout, 'dist/bin/checkpost'), ['edition', 'publish', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, statusBytes(child.pid, 'VmHWM'));
  }, 250);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error('the collection could not be published');
  return [
    {
      name: 'published from CSV',
      case: 'first edition',
      value: round((performance.now() - began) / 1000),
      unit: 's',
      ...(limits.publishSeconds !== undefined && { target: limits.publishSeconds }),
    },
    {
      name: 'published from CSV',
      case: 'largest memory',
      value: round(peak / mebibyte),
      unit: 'MiB',
      ...(limits.publishMiB !== undefined && { target: limits.publishMiB }),
    },
  ];
}

/** What the agent does at its start: base, index and filter from their files. */
function opening(folder: string): number {
  const generation = JSON.parse(readFileSync(join(folder, 'current.json'), 'utf8')) as {
    base: { folder: string; fingerprints: { sha256: string } };
  };
  const file = (name: string): string => join(folder, 'bases', generation.base.folder, name);
  const samples = Array.from({ length: 7 }, () => {
    const began = performance.now();
    const base = valueOf(
      Base.open({ fingerprints: file('base.fingerprints'), payload: file('base.payload') }),
    );
    const hash = Buffer.from(generation.base.fingerprints.sha256, 'hex');
    valueOf(decodeFilter(readFileSync(file('filter')), hash, base.header.count));
    base.close();
    return performance.now() - began;
  });
  return percentile(samples, 0.5);
}

function residentBytes(pid: number | undefined): number {
  return statusBytes(pid, 'VmRSS');
}

/** A figure of a process as the kernel has it; 0 where it has ended. */
function statusBytes(pid: number | undefined, name: 'VmRSS' | 'VmHWM'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

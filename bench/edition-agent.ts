import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Base, decodeFilter } from '#formats/edition/index.ts';
import { command as edition } from '../bin/commands/edition.ts';
import { valueOf } from '#test/rigs/bureau.ts';
import { passport } from '#test/rigs/documents.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { run, startStack } from '#test/rigs/stack.ts';
import { type Figure, percentile, round } from './bench.ts';
import type { Material } from './edition-material.ts';

const mebibyte = 1_048_576;

/** The agent with the whole collection in use: its memory, and how long it takes to open it. */
export async function benchAgentMemory(
  material: Pick<Material, 'count'>,
  folder: string,
  say: (text: string) => void,
  limit = 130,
): Promise<Figure[]> {
  const at = join(folder, 'stack');
  mkdirSync(at);
  const big = join(folder, 'big-repository');
  const stack = await startStack({ folder: at, agent: { edition: { seed: big } }, withoutEdition: true });
  try {
    say('publishing for the terminal of a whole stack');
    await run(edition, [
      'publish',
      '--csv',
      join(folder, 'synthetic.csv'),
      '--repository',
      big,
      '--authority',
      join(at, 'authority'),
    ]);
    await eventually(async () => (await stack.terminalView()).edition?.source.count === material.count, {
      timeoutMs: 600_000,
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
      {
        name: 'agent',
        case: `resident with ${material.count} documents`,
        value: round(percentile(resident, 0.5)),
        unit: 'MiB',
        target: limit,
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
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

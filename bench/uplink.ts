import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuSecondsOf, type Memory, memoryOf, processMemory } from '#test/rigs/site/footprint.ts';
import { PlainTerminal } from '#test/rigs/site/mwan3.ts';
import { Site } from '#test/rigs/site/site.ts';
import { allUp, carries, loseHub, loseUplink } from '#test/rigs/site/trials.ts';
import { checkout } from '#test/rigs/stack.ts';
import { type BenchOptions, type Figure, percentile, round } from './bench.ts';

const lines = [{ name: 'dsl' }, { name: 'lte', kind: 'lte' }, { name: 'sat', kind: 'satellite' }] as const;

/**
 * The uplink as it ships (the bundle, both halves as processes of their own) at a site of three uplinks and two hubs
 * with real WireGuard in user space: what it takes of the machine, and how long traffic stands still after a loss,
 * beside the loop of mwan3's tracker on the same network (test/rigs/site/mwan3.ts says what that stand-in is).
 */
export async function benchUplink(options: BenchOptions): Promise<Figure[]> {
  const count = options.small ? 5 : 20;
  const ours = await withSite(options, async (site) => {
    await site.startTerminal();
    await site.connected();
    await allUp(site);
    const footprint = await footprintOf(site, options);
    const uplink: number[] = [];
    const hub: number[] = [];
    for (let at = 1; at <= count; at++) {
      await carries(site, { uplink: 'dsl', hub: 'one' }, 60_000);
      uplink.push(await loseUplink(site));
      options.say(`loss of the uplink ${at} of ${count}: ${Math.round(uplink.at(-1) ?? 0)} ms`);
    }
    for (let at = 1; at <= count; at++) {
      await carries(site, { uplink: 'dsl', hub: 'one' }, 60_000);
      hub.push(await loseHub(site));
      options.say(`loss of the hub ${at} of ${count}: ${Math.round(hub.at(-1) ?? 0)} ms`);
    }
    return { footprint, uplink, hub };
  });
  const theirs = await withSite(options, (site) => trackerLosses(site, options));
  const rival = percentile(theirs, 0.5);
  return [
    ...ours.footprint,
    ...losses('loss of the uplink', ours.uplink, 4000, rival),
    ...losses('loss of the hub', ours.hub, 5000),
    {
      name: 'stand-in for mwan3’s tracker',
      case: `loss of the uplink, fastest of ${theirs.length}`,
      value: round(Math.min(...theirs)),
      unit: 'ms',
    },
    {
      name: 'stand-in for mwan3’s tracker',
      case: 'loss of the uplink, median',
      value: round(rival),
      unit: 'ms',
    },
  ];
}

async function withSite<T>(options: BenchOptions, use: (site: Site) => Promise<T>): Promise<T> {
  const program = [join(checkout, 'dist/bin/checkpost')];
  const site = new Site({ lines, program, settings: { log: { level: 'info' } } });
  try {
    options.say('building a site with three uplinks and two hubs');
    await site.build();
    return await use(site);
  } finally {
    await site.close();
  }
}

/** While every uplink is probed, as often as it is by default, and nothing happens. */
async function footprintOf(site: Site, { small, say }: BenchOptions): Promise<Figure[]> {
  const seconds = small ? 10 : 60;
  const bare = await bareNode();
  say(`settling for ${seconds} s, then measuring for ${seconds} s`);
  await pause(seconds * 1000);
  const { outer, inner, both } = memoryOf(site);
  const before = cpuSecondsOf(site);
  const began = performance.now();
  await pause(seconds * 1000);
  const share = (100 * (cpuSecondsOf(site) - before)) / ((performance.now() - began) / 1000);
  return [
    ...memoryFigures('bare Node', bare),
    ...memoryFigures('outer half', outer),
    ...memoryFigures('inner half', inner),
    {
      name: 'both halves',
      case: 'resident, summed',
      value: round(both.rss),
      unit: 'MiB',
      target: 110,
      rival: 'two bare Nodes',
      ratio: round(both.rss / (2 * bare.rss)),
    },
    { name: 'both halves', case: 'Pss', value: round(both.pss), unit: 'MiB' },
    {
      name: 'both halves and their tools',
      case: `three uplinks probed, over ${seconds} s`,
      value: round(share),
      unit: '% of a core',
      target: 1,
    },
  ];
}

function memoryFigures(name: string, { rss, pss }: Memory): Figure[] {
  return [
    { name, case: 'resident', value: round(rss), unit: 'MiB' },
    { name, case: 'Pss', value: round(pss), unit: 'MiB' },
  ];
}

async function bareNode(): Promise<Memory> {
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)'], { stdio: 'ignore' });
  await pause(1000);
  const memory = processMemory(bare.pid ?? 0);
  bare.kill();
  return memory;
}

/** Three losses, spread evenly over the interval at which the tracker pings. */
async function trackerLosses(site: Site, { small, say }: BenchOptions): Promise<number[]> {
  const plain = new PlainTerminal(site);
  await plain.start();
  const phases = small ? [5000] : [1700, 5000, 8300];
  const seen: number[] = [];
  try {
    for (const afterMs of phases) {
      seen.push(await plain.loseUplink(afterMs));
      say(
        `stand-in for mwan3’s tracker, loss ${seen.length} of ${phases.length}: ${Math.round(seen.at(-1) ?? 0)} ms`,
      );
    }
  } finally {
    await plain.close();
  }
  return seen;
}

function losses(name: string, samples: readonly number[], target: number, rival?: number): Figure[] {
  const median = percentile(samples, 0.5);
  const beside =
    rival === undefined ? {} : { rival: 'the stand-in for mwan3’s tracker', ratio: round(median / rival) };
  return [
    { name, case: `median of ${samples.length}`, value: round(median), unit: 'ms', ...beside },
    { name, case: 'p95', value: round(percentile(samples, 0.95)), unit: 'ms', target },
  ];
}

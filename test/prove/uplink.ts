import { Site } from '#test/rigs/site/site.ts';
import {
  allUp,
  carries,
  forgetSizes,
  loseHub,
  loseUplink,
  narrowLine,
  percentile95,
  rotate,
  rotateKilled,
  rotationSlots,
  rotationSteps,
  switchOver,
} from '#test/rigs/site/trials.ts';
import type { ProofOptions } from './proof.ts';

/**
 * The uplink under everything that a site does to it, `count` times each: how long traffic stood still after a loss,
 * and how many probes of 20 ms a planned switch and new keys cost. Fails where a bound of the issue does not hold.
 */
export async function proveUplink({ count, say }: ProofOptions): Promise<object> {
  const site = new Site();
  await site.start();
  try {
    await allUp(site);
    const times = async (what: string, trial: () => Promise<number>): Promise<number[]> => {
      const seen: number[] = [];
      for (let at = 1; at <= count; at++) {
        seen.push(Math.round(await trial()));
        say(`${what} ${at} of ${count}: ${seen.at(-1)}`);
      }
      return seen;
    };
    const uplinkLossMs = await times('loss of the uplink, ms', async () => {
      await carries(site, { uplink: 'dsl' });
      return loseUplink(site);
    });
    const hubLossMs = await times('loss of the hub, ms', async () => {
      await carries(site, { uplink: 'dsl', hub: 'one' });
      return loseHub(site);
    });
    const kills = rotationSlots.flatMap((slot) => rotationSteps.map((step) => [slot, step] as const));
    let at = 0;
    const uplinkSwitchLost = await times('planned switch of the uplink, probes lost', async () => {
      return (await switchOver(site, { uplink: at++ % 2 === 0 ? 'lte' : 'dsl' })).lost;
    });
    const hubSwitchLost = await times('planned switch of the hub, probes lost', async () => {
      return (await switchOver(site, { hub: at++ % 2 === 0 ? 'two' : 'one' })).lost;
    });
    await site.ask({ verb: 'prefer', auto: true });
    const rotationLost = await times('new keys, probes lost', async () => (await rotate(site)).lost);
    const rotationKilledLost = await times('new keys with the helper killed, probes lost', async () => {
      await carries(site, { uplink: 'dsl', hub: 'one' });
      const [slot, step] = kills[at++ % kills.length] ?? ['probe-dsl', 'made'];
      return (await rotateKilled(site, slot, step)).lost;
    });
    const blackHoleMs = await times('black hole of 1280, ms', async () => {
      const gap = await narrowLine(site, 1280);
      await forgetSizes(site);
      return gap;
    });
    const figures = {
      count,
      uplinkLossMs: summary(uplinkLossMs),
      hubLossMs: summary(hubLossMs),
      uplinkSwitchLost: sum(uplinkSwitchLost),
      hubSwitchLost: sum(hubSwitchLost),
      rotationLostMost: Math.max(...rotationLost),
      rotationKilledLostMost: Math.max(...rotationKilledLost),
      blackHoleMs: summary(blackHoleMs),
    };
    const wrong = [
      ...(figures.uplinkLossMs.p95 < 4000 ? [] : ['uplink loss']),
      ...(figures.hubLossMs.p95 < 5000 ? [] : ['hub loss']),
      ...(figures.uplinkSwitchLost + figures.hubSwitchLost === 0 ? [] : ['planned switch']),
      ...(Math.max(figures.rotationLostMost, figures.rotationKilledLostMost) <= 1 ? [] : ['rotation']),
      ...(figures.blackHoleMs.most < 10_000 ? [] : ['black hole']),
    ];
    if (wrong.length > 0) throw new Error(`out of bounds: ${wrong.join(', ')}: ${JSON.stringify(figures)}`);
    return figures;
  } finally {
    await site.close();
  }
}

function summary(values: readonly number[]): { p50: number; p95: number; most: number } {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    p50: sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN,
    p95: percentile95(values),
    most: sorted.at(-1) ?? Number.NaN,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

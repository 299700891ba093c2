import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import type { HubName, Site } from './site.ts';
import { Transfer } from './transfer.ts';
import type { TrafficReport } from './traffic.ts';

/** What is done to a site again and again, and how long its traffic stood still for it. */

/** What carries now, by the helper's own words. */
export async function carrier(site: Site): Promise<{ uplink: string; hub: HubName }> {
  const { carrying } = await site.status();
  if (carrying === null) throw new Error('nothing carries');
  return { uplink: carrying.uplink, hub: carrying.hub as HubName };
}

export async function carries(
  site: Site,
  wanted: { uplink?: string; hub?: HubName },
  timeoutMs = 30_000,
): Promise<void> {
  await eventually(
    async () => {
      const now = await carrier(site);
      return now.uplink === (wanted.uplink ?? now.uplink) && now.hub === (wanted.hub ?? now.hub);
    },
    { what: `the traffic going by ${wanted.uplink ?? ''} ${wanted.hub ?? ''}`, timeoutMs, everyMs: 200 },
  );
}

/** Every path of the site is up, so that the next fault finds a standby that is known to work. */
export async function allUp(site: Site, timeoutMs = 60_000): Promise<void> {
  await eventually(
    async () => {
      const { uplinks } = await site.status();
      return uplinks.every(
        ({ state, paths }) => state === 'up' && paths.every((path) => path.state === 'up'),
      );
    },
    { what: 'every path being up', timeoutMs, everyMs: 200 },
  );
}

/** The line that carries falls silent; milliseconds until traffic flows again. */
export async function loseUplink(site: Site): Promise<number> {
  const { uplink } = await carrier(site);
  const report = await outage(site, () => site.silence(uplink));
  site.mend(uplink);
  await allUp(site);
  return report.longestGapMs;
}

/** The hub that carries falls silent; milliseconds until traffic flows again. */
export async function loseHub(site: Site): Promise<number> {
  const { hub } = await carrier(site);
  const report = await outage(site, () => site.silenceHub(hub));
  site.mendHub(hub);
  await allUp(site);
  return report.longestGapMs;
}

/** Runs traffic, breaks something, waits until traffic flows again. */
export async function outage(site: Site, breakIt: () => void): Promise<TrafficReport> {
  const traffic = site.traffic();
  await traffic.flows(25);
  breakIt();
  const since = Date.now();
  await eventually(() => Date.now() - traffic.lastAnswerAt() > 300, {
    what: 'the traffic standing still',
    timeoutMs: 10_000,
  });
  await eventually(() => traffic.lastAnswerAt() > since + 300 && Date.now() - traffic.lastAnswerAt() < 100, {
    what: `the traffic flowing again (${site.logFile})`,
    timeoutMs: 60_000,
  });
  await traffic.flows(25);
  return traffic.stop();
}

/** Moves the traffic on purpose, with probes of 20 ms under way; what was lost. */
export async function switchOver(site: Site, to: { uplink?: string; hub?: HubName }): Promise<TrafficReport> {
  const traffic = site.traffic();
  await traffic.flows(25);
  await site.ask({ verb: 'prefer', ...to });
  await carries(site, to);
  await traffic.flows(50);
  return traffic.stop();
}

/** New keys with every hub, with probes of 20 ms under way; what was lost. */
export async function rotate(
  site: Site,
  during: () => Promise<void> | void = () => {},
): Promise<TrafficReport> {
  const before = await rotatedAt(site);
  const traffic = site.traffic();
  await traffic.flows(25);
  void site.ask({ verb: 'rotate' }).catch(() => {});
  await during();
  await eventually(
    async () => (await rotatedAt(site)).every((at, hub) => at !== null && at !== before[hub]),
    {
      what: `every hub having the new key (${site.logFile})`,
      timeoutMs: 60_000,
      everyMs: 200,
    },
  );
  await traffic.flows(50);
  return traffic.stop();
}

/** Slots in the order in which they are changed while hub one carries, and what can be cut off. */
export const rotationSlots = ['probe-dsl', 'probe-lte', 'tunnel@two', 'tunnel@one'] as const;
export const rotationSteps = ['made', 'offered', 'switched', 'accepted', 'final'] as const;

/**
 * New keys with every hub, while the outer half is killed right after this step of this slot and started again; what
 * was lost of probes every 20 ms until no change of key is under way any more.
 */
export async function rotateKilled(
  site: Site,
  slot: (typeof rotationSlots)[number],
  step: (typeof rotationSteps)[number],
): Promise<TrafficReport> {
  const traffic = site.traffic();
  await traffic.flows(25);
  const reached = site.logs(new RegExp(`"slot":"${slot}","step":"${step}"`));
  // Nobody is there any more to answer once it was killed.
  void site.ask({ verb: 'rotate' }).catch(() => {});
  await reached;
  await site.outer.stop('SIGKILL');
  await site.outer.start();
  await eventually(
    async () => {
      const { hubs, state } = await site.status();
      return state === 'up' && hubs.every(({ key }) => key.state === 'current');
    },
    {
      what: `the change of ${slot} being through after ${step} (${site.logFile})`,
      timeoutMs: 60_000,
      everyMs: 200,
    },
  );
  await traffic.flows(50);
  return traffic.stop();
}

async function rotatedAt(site: Site): Promise<(string | null)[]> {
  const { hubs } = await site.status();
  return hubs.map(({ key }) => (key.state === 'current' ? key.rotatedAt : null));
}

/** The helper begins anew without what it remembered, so that every size is measured again. */
export async function forgetSizes(site: Site): Promise<void> {
  await site.outer.stop('SIGKILL');
  rmSync(join(site.folder, 'run/carrying.json'), { force: true });
  await site.outer.start();
  await eventually(async () => (await site.status()).uplinks.every(({ mtu }) => mtu === 1420), {
    what: 'every line carrying packets of full size again',
    timeoutMs: 30_000,
    everyMs: 200,
  });
  await allUp(site);
}

/** The value below which 95 of 100 lie, by the nearest rank. */
export function percentile95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? Number.NaN;
}

/**
 * An inner hop of the line that carries begins to swallow what is larger than `mtu`; milliseconds until a transfer of
 * full-size packets through the tunnel goes on.
 */
export async function narrowLine(site: Site, mtu: number): Promise<number> {
  const { uplink } = await carrier(site);
  const transfer = await Transfer.start(site);
  await transfer.flows();
  site.narrow(uplink, mtu);
  const since = Date.now();
  await eventually(() => Date.now() - transfer.lastAt() > 500, {
    what: 'the transfer standing still',
    timeoutMs: 10_000,
  });
  await eventually(() => transfer.lastAt() > since + 500 && Date.now() - transfer.lastAt() < 200, {
    what: `full-size packets flowing again (${site.logFile})`,
    timeoutMs: 60_000,
  });
  const gap = transfer.longestGapMs();
  await transfer.stop();
  site.widen(uplink);
  return gap;
}

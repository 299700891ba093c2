import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, loadavg, uptime } from 'node:os';
import { join } from 'node:path';
import { mem } from 'systeminformation/lib/memory.js';
import type { HealthReport } from '#contracts/health.ts';
import { type Millis, type MonotonicTime, ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { powerFacts } from './power.ts';
import { watchdogCaused } from './start.ts';
import { deviceOf, storageFacts } from './storage.ts';
import { namesIn, numberOf } from './sysfs.ts';
import { trafficFacts } from './traffic.ts';

/** What is measured of the machine. Each call reads small files of /proc and /sys and starts no process. */
export type MachineFacts = Pick<
  HealthReport,
  'uptime' | 'load' | 'memory' | 'disk' | 'temperature' | 'traffic' | 'power' | 'storage'
> & {
  /** Whether the watchdog caused this boot. */
  readonly watchdog: boolean;
};

export interface Machine {
  /** Name and version of the operating system, as it calls itself. */
  readonly os: string;
  facts(): Promise<MachineFacts>;
}

export interface MachineParts {
  /** Where the state lies: its file system is the one that matters. */
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly osRelease?: string;
  /** Where the kernel's files are; a test builds trees of its own. */
  readonly sys?: string;
  readonly proc?: string;
}

/** Wear moves in months, and some controllers take long to tell it. */
const storageEvery: Millis = ms(600_000);

export function openMachine(parts: MachineParts): Machine {
  const { stateFolder, clock, osRelease = '/etc/os-release', sys = '/sys', proc = '/proc' } = parts;
  // Of this boot, so that it is asked once.
  const watchdog = watchdogCaused(sys);
  let storage: { readonly at: MonotonicTime; readonly facts: HealthReport['storage'] } | undefined;
  const storageNow = async (): Promise<HealthReport['storage']> => {
    const at = clock.monotonic();
    if (storage === undefined || at - storage.at >= storageEvery)
      storage = { at, facts: await storageFacts(sys, await deviceOf(stateFolder)) };
    return storage.facts;
  };
  return {
    os: osName(osRelease),
    async facts() {
      const [memory, disk, temperature, traffic, power, wear] = await Promise.all([
        mem(),
        statfs(stateFolder),
        hottest(join(sys, 'class/thermal')),
        trafficFacts(proc, sys),
        powerFacts(sys),
        storageNow(),
      ]);
      return {
        uptime: { systemSeconds: Math.floor(uptime()), agentSeconds: Math.floor(process.uptime()) },
        load: { one: Math.round((loadavg()[0] ?? 0) * 100) / 100, cpus: availableParallelism() },
        memory: {
          totalBytes: memory.total,
          availableBytes: memory.available,
          agentBytes: process.memoryUsage.rss(),
        },
        disk: { totalBytes: disk.blocks * disk.bsize, freeBytes: disk.bavail * disk.bsize },
        temperature,
        traffic,
        power,
        storage: wear,
        watchdog: await watchdog,
      };
    },
  };
}

function osName(file: string): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/**
 * The hottest zone of the kernel's thermal interface; one that does not answer, or answers nonsense, is passed over. A
 * virtual machine has none.
 */
async function hottest(folder: string): Promise<HealthReport['temperature']> {
  const zones = (await namesIn(folder)).filter((name) => name.startsWith('thermal_zone'));
  const readings = await Promise.all(zones.map((zone) => numberOf(join(folder, zone, 'temp'))));
  const good = readings
    .map((milli) => (milli ?? Number.NaN) / 1000)
    .filter((celsius) => celsius >= -60 && celsius <= 200);
  return good.length === 0 ? null : { celsius: Math.max(...good) };
}

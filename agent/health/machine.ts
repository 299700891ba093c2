import { readdirSync, readFileSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism, loadavg, uptime } from 'node:os';
import { join } from 'node:path';
import { mem } from 'systeminformation/lib/memory.js';
import type { HealthReport } from '#contracts/health.ts';

/** What is measured of the machine. Each call reads small files of /proc and /sys and starts no process. */
export type MachineFacts = Pick<HealthReport, 'uptime' | 'load' | 'memory' | 'disk' | 'temperature'>;

export interface Machine {
  /** Name and version of the operating system, as it calls itself. */
  readonly os: string;
  facts(): Promise<MachineFacts>;
}

export interface MachineParts {
  /** Where the state lies: its file system is the one that matters. */
  readonly stateFolder: string;
  readonly osRelease?: string;
  readonly thermal?: string;
}

export function openMachine(parts: MachineParts): Machine {
  const { stateFolder, osRelease = '/etc/os-release', thermal = '/sys/class/thermal' } = parts;
  const sensors = thermalSensors(thermal);
  return {
    os: osName(osRelease),
    async facts() {
      const [memory, disk, temperature] = await Promise.all([mem(), statfs(stateFolder), hottest(sensors)]);
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

/** Zones of the kernel's thermal interface; a virtual machine has none. */
function thermalSensors(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith('thermal_zone'))
      .map((name) => join(folder, name, 'temp'));
  } catch {
    return [];
  }
}

/** The hottest of them; a sensor that does not answer, or answers nonsense, is passed over. */
async function hottest(sensors: readonly string[]): Promise<HealthReport['temperature']> {
  const readings = await Promise.all(
    sensors.map(async (file) => {
      try {
        const text = (await readFile(file, 'utf8')).trim();
        return text === '' ? Number.NaN : Number(text) / 1000;
      } catch {
        return Number.NaN;
      }
    }),
  );
  const good = readings.filter((celsius) => celsius >= -60 && celsius <= 200);
  return good.length === 0 ? null : { celsius: Math.max(...good) };
}

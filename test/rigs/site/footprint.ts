import { readFileSync } from 'node:fs';
import type { Site } from './site.ts';

/** What the two halves of the uplink take of the machine, as the kernel counts it. */

export interface Memory {
  /** Resident, MiB: VmRSS of proc_pid_status(5). What both processes map of one file is counted in each of them. */
  readonly rss: number;
  /** MiB: Pss of proc_pid_smaps(5), in which a page that n processes map counts as one n-th in each. */
  readonly pss: number;
}

export interface SiteMemory {
  readonly outer: Memory;
  readonly inner: Memory;
  readonly both: Memory;
}

/** Both halves of the terminal. */
export function memoryOf(site: Site): SiteMemory {
  const outer = processMemory(site.outer.pid);
  const inner = processMemory(site.inner.pid);
  return { outer, inner, both: { rss: outer.rss + inner.rss, pss: outer.pss + inner.pss } };
}

export function memoryWords({ outer, inner, both }: SiteMemory): string {
  const words = ({ rss, pss }: Memory): string => `resident ${rss.toFixed(1)} MiB, Pss ${pss.toFixed(1)} MiB`;
  return `both: ${words(both)}; outer: ${words(outer)}; inner: ${words(inner)}`;
}

export function processMemory(pid: number): Memory {
  return { rss: kibibytes(pid, 'status', 'VmRSS') / 1024, pss: kibibytes(pid, 'smaps_rollup', 'Pss') / 1024 };
}

/** Processor time of both halves so far, in seconds, and of the tools that they started and that have ended. */
export function cpuSecondsOf(site: Site): number {
  return [site.outer.pid, site.inner.pid].reduce((sum, pid) => sum + processCpuSeconds(pid), 0);
}

function kibibytes(pid: number, file: string, name: string): number {
  const text = readFileSync(`/proc/${pid}/${file}`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN);
}

function processCpuSeconds(pid: number): number {
  // After the name, which may hold anything but ends at the last parenthesis.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  // utime, stime, cutime and cstime of proc_pid_stat(5), in ticks of 10 ms.
  return fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) / 100;
}

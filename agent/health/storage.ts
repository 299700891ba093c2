import { readlink, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { HealthReport } from '#contracts/health.ts';
import { namesIn, numberOf, textOf } from './sysfs.ts';

/** The block device of a folder's file system as `major:minor`; undefined where it cannot be told. */
export async function deviceOf(folder: string): Promise<string | undefined> {
  try {
    const dev = (await stat(folder, { bigint: true })).dev;
    // The kernel's huge_encode_dev: 12 and 20 bits of major, 8 and 12 and more of minor, as glibc's gnu_dev_major has it.
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
    const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
    return `${major}:${minor}`;
  } catch {
    return undefined;
  }
}

/**
 * How worn the flash under a file system is, and how many errors the file system has had. Only what /sys gives: SMART
 * of SATA and NVMe disks needs root, so they do not tell.
 */
export async function storageFacts(
  sys: string,
  device: string | undefined,
): Promise<HealthReport['storage']> {
  const name = device === undefined ? undefined : await blockName(sys, device);
  const under = name === undefined ? [] : await disksUnder(sys, name);
  // Where the file system is none of a disk (an overlay), the built-in flash is what counts.
  const disks = under.length > 0 ? under : (await namesIn(join(sys, 'block'))).filter(isFlash);
  const wear = await Promise.all(disks.map((disk) => wearOf(join(sys, 'block', disk, 'device'))));
  const known = wear.filter((percent) => percent !== null);
  return {
    wearPercent: known.length === 0 ? null : Math.max(...known),
    fileSystemErrors:
      name === undefined ? null : ((await numberOf(join(sys, 'fs/ext4', name, 'errors_count'))) ?? null),
  };
}

const isFlash = (name: string): boolean => /^mmcblk\d+$/.test(name);

/** The kernel's name of a block device: `mmcblk0p2`, `dm-0`. */
async function blockName(sys: string, device: string): Promise<string | undefined> {
  try {
    return basename(await readlink(join(sys, 'dev/block', device)));
  } catch {
    return undefined;
  }
}

/** The disks that a partition or a mapped (encrypted) device lies on. */
async function disksUnder(sys: string, name: string, depth = 0): Promise<string[]> {
  const slaves = await namesIn(join(sys, 'block', name, 'slaves'));
  if (slaves.length > 0 && depth < 8)
    return (await Promise.all(slaves.map((slave) => disksUnder(sys, slave, depth + 1)))).flat();
  const disks = await namesIn(join(sys, 'block'));
  if (disks.includes(name)) return [name];
  // A partition's name is that of its disk, `p` where that ends in a digit, and a number.
  return disks.filter((disk) => name.startsWith(disk) && /^p?\d+$/.test(name.slice(disk.length)));
}

/**
 * JEDEC eMMC 5.1 (JESD84-B51) section 7.4: DEVICE_LIFE_TIME_EST in steps of 10 %, 0x0b past the end; PRE_EOL_INFO 2 when
 * 80 % of the reserved blocks are used and 3 when nearly all are. 0 is not defined.
 */
async function wearOf(folder: string): Promise<number | null> {
  const steps = ((await textOf(join(folder, 'life_time'))) ?? '').split(/\s+/).map(hex);
  const spent = steps.filter((step) => step >= 1 && step <= 0x0b).map((step) => step * 10);
  const reserve = hex((await textOf(join(folder, 'pre_eol_info'))) ?? '');
  if (reserve >= 2) spent.push(reserve === 2 ? 80 : 100);
  else if (spent.length === 0) return null;
  return Math.max(...spent);
}

function hex(text: string): number {
  return /^(0x)?[0-9a-f]{1,2}$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN;
}

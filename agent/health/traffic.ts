import { join } from 'node:path';
import type { HealthReport } from '#contracts/health.ts';
import { textOf } from './sysfs.ts';

/**
 * Bytes through the tunnel's interfaces since the machine started; null where there is none. `/proc/self/net/dev` is of
 * the namespace of this process whatever /sys shows; /sys says which of them are tunnels.
 */
export async function trafficFacts(proc: string, sys: string): Promise<HealthReport['traffic']> {
  const lines = ((await textOf(join(proc, 'self/net/dev'))) ?? '').split('\n').slice(2);
  const counters = await Promise.all(
    lines.map(async (line) => {
      const [name = '', figures = ''] = line.split(':').map((part) => part.trim());
      const [received, , , , , , , , sent] = figures.split(/\s+/).map(Number);
      if (received === undefined || sent === undefined || !(await isTunnel(sys, name))) return undefined;
      return { received, sent };
    }),
  );
  const tunnels = counters.filter((one) => one !== undefined);
  if (tunnels.length === 0) return null;
  return {
    sentBytes: tunnels.reduce((sum, { sent }) => sum + sent, 0),
    receivedBytes: tunnels.reduce((sum, { received }) => sum + received, 0),
  };
}

/**
 * The kernel's WireGuard, or the tun device that wireguard-go makes. What /sys does not know lies in a namespace that it
 * does not show: that of the agent, in which there is the tunnel and loopback alone.
 */
async function isTunnel(sys: string, name: string): Promise<boolean> {
  if (name === 'lo') return false;
  const folder = join(sys, 'class/net', name);
  const kind = await textOf(join(folder, 'uevent'));
  if (kind === undefined || /^DEVTYPE=wireguard$/m.test(kind)) return true;
  return (await textOf(join(folder, 'tun_flags'))) !== undefined;
}

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { ManagedProcess } from '../process.ts';
import { type Packet, readPacket } from './packet.ts';
import { readPcap } from './pcap.ts';

/** A device to listen at, by its name alone, or seen from the other end of its line. */
export type Listening =
  | string
  | {
      /** Where tcpdump listens. */
      readonly device: string;
      /** Device of the terminal at the other end, which is not up yet or is in another namespace. */
      readonly terminalDevice: string;
      /** Hardware address of that. */
      readonly mac: string;
    };

export interface CaptureOptions {
  readonly netns: string;
  readonly devices: readonly Listening[];
  /** For the capture files and what tcpdump says. */
  readonly folder: string;
}

export interface Capture {
  /** Ends it; every packet of all devices, by time. Throws where the kernel dropped some: nothing would be proven. */
  stop(): Promise<Packet[]>;
}

/**
 * Real tcpdump, one for each device, each known to listen when this returns. They die with the process that started
 * them.
 */
export async function startCapture({ netns, devices, folder }: CaptureOptions): Promise<Capture> {
  const own = mkdtempSync(join(folder, `capture-${netns}-`));
  const running = devices.map((listening) => {
    const device = typeof listening === 'string' ? listening : listening.device;
    const file = join(own, `${device}.pcap`);
    const logFile = `${file}.log`;
    // As root to the end (-Z): otherwise tcpdump could not write where only root may.
    const args = ['netns', 'exec', netns, 'tcpdump', '-i', device, '-w', file];
    const options = ['-U', '-n', '-s', '256', '-B', '4096', '-Z', 'root', '--immediate-mode'];
    const name = `tcpdump at ${device}`;
    const child = new ManagedProcess({ name, command: 'ip', args: [...args, ...options], logFile });
    return { child, name, file, logFile, listening };
  });
  const kill = (): Promise<unknown> => Promise.all(running.map(({ child }) => child.stop('SIGKILL')));
  const said = (logFile: string): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  try {
    await Promise.all(
      running.map(async ({ child, name, logFile }) => {
        await child.start();
        await eventually(() => said(logFile).includes('listening on'), {
          what: `${name} listening (${logFile})`,
          failAtOnce: () => !child.running,
        });
      }),
    );
  } catch (thrown) {
    await kill();
    throw thrown;
  }
  const macs = running.map(({ listening }) =>
    typeof listening === 'string' ? macOf(netns, listening) : listening.mac,
  );
  return {
    async stop() {
      const packets = await Promise.all(
        running.map(async ({ child, name, file, logFile, listening }, i) => {
          await quiet(file);
          await child.stop('SIGINT');
          const dropped = /(\d+) packets? dropped by kernel/.exec(said(logFile))?.[1];
          if (dropped !== '0') throw new Error(`${name} missed ${dropped ?? 'unknown'} packets (${logFile})`);
          const device = typeof listening === 'string' ? listening : listening.terminalDevice;
          return readPcap(readFileSync(file)).map((raw) => readPacket(raw, device, macs[i] ?? ''));
        }),
      ).catch(async (thrown: unknown) => {
        await kill();
        throw thrown;
      });
      return packets.flat().sort((a, b) => a.at - b.at);
    },
  };
}

/** Until nothing has been written for a tenth of a second, or for two seconds on a line that is never quiet. */
async function quiet(file: string): Promise<void> {
  const end = performance.now() + 2000;
  let last = { size: -1, since: performance.now() };
  await eventually(() => {
    const now = performance.now();
    const { size } = statSync(file);
    if (size !== last.size) last = { size, since: now };
    return now - last.since > 100 || now > end;
  });
}

/** Hardware address of a device in a namespace. */
export function macOf(netns: string, device: string): string {
  const shown = execFileSync('ip', ['-n', netns, '-json', 'link', 'show', 'dev', device], {
    encoding: 'utf8',
  });
  return (JSON.parse(shown) as { address: string }[])[0]?.address ?? '';
}

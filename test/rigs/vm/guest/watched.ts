import {
  builtInProfiles,
  createLocator,
  openReader,
  type Reader,
  scanDevices,
} from '#agent/readers/index.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLog } from '#runtime/log.ts';
import { eventually } from '../../eventually.ts';

/** A reader of the agent, and all that came of it. */
export interface Watched {
  readonly reader: Reader;
  readonly frames: string[];
  readonly faults: string[];
  /** Device nodes that it was opened as, one after the other. */
  readonly nodes: string[];
}

export interface WatchOptions {
  readonly id: string;
  /** Its identity, as in the settings. */
  readonly device: string;
  /** Name of a profile that ships. */
  readonly profile: string;
  readonly kind: 'serial' | 'hid' | 'keyboard';
  /** Longer than a slow machine needs for what the check does in the middle of a frame. */
  readonly idleMillis: number;
}

/** Longer than anything here takes, also where the machine has one slow processor for all. */
const patience = { timeoutMs: 60_000 };

/** Opens readers as the agent does: found by the kernel's own tree, with the log on standard error. */
export function watch<const T extends readonly WatchOptions[]>(
  options: T,
): { readonly [K in keyof T]: Watched } {
  const locator = createLocator({
    wanted: options.map(({ id, device, kind }) => ({ id, device, kind, replacement: 'accept' })),
    scan: scanDevices,
  });
  return options.map((one) => open(one, locator)) as { readonly [K in keyof T]: Watched };
}

function open(options: WatchOptions, locator: ReturnType<typeof createLocator>): Watched {
  const profile = builtInProfiles.find(({ name }) => name === options.profile);
  if (profile === undefined) throw new Error(`there is no profile ${options.profile}`);
  const frames: string[] = [];
  const faults: string[] = [];
  const nodes: string[] = [];
  const write = (line: string): void => {
    process.stderr.write(line);
    const { node } = JSON.parse(line) as { node?: string };
    if (node !== undefined) nodes.push(node);
  };
  const { id, idleMillis } = options;
  const reader = openReader(
    { id, profile: { ...profile, idleMillis, signals: { read: '0142' } }, feedback: 'discreet' },
    {
      locator,
      clock: systemClock,
      random: Math.random,
      log: createLog('trace', 'guest', { write }),
      listener: {
        frame: ({ bytes }) => frames.push(Buffer.from(bytes).toString('latin1')),
        state: () => {},
        fault: ({ code }) => faults.push(code),
      },
    },
  );
  return { reader, frames, faults, nodes };
}

export async function becomes({ reader }: Watched, state: string): Promise<void> {
  await eventually(() => reader.state() === state, { ...patience, what: `${reader.id} being ${state}` });
}

export async function reads({ reader, frames }: Watched, count: number): Promise<void> {
  await eventually(() => frames.length >= count, {
    ...patience,
    what: `${count} frames of ${reader.id}, not ${JSON.stringify(frames)}`,
  });
}

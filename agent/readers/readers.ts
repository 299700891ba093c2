import type { ReaderId } from '#contracts/names.ts';
import type { ReaderProfile } from '#contracts/readers.ts';
import { fail, type Result } from '#contracts/result.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import { createLocator, type Locator } from './devices/locate.ts';
import { scanDevices } from './devices/scan.ts';
import { probeHere } from './probe/here.ts';
import { builtInProfiles, chooseProfiles } from './profiles.ts';
import { openReader, type Reader, type ReaderListener } from './reader.ts';

type Settings = Pick<AgentSettings, 'readers' | 'profiles'>;
type Wanted = AgentSettings['readers'][number];

export interface ReadersParts {
  readonly settings: Settings;
  /** What `chooseProfiles` made of the settings. */
  readonly profiles: ReadonlyMap<ReaderId, ReaderProfile>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly listener: ReaderListener;
}

/** All readers of a terminal, in the order of its settings; none before `open`. */
export class Readers {
  readonly #parts: ReadersParts;
  readonly #locator: Locator;
  readonly #readers: Reader[] = [];
  #closed = false;

  constructor(parts: ReadersParts) {
    this.#parts = parts;
    this.#locator = locatorOf(parts.settings.readers, parts.profiles);
  }

  /** From here on documents are read. */
  open(): void {
    for (const wanted of this.#parts.settings.readers) {
      const reader = this.#open(wanted);
      if (reader !== undefined) this.#readers.push(reader);
    }
  }

  all(): readonly Reader[] {
    return this.#readers;
  }

  find(id: string): Reader | undefined {
    return this.#readers.find((reader) => reader.id === id);
  }

  /**
   * Finds out at which speed and in which format a reader speaks; it reads nothing meanwhile. Answers the text of the
   * conclusion with a proposal for the settings. Faults: READER_ABSENT and those of `probeHere`.
   */
  async probe(id: ReaderId, signal: AbortSignal): Promise<Result<string>> {
    const { settings, clock, log } = this.#parts;
    const wanted = settings.readers.find((one) => one.id === id);
    const at = this.#readers.findIndex((one) => one.id === id);
    if (wanted === undefined || at < 0) return fail('READER_ABSENT', `No reader is called ${id}.`);
    return probeHere({
      reader: id,
      device: wanted.device,
      profiles: [...settings.profiles, ...builtInProfiles],
      clock,
      log,
      signal,
      apart: async (work) => {
        await this.#readers[at]?.close();
        try {
          return await work();
        } finally {
          const again = this.#closed ? undefined : this.#open(wanted);
          if (again !== undefined) this.#readers[at] = again;
        }
      },
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }

  #open({ id, feedback }: Wanted): Reader | undefined {
    const { profiles, clock, random, log, listener } = this.#parts;
    const profile = profiles.get(id);
    if (profile === undefined) return undefined;
    return openReader(
      { id, profile, feedback },
      { locator: this.#locator, clock, random, log: log.with({ reader: id }), listener },
    );
  }
}

/** Ids of the readers of these settings whose device is there now. */
export function pluggedIn({ readers, profiles }: Settings): ReadonlySet<ReaderId> {
  const chosen = chooseProfiles(readers, profiles);
  const where = locatorOf(readers, chosen.ok ? chosen.value : new Map());
  return new Set(readers.map(({ id }) => id).filter((id) => where.locate(id).kind === 'found'));
}

function locatorOf(readers: readonly Wanted[], profiles: ReadonlyMap<ReaderId, ReaderProfile>): Locator {
  return createLocator({
    wanted: readers.map(({ id, device, replacement }) => {
      return { id, device, replacement, kind: profiles.get(id)?.link.kind ?? 'serial' };
    }),
    scan: () => scanDevices(),
  });
}

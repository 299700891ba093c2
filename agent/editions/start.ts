import { join } from 'node:path';
import { ok, type Result } from '#contracts/result.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { ms, type WallTime } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { fileStamp, type FileWatch, watchFile } from '#runtime/file-watch.ts';
import type { Log } from '#runtime/log.ts';
import { Budget } from './budget.ts';
import { centralRepository } from './central-repository.ts';
import { type EditionInUse, type Editions, openEditions } from './editions.ts';
import { type KeyRingParts, openKeyRing } from './key-ring.ts';
import type { EditionEvent } from './ports.ts';
import { stickRepository } from './stick-repository.ts';
import { HttpsEditionTransport, type TransportIdentity } from './transport.ts';
import { workIn } from './work.ts';

/** Keys of this terminal as enrolment left them; more in key-ring.ts. */
export type EditionKeys = Pick<KeyRingParts, 'enrolled' | 'trusted' | 'wrapping'>;

export interface EditionServiceParts {
  readonly settings: AgentSettings['edition'];
  readonly centralUrl: string;
  readonly tls: TransportIdentity;
  /** Root of trust that came with enrolment. */
  readonly root: Buffer;
  readonly terminal: string;
  readonly keys: EditionKeys;
  readonly clock: Clock;
  /** The least that now can be. */
  readonly now: () => WallTime;
  /** Trusted time, or undefined. */
  readonly verified: () => WallTime | undefined;
  /** Whether the centre may be asked now. */
  readonly linkIsUp: () => boolean;
  /** File of worker.ts as it ships. */
  readonly worker: string;
  readonly log: Log;
  readonly report: (event: EditionEvent) => void;
  readonly onChange: () => void;
}

export interface EditionService extends Pick<Editions, 'current' | 'state'> {
  current(): EditionInUse | undefined;
  /** The centre is reached again: it may have a newer edition. */
  linkIsUp(): void;
  /** Reads the copy through and fetches from the centre what is damaged; the faults are those of `Editions.rebuild`. */
  rebuild(): Promise<Result<string>>;
  close(): Promise<void>;
}

/** How often the files of the base are read from end to end. */
const verifyEvery = ms(86_400_000);
const lookForStick = ms(1000);

/**
 * The offline copy as it lives in the agent: opens it, asks the centre for a newer one now and then and when the link
 * comes back, takes what appears on a stick, and reads its files through once a day. The faults are those of the root.
 */
export async function startEditions(parts: EditionServiceParts): Promise<Result<EditionService>> {
  const { settings, clock, log } = parts;
  const ring = await openKeyRing({ ...parts.keys, folder: settings.folder, terminal: parts.terminal, log });
  const opened = await openEditions({
    folder: settings.folder,
    root: parts.root,
    secrets: () => ring.secrets(),
    obtainKey: (id, repository, signal) => ring.obtain(id, repository, signal),
    clock,
    now: parts.now,
    verified: parts.verified,
    log,
    work: workIn(parts.worker),
    compactAt: { percent: settings.compactPercent, days: settings.compactDays },
    report: parts.report,
    onChange: parts.onChange,
  });
  if (!opened.ok) return opened;
  const editions = opened.value;
  const downloads = join(settings.folder, 'downloads');
  const transport = new HttpsEditionTransport({ url: parts.centralUrl, tls: parts.tls, clock });
  const central = centralRepository({
    transport,
    downloads,
    budget: new Budget(clock, settings.bytesPerSecond),
  });
  let asking = false;
  const ask = (): void => {
    // One that is under way, which may take hours, finds what is newer then by itself the next time.
    if (asking || !parts.linkIsUp()) return;
    asking = true;
    void editions.renew(central).finally(() => (asking = false));
  };
  const stops: (() => void)[] = [
    every(clock, ms(settings.pollSeconds * 1000), ask),
    every(clock, verifyEvery, () => void editions.verify()),
  ];
  const stick = await watchStick(parts, editions, downloads);
  return ok({
    current: () => editions.current(),
    state: () => editions.state(),
    linkIsUp: ask,
    rebuild: () => editions.rebuild(central),
    async close() {
      for (const stop of stops) stop();
      await stick?.close();
      // It stops what is under way before the connection that this uses goes.
      const closed = editions.close();
      transport.close();
      await closed;
    },
  });
}

/** A copy of the repository that appears in the folder of the settings is taken once it is still. */
async function watchStick(
  { settings: { seed }, clock }: EditionServiceParts,
  editions: Editions,
  downloads: string,
): Promise<FileWatch | undefined> {
  if (seed === undefined) return undefined;
  const metadata = join(seed, 'metadata');
  const repository = stickRepository(seed, downloads, clock);
  const from = await fileStamp(metadata);
  if (from !== 'absent') void editions.renew(repository, { atOnce: true });
  return watchFile({
    file: metadata,
    from,
    every: lookForStick,
    clock,
    still: true,
    changed: async () => {
      if ((await fileStamp(metadata)) !== 'absent') void editions.renew(repository, { atOnce: true });
      return true;
    },
  });
}

function every(clock: Clock, period: ReturnType<typeof ms>, act: () => void): () => void {
  let cancel = clock.after(period, again);
  function again(): void {
    act();
    cancel = clock.after(period, again);
  }
  return () => cancel();
}

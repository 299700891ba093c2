import { join } from 'node:path';
import {
  type EditionEvent,
  type Editions,
  type KeyRingParts,
  openEditions,
  openKeyRing,
  type Repository,
  stickRepository,
  workIn,
} from '#agent/editions/index.ts';
import type { WallTime } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { type Log, silentLog } from '#runtime/log.ts';
import { valueOf } from './bureau.ts';
import type { TestRepository } from './edition-repository.ts';

/** The file of the thread that works on editions, as its source. */
export const workerFile = join(import.meta.dirname, '../../agent/editions/worker.ts');

/** The offline copy of a terminal that is seeded from a folder: the real room with its real thread. */
export async function openTerminal(
  folder: string,
  repository: Pick<TestRepository, 'root' | 'secret'>,
  options: {
    readonly now: () => WallTime;
    readonly percent?: number;
    readonly log?: Log;
    readonly events?: EditionEvent[];
    readonly report?: (event: EditionEvent) => void;
    /** What it has to get later fingerprint keys with; none where nothing is said. */
    readonly keys?: Pick<KeyRingParts, 'terminal' | 'trusted' | 'wrapping'>;
  },
): Promise<Editions> {
  const log = options.log ?? silentLog;
  const none = { terminal: 'UTO-0001-1', trusted: [], wrapping: undefined };
  const ring = await openKeyRing({ folder, enrolled: [repository.secret], log, ...(options.keys ?? none) });
  return valueOf(
    await openEditions({
      folder,
      root: repository.root,
      secrets: () => ring.secrets(),
      obtainKey: (id, from, signal) => ring.obtain(id, from, signal),
      clock: systemClock,
      now: options.now,
      verified: options.now,
      log,
      work: workIn(workerFile),
      compactAt: { percent: options.percent ?? 2, days: 30 },
      report: (event) => {
        options.events?.push(event);
        options.report?.(event);
      },
      onChange: () => {},
    }),
  );
}

/** The repository itself, as if it were on a stick. */
export function stickOf(folder: string, terminal: string): Repository {
  return stickRepository(folder, join(terminal, 'downloads'), systemClock);
}

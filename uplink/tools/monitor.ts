import type { Fault } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import type { Children, Tool } from '#runtime/child.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { ip, nft } from './tools.ts';

/** What has changed: interfaces, addresses, routes and rules; or the rules of the firewall. */
export type Change = 'network' | 'firewall';

export interface NetworkWatch {
  close(): Promise<void>;
}

interface WatchParts {
  readonly children: Children;
  readonly clock: Clock;
  readonly random: () => number;
  /** Which are watched; both by default. */
  readonly changes?: readonly Change[];
  /**
   * Something may have changed: look. Comes with every line that the kernel's news are printed in, so often many times
   * for one change, and also after a time in which nothing was heard.
   */
  readonly onChange: (change: Change) => void;
  /** A watcher has ended by itself; it is started again. */
  readonly onFault: (change: Change, fault: Fault) => void;
}

const watchers: Readonly<Record<Change, readonly [tool: Tool, args: readonly string[]]>> = {
  network: [ip, ['monitor', 'link', 'address', 'route', 'rule']],
  firewall: [nft, ['monitor']],
};

/** One that ran so long was well. */
const provenAfter = ms(60_000);

/**
 * Listens to the kernel's news of this namespace through `ip monitor` and `nft monitor`. What they print is not read,
 * only that they print: what stands is looked up by whoever is told.
 */
export function watchNetwork(parts: WatchParts): NetworkWatch {
  const { changes = ['network', 'firewall'] } = parts;
  const stopping = new AbortController();
  const loops = changes.map((change) => keepWatching(change, parts, stopping.signal));
  return {
    async close() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

async function keepWatching(
  change: Change,
  { children, clock, random, onChange, onFault }: WatchParts,
  signal: AbortSignal,
): Promise<void> {
  const [tool, args] = watchers[change];
  const backoff = new Backoff(ms(500), ms(30_000), random);
  let first = true;
  while (!signal.aborted) {
    const started = clock.monotonic();
    const running = children.start(tool, args, { onLine: () => onChange(change) });
    const stop = (): void => void running.stop();
    signal.addEventListener('abort', stop, { once: true });
    // While none was running, something may have changed unheard.
    if (!first) onChange(change);
    first = false;
    const end = await running.ended;
    signal.removeEventListener('abort', stop);
    if (signal.aborted) return;
    if (!end.ok) onFault(change, end.fault);
    if (clock.monotonic() - started >= provenAfter) backoff.worked();
    await pause(clock, backoff.next(), signal);
  }
}

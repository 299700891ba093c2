import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { ms } from '#contracts/units.ts';
import { pause } from '#runtime/clock.ts';
import { type HubView, lookAtHubs, parseHandshakes } from './hubs.ts';
import type { Part, UplinkParts } from './part.ts';
import { step, wg } from './tools.ts';

export interface Watch {
  /** Settles with a fault when the interface can no longer be read, and well when it was closed. */
  readonly ended: Promise<Result<void>>;
  close(): Promise<void>;
}

/**
 * Looks at the tunnel again and again: says when a hub comes and goes, and feeds the service manager's watchdog by
 * each look that was done. A silent hub is news and no fault: restarting anything would not bring it back. The outer
 * half sees no hub from where it is, and only shows that its loop turns.
 */
export function watch(
  settings: UplinkSettings,
  part: Part,
  { clock, children, log, notifier }: Omit<UplinkParts, 'signal'>,
): Watch {
  const stopping = new AbortController();
  const every = ms(Math.min(settings.watchMillis, notifier.watchdogEvery ?? Infinity));
  const { interface: name } = settings;

  async function loop(): Promise<Result<void>> {
    let views: readonly HubView[] = [];
    let fed = clock.monotonic();
    await notifier.ready(words(part, views));
    while (!stopping.signal.aborted) {
      if (part !== 'outer') {
        const shown = await step(children, `looking at ${name}`, wg, ['show', name, 'latest-handshakes']);
        if (stopping.signal.aborted) break;
        if (!shown.ok) return fail(shown.fault.code, `${shown.fault.detail} The tunnel is gone.`);
        const next = lookAtHubs(settings, parseHandshakes(shown.value), views, clock.monotonic());
        await tell(views, next);
        views = next;
      }
      const now = clock.monotonic();
      if (notifier.watchdogEvery !== undefined && now - fed + every > notifier.watchdogEvery) {
        fed = now;
        await notifier.alive();
      }
      await pause(clock, every, stopping.signal);
    }
    return ok(undefined);
  }

  async function tell(before: readonly HubView[], now: readonly HubView[]): Promise<void> {
    const changed = now.filter((view) => before.find(({ name }) => name === view.name)?.state !== view.state);
    for (const { name: hub, state } of changed) {
      if (state === 'up') log.info('A hub answers', { hub });
      else if (state === 'silent') log.warn('A hub is silent', { hub });
      else log.info('Waiting for a hub', { hub });
    }
    if (changed.length > 0) await notifier.status(words(part, now));
  }

  const ended = loop();
  return {
    ended,
    async close() {
      stopping.abort();
      await ended;
    },
  };
}

function words(part: Part, views: readonly HubView[]): string {
  if (part === 'outer') return 'The interface is in its namespace';
  return views.length === 0 ? 'Configured' : views.map(({ name, state }) => `${name} ${state}`).join(', ');
}

import type { Fault } from '#contracts/result.ts';
import { type Millis, type MonotonicTime, ms } from '#contracts/units.ts';
import type { UplinkStatus } from '#contracts/uplink.ts';
import type { Clock } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { watchUplink } from '#runtime/uplink-client.ts';
import { FirewallWatch } from './firewall-watch.ts';

/** What is known of the uplink: nothing yet or no helper here, that its helper is gone, or what it says. */
export type UplinkView =
  | { readonly helper: 'none' }
  | { readonly helper: 'absent' }
  | { readonly helper: 'present'; readonly status: UplinkStatus; readonly firewallTouched: boolean };

export interface UplinkWatchParts {
  /** The control socket; null where this machine has no helper. */
  readonly socket: string | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Called when something changed that somebody may act upon. */
  readonly onChange: () => void;
}

export interface UplinkWatch {
  view(): UplinkView;
  close(): Promise<void>;
}

/**
 * The helper may be away so long before it counts as gone: it is started again in that time, and a terminal that boots
 * starts the agent before it. Until then what it said last stands.
 */
const grace: Millis = ms(15_000);

/** Watches the helper of the uplink. Without it the agent does everything else as before. */
export function watchHelper(parts: UplinkWatchParts): UplinkWatch {
  const { socket, clock, random, log, onChange } = parts;
  if (socket === null) return { view: () => ({ helper: 'none' }), close: () => Promise.resolve() };
  const stopping = new AbortController();
  const firewall = new FirewallWatch(clock);
  let last: UplinkStatus | undefined;
  let gone = false;
  let missedSince: MonotonicTime | undefined;
  let cancel = (): void => {};

  const onStatus = (status: UplinkStatus): void => {
    cancel();
    if (missedSince !== undefined) log.info('The helper of the uplink answers');
    missedSince = undefined;
    const touched = firewall.see(status.firewall.restored);
    const news = gone || touched || last === undefined || actedUpon(last) !== actedUpon(status);
    last = status;
    gone = false;
    if (news) onChange();
  };
  const onAbsent = (fault: Fault): void => {
    if (missedSince !== undefined) return;
    missedSince = clock.monotonic();
    log.warn('The helper of the uplink does not answer', faultFields(fault));
    cancel = clock.after(grace, () => {
      gone = true;
      last = undefined;
      onChange();
    });
  };
  const watching = watchUplink(socket, { clock, random, onStatus, onAbsent, signal: stopping.signal });
  return {
    view() {
      if (last !== undefined) return { helper: 'present', status: last, firewallTouched: firewall.touched() };
      return { helper: gone ? 'absent' : 'none' };
    },
    async close() {
      cancel();
      stopping.abort();
      await watching;
    },
  };
}

/** Everything of a status but what moves all the time: ages, figures, what was tried. */
function actedUpon(status: UplinkStatus): string {
  const { state, carrying, uplinks, hubs, firewall, inner, configuration, faults } = status;
  return JSON.stringify([
    state,
    carrying?.uplink,
    carrying?.hub,
    uplinks.map((line) => [line.name, line.state, line.overBudget]),
    hubs.map((hub) => [hub.name, hub.state, hub.key.state]),
    firewall.state,
    inner,
    configuration.state,
    faults.map(({ code }) => code),
  ]);
}

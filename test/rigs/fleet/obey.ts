import { memoryUsage, resourceUsage } from 'node:process';
import type { PlayedLoad } from './load.ts';
import type { FleetAnswer, FleetCounts, FleetOrder } from './orders.ts';
import type { MadeUpFleet } from './places.ts';
import type { PlayedTerminal } from './terminal.ts';

/** The terminals that are played in this process, and their places, of which others may be played elsewhere. */
export interface Played {
  readonly terminals: ReadonlyMap<string, PlayedTerminal>;
  readonly places: MadeUpFleet;
  readonly load: PlayedLoad;
}

/** Does what was asked. */
export async function obey(fleet: Played, order: FleetOrder): Promise<FleetAnswer> {
  switch (order.do) {
    case 'count':
      return { ok: true, counts: countsOf(fleet) };
    case 'list':
      return {
        ok: true,
        streams: [...fleet.terminals.values()].map(({ id, outbox, hurts }) => ({
          terminal: id,
          stream: outbox.stream(),
          last: outbox.last,
          acknowledged: outbox.acknowledgedEver,
          hurts: [...hurts],
        })),
      };
    case 'load':
      if (order.on) fleet.load.start();
      else fleet.load.stop();
      return { ok: true };
    case 'cut':
    case 'restore':
      return onSite(fleet, order.site, (terminal) =>
        order.do === 'cut' ? terminal.cutLine() : terminal.mendLine(),
      );
    default: {
      const { terminal: id } = order;
      const chosen = id === undefined ? [...fleet.terminals.values()] : [fleet.terminals.get(id)];
      for (const terminal of chosen) {
        if (terminal === undefined) return { ok: false, detail: `There is no played terminal ${id}.` };
        await onTerminal(terminal, order);
      }
      return { ok: true };
    }
  }
}

type OfTerminal = Extract<FleetOrder, { readonly do: 'hurt' | 'heal' | 'stop' | 'start' }>;

async function onTerminal(terminal: PlayedTerminal, order: OfTerminal): Promise<void> {
  switch (order.do) {
    case 'hurt':
      return terminal.hurt(order.what);
    case 'stop':
      return terminal.cutPower();
    case 'heal':
      terminal.heal();
      terminal.mendLine();
      return terminal.start();
    default:
      return terminal.start();
  }
}

function onSite(
  fleet: Played,
  site: string | undefined,
  act: (terminal: PlayedTerminal) => void,
): FleetAnswer {
  const chosen = fleet.places.terminals.filter((one) => site === undefined || one.site === site);
  if (chosen.length === 0) return { ok: false, detail: `There is no made-up site ${site}.` };
  for (const { terminal } of chosen) {
    const played = fleet.terminals.get(terminal);
    if (played !== undefined) act(played);
  }
  return { ok: true };
}

function countsOf(fleet: Played): FleetCounts {
  const all = [...fleet.terminals.values()];
  const sum = (of: (one: PlayedTerminal) => number): number => all.reduce((so, one) => so + of(one), 0);
  const { userCPUTime, systemCPUTime } = resourceUsage();
  return {
    terminals: all.length,
    connected: all.filter((one) => one.connected).length,
    owed: sum(({ outbox }) => outbox.depth()),
    acknowledged: sum(({ outbox }) => outbox.acknowledgedEver),
    reports: sum(({ reports }) => reports),
    memoryMiB: Math.round(memoryUsage().rss / 2 ** 20),
    cpuSeconds: Math.round((userCPUTime + systemCPUTime) / 1e4) / 100,
  };
}

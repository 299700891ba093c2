import type { PlayedFleet } from '#test/rigs/fleet/fleet.ts';
import { type Hurt, hurts } from '#test/rigs/fleet/health.ts';
import type { PlayedTerminal } from '#test/rigs/fleet/terminal.ts';

/** What can be done to the made-up terminals; each says what it did, and to whom. */
export interface FleetScene {
  readonly ofFleet: true;
  readonly key: string;
  readonly title: string;
  play(fleet: PlayedFleet, random: () => number): Promise<string>;
}

/** One that runs and that nothing is wrong with, or any of them. */
function pick(fleet: PlayedFleet, random: () => number): PlayedTerminal {
  const all = [...fleet.terminals.values()];
  const well = all.filter(({ connected, hurts: wrong }) => connected && wrong.length === 0);
  const from = well.length > 0 ? well : all;
  const [first] = all;
  const chosen = from[Math.floor(random() * from.length)] ?? first;
  if (chosen === undefined) throw new Error('The made-up fleet has no terminal.');
  return chosen;
}

export const fleetScenes: readonly FleetScene[] = [
  {
    ofFleet: true,
    key: 'h',
    title: 'hurt one of the made-up terminals',
    async play(fleet, random) {
      const terminal = pick(fleet, random);
      const kinds = Object.keys(hurts) as Hurt[];
      const what = kinds[Math.floor(random() * kinds.length)] ?? 'unplug-reader';
      terminal.hurt(what);
      return `${terminal.id}: ${hurts[what]}`;
    },
  },
  {
    ofFleet: true,
    key: 'k',
    title: 'cut the power of one of them',
    async play(fleet, random) {
      const terminal = pick(fleet, random);
      await terminal.cutPower();
      return `${terminal.id}: its power is cut`;
    },
  },
  {
    ofFleet: true,
    key: 'l',
    title: 'cut every uplink of one of their sites',
    async play(fleet, random) {
      const { id } = pick(fleet, random);
      const site = fleet.places.terminals.find(({ terminal }) => terminal === id)?.site ?? '';
      await fleet.obey({ do: 'cut', site });
      return `${site}: every uplink is cut`;
    },
  },
  {
    ofFleet: true,
    key: 'o',
    title: 'heal all of them',
    async play(fleet) {
      await fleet.obey({ do: 'heal' });
      return 'nothing is wrong with any of them';
    },
  },
];

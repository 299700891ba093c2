import { setTimeout as pause } from 'node:timers/promises';
import type { FleetView } from '#contracts/api/routes.ts';
import { eventually } from '../rigs/eventually.ts';
import { FleetCentre, type RunningController } from '../rigs/fleet/centre.ts';
import { compare, type Compared } from '../rigs/fleet/compare.ts';
import { FleetSimulator } from '../rigs/fleet/simulator.ts';
import { seeded } from '../rigs/random.ts';
import type { ProofOptions } from './proof.ts';

/** What the proof saw. */
export interface FleetCounts extends Compared {
  readonly kills: number;
  /** Kills that fell while terminals owed something to the centre. */
  readonly killsWithDebt: number;
  readonly terminals: number;
  /** Terminals that one of the controllers shows otherwise than they are at the end. */
  readonly wrong: number;
}

/** The broker keeps what comes for a controller that is gone for 20 s: one kill in ten is followed by more. */
const longDown = { every: 10, millis: 25_000 };

/**
 * Two controllers share what 40 terminals say, each an item a second and many changes of state, on one PostgreSQL. One of
 * them is killed (SIGKILL) at a random moment and started again, `count` times. Then everything is let run dry: every item
 * must be in the database exactly once, and both must show every terminal as it is.
 */
export async function proveFleet({ count, seed, folder, say }: ProofOptions): Promise<FleetCounts> {
  const random = seeded(seed);
  const terminals = 40;
  const centre = await FleetCentre.prepare({ folder, store: 'postgres', controllers: 2 });
  const simulator = new FleetSimulator(centre, {
    folder,
    terminals,
    sites: 20,
    seed,
    itemSeconds: 1,
    hurtsPerMinute: 300,
    sampleSeconds: 5,
  });
  try {
    await simulator.prepare();
    await centre.start();
    await simulator.start();
    await eventually(async () => (await simulator.counts()).acknowledged >= terminals, {
      timeoutMs: 60_000,
      what: 'the first items being acknowledged',
    });
    let killsWithDebt = 0;
    for (let kill = 1; kill <= count; kill++) {
      await pause(500 + random() * 2000);
      const victim = centre.controllers[Math.floor(random() * 2)] as RunningController;
      if (!victim.process.running) throw new Error(`${victim.name} ended by itself; see ${folder}/logs`);
      if ((await simulator.counts()).owed > 0) killsWithDebt++;
      await victim.process.stop('SIGKILL');
      if (kill % longDown.every > 0) await pause(random() * 3000);
      else await stayDown(simulator, kill === count);
      await victim.process.start();
      const { acknowledged, owed } = await simulator.counts();
      say(`${kill} of ${count} kills, ${acknowledged} items acknowledged, ${owed} owed`);
    }
    await simulator.order({ do: 'load', on: false });
    await eventually(
      async () => {
        const { connected, owed } = await simulator.counts();
        return connected === terminals && owed === 0;
      },
      { timeoutMs: 120_000, everyMs: 200, what: 'everything owed having arrived' },
    );
    // What the broker kept for the one that was killed last comes with its next session.
    await eventually(async () => (await wrongOf(centre, simulator)).size === 0, {
      timeoutMs: 60_000,
      everyMs: 500,
      what: 'both controllers showing every terminal as it is',
    }).catch(() => {});
    const wrong = await wrongOf(centre, simulator);
    for (const words of wrong.values()) say(words);
    const compared = compare(centre, await simulator.streams());
    return { kills: count, killsWithDebt, terminals, ...compared, wrong: wrong.size };
  } finally {
    await simulator.stop();
    await centre.close();
  }
}

/** At the end nothing happens any more after some seconds: what got lost then is not said again. */
async function stayDown(simulator: FleetSimulator, last: boolean): Promise<void> {
  const some = 4000;
  await pause(some);
  if (last) await simulator.order({ do: 'load', on: false });
  await pause(longDown.millis - some);
}

/** Terminals that a controller shows otherwise than they are, each in words. */
async function wrongOf(centre: FleetCentre, simulator: FleetSimulator): Promise<ReadonlyMap<string, string>> {
  const played = new Map((await simulator.streams()).map((one) => [one.terminal, one.hurts]));
  const wrong = new Map<string, string>();
  for (const { name, url } of centre.controllers) {
    const response = await fetch(`${url}/api/v1/fleet`);
    const { terminals } = (await response.json()) as FleetView;
    for (const { terminal, state, conditions } of terminals) {
      const absent = conditions.some(({ code }) => code === 'reader-absent');
      const isHurt = played.get(terminal)?.includes('unplug-reader') === true;
      if (state === 'online' && absent === isHurt) continue;
      const is = `online, its reader ${isHurt ? 'absent' : 'there'}`;
      wrong.set(
        terminal,
        `${name} shows ${terminal} ${state}, its reader ${absent ? 'absent' : 'there'}; it is ${is}`,
      );
    }
  }
  return wrong;
}

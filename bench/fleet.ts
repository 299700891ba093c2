import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { TerminalRow } from '#contracts/api/fleet.ts';
import { EventReader } from '#test/rigs/event-source.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { FleetCentre } from '#test/rigs/fleet/centre.ts';
import { compare } from '#test/rigs/fleet/compare.ts';
import { FleetSimulator } from '#test/rigs/fleet/simulator.ts';
import { cpuSecondsOf, residentMiB } from '#test/rigs/fleet/usage.ts';
import { type BenchOptions, type Figure, percentile, round } from './bench.ts';

interface Case {
  readonly store: 'sqlite' | 'postgres';
  readonly terminals: number;
  readonly minutes: number;
}

/** Each owes an item so often, in seconds, and so many readers are unplugged in a minute: those are what is timed. */
const load = { itemSeconds: 300, hurtsPerMinute: 120 };
const outageSeconds = 60;
const settledWithin = 180;

/**
 * Played terminals with the agent's own link code, each reporting once a minute, on one controller: how long from a
 * reader that is unplugged until the console is told, what it takes of the machine, and how long until all are settled
 * after the broker was away. Everything runs on this machine, the simulator too.
 */
export async function benchFleet(options: BenchOptions): Promise<Figure[]> {
  const given = { terminals: options.terminals, minutes: options.minutes };
  const of = (store: Case['store'], terminals: number): Case => ({
    store,
    terminals: given.terminals ?? (options.small ? 200 : terminals),
    minutes: given.minutes ?? (options.small ? 1 : 5),
  });
  const cases = [of('sqlite', 5000), of('postgres', 10_000)].filter(
    ({ store }) => options.store === undefined || store === options.store,
  );
  const figures: Figure[] = [];
  for (const one of cases) figures.push(...(await measure(one, options)));
  return figures;
}

async function measure(one: Case, options: BenchOptions): Promise<Figure[]> {
  const { store, terminals, minutes } = one;
  const say = (text: string): void => options.say(`${store}, ${terminals} terminals: ${text}`);
  const folder = join(options.folder, store);
  const centre = await FleetCentre.prepare({ folder, store, controllers: 1 });
  const simulator = new FleetSimulator(centre, {
    folder,
    terminals,
    sites: Math.ceil(terminals / 2),
    ...load,
  });
  try {
    say('making certificates');
    await simulator.prepare();
    await centre.start();
    // While new ones come, some are always on their way.
    const settled = (mostOwed: number): Promise<number> =>
      untilSettled(centre, simulator, terminals, mostOwed);
    await simulator.start();
    say(`all connected and settled after ${round(await settled(terminals / 50))} s`);

    const usage = new Usage(centre, simulator);
    const latencies = await timeHurts(centre, minutes * 60_000);
    const used = usage.since();
    say(`${latencies.length} unplugged readers timed, p99 ${percentile(latencies, 0.99)} ms`);

    await centre.broker.stop();
    await pause(outageSeconds * 1000);
    await simulator.order({ do: 'load', on: false });
    await centre.startBroker();
    const back = await settled(0);
    say(`after an outage of ${outageSeconds} s all are settled in ${round(back)} s`);
    const compared = compare(centre, await simulator.streams());
    const name = `${terminals} terminals, ${store === 'sqlite' ? 'SQLite' : 'PostgreSQL'}`;
    const figure = (of: string, value: number, unit: Figure['unit'], target?: number): Figure => ({
      name,
      case: of,
      value: round(value),
      unit,
      ...(target !== undefined && { target }),
    });
    return [
      figure('unplugged reader to console, median', percentile(latencies, 0.5), 'ms'),
      figure('unplugged reader to console, p99', percentile(latencies, 0.99), 'ms', 2000),
      ...used.flatMap(({ part, cores, memory }) => [
        figure(`${part}, processor`, cores * 100, '% of a core'),
        figure(`${part}, memory`, memory, 'MiB'),
      ]),
      figure(`all settled after an outage of ${outageSeconds} s`, back, 's', settledWithin),
      figure('items owed', compared.owed, 'count'),
      figure('items lost', compared.lost, 'count', 1),
      figure('items doubled', compared.doubled, 'count', 1),
      figure('streams behind', compared.behind, 'count', 1),
    ];
  } finally {
    await simulator.stop();
    await centre.close();
  }
}

/** Seconds until every terminal is connected, all together owe no more than so many items, and the centre knows it to be online. */
async function untilSettled(
  centre: FleetCentre,
  simulator: FleetSimulator,
  terminals: number,
  mostOwed: number,
): Promise<number> {
  const began = performance.now();
  await eventually(
    async () => {
      const { connected, owed } = await simulator.counts();
      if (connected < terminals || owed > mostOwed) return false;
      return (await centre.state()).terminals.online === terminals;
    },
    { timeoutMs: 900_000, everyMs: 1000, what: 'everybody being settled' },
  );
  return (performance.now() - began) / 1000;
}

/** Milliseconds from each unplugged reader, by the stamp of its terminal, until the console's live event of it is here. */
async function timeHurts(centre: FleetCentre, forMillis: number): Promise<number[]> {
  const latencies: number[] = [];
  const before = Date.now();
  const seen = new Set<string>();
  const live = await EventReader.connect(`${centre.controllers[0]?.url}/api/v1/live`);
  live.onEvent(({ event, data }) => {
    if (event !== 'terminal') return;
    const now = Date.now();
    const { terminal, conditions } = data as TerminalRow;
    for (const { code, since } of conditions) {
      const key = `${terminal} ${since}`;
      if (code !== 'reader-absent' || seen.has(key) || Date.parse(since) < before) continue;
      seen.add(key);
      latencies.push(now - Date.parse(since));
    }
  });
  await pause(forMillis);
  live.close();
  return latencies;
}

/** Processor time of the parts over a while, and their memory at its end. */
class Usage {
  readonly #parts: Readonly<Record<string, () => readonly number[]>>;
  readonly #before: Readonly<Record<string, number>>;
  readonly #began = performance.now();

  constructor(centre: FleetCentre, simulator: FleetSimulator) {
    this.#parts = {
      broker: () => [centre.broker.pid],
      controller: () => centre.controllers.map(({ process }) => process.pid),
      database: () => centre.databasePids(),
      simulator: () => simulator.pids(),
    };
    this.#before = this.#now();
  }

  since(): { readonly part: string; readonly cores: number; readonly memory: number }[] {
    const seconds = (performance.now() - this.#began) / 1000;
    const after = this.#now();
    return Object.entries(this.#parts).flatMap(([part, pids]) => {
      if (pids().length === 0) return [];
      const cores = ((after[part] ?? 0) - (this.#before[part] ?? 0)) / seconds;
      return [{ part, cores, memory: residentMiB(pids()) }];
    });
  }

  #now(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      Object.entries(this.#parts).map(([part, pids]) => [part, cpuSecondsOf(pids())]),
    );
  }
}

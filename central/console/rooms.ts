import type { CentreState } from '#contracts/api/fleet.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Clock } from '#runtime/clock.ts';
import type { AlertBook } from '../alerts/index.ts';
import type { Controller } from '../controller/index.ts';
import type { Orders } from '../orders/index.ts';
import type { Db } from '../store/index.ts';
import { RoomChanges } from './room-changes.ts';
import type { AlertSource, BundleSource, ConsoleSource, FleetSource, OrderSource } from './source.ts';

/** The rooms of the centre that the console shows. */
export interface RoomParts {
  readonly db: Db;
  readonly clock: Clock;
  readonly controller: Controller;
  readonly alerts: AlertBook;
  readonly orders: Orders;
  readonly bundles: BundleSource;
  readonly centre: () => CentreState;
  /** In the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
}

const longestPage = 1000;
/** More alerts than this stand nowhere that anybody would look through. */
const mostStanding = 20_000;

/** Fits the rooms to what the console asks; `close` ends its listening to them. */
export function sourceOfRooms(parts: RoomParts): ConsoleSource & { close(): void } {
  const orders = orderSource(parts);
  const changes = new RoomChanges({ ...parts, wave: (id) => orders.wave(id) });
  return {
    fleet: fleetSource(parts),
    alerts: alertSource(parts.alerts),
    orders,
    bundles: parts.bundles,
    subscribe: (listener) => changes.subscribe(listener),
    metrics: parts.metrics,
    close: () => changes.close(),
  };
}

function fleetSource({ controller, centre }: RoomParts): FleetSource {
  const { fleet, timeline, history } = controller;
  const absent = (id: string): Result<never> => fail('NOT_FOUND', `There is no terminal ${id}.`);
  return {
    sites: () => fleet.sites(),
    terminals: () => fleet.terminals(),
    bureauOf: (terminal) => fleet.terminal(terminal)?.bureau,
    async detail(terminal) {
      const found = await fleet.detail(terminal);
      if (!found.ok) return found;
      return found.value === undefined ? absent(terminal) : ok(found.value);
    },
    async series(terminal, { metric, from, to, points }) {
      if (fleet.terminal(terminal) === undefined) return absent(terminal);
      const [first, last] = [from, to].map((at) => Math.floor(Date.parse(at) / 1000));
      if (first === undefined || last === undefined || !(first < last))
        return fail('REQUEST_INVALID', 'from must be before to.');
      return history.series(terminal, metric, first, last, points);
    },
    events: (query) => timeline.page(query),
    hits: (query) => fleet.hits.page(query),
    centre,
  };
}

function alertSource(book: AlertBook): AlertSource {
  return {
    async list(query) {
      const page = await book.list(query);
      return page.ok ? ok(page.value.alerts) : page;
    },
    async standing() {
      const all = [];
      for (let before: number | null | undefined; before !== null && all.length < mostStanding;) {
        const page = await book.list({
          which: 'standing',
          limit: longestPage,
          ...(before !== undefined && { before }),
        });
        if (!page.ok) return page;
        all.push(...page.value.alerts);
        before = page.value.next;
      }
      return ok(all);
    },
    byId: (id) => book.byId(id),
    acknowledge: (id, { note }, by) => book.acknowledge(id, note, by),
    silence: (id, { minutes, note }, by) => book.silence(id, minutes, note, by),
    maintenance: (all) => book.maintenance.list(all),
    maintenanceById: (id) => book.maintenance.byId(id),
    plan: (planned, by) => book.addMaintenance(planned, by),
    end: (id, by) => book.endMaintenance(id, by),
  };
}

function orderSource({ db, orders, controller }: RoomParts): OrderSource {
  const { layers, signed, desired, commands, waves } = orders;
  return {
    layers: () => layers.list(),
    preview: (change) => layers.preview(change),
    putLayer: (change, by) => layers.put(change, by),
    putLimits: (envelope, by) => signed.upload(envelope, by),
    putUplink: (envelope, by) => signed.upload(envelope, by),
    configuration: (terminal) => desired.configuration(terminal),
    async command(terminal, command, by) {
      // A command quotes the session: one that was begun a moment ago must be known here.
      await controller.fleet.refresh();
      return commands.order(terminal, command, by);
    },
    commands: (query) => commands.list(query),
    waves: (query) => waves.list(query),
    async wave(id) {
      const wave = await waves.get(id);
      if (!wave.ok) return wave;
      const row = await db.read((tx) =>
        tx.get<{ bureau: string | null }>('SELECT bureau FROM waves WHERE id = ?', id),
      );
      return row.ok ? ok({ wave: wave.value, bureau: row.value?.bureau ?? null }) : row;
    },
    startWave: (wave, by) => waves.start(wave, by),
    stopWave: (id, by) => waves.stop(id, by),
  };
}

import { randomFillSync } from 'node:crypto';
import type { CentreState } from '#contracts/api/fleet.ts';
import type { Condition } from '#contracts/health.ts';
import { ok, type Result } from '#contracts/result.ts';
import type { CentralSettings } from '#contracts/settings/central.ts';
import { ms } from '#contracts/units.ts';
import { type Clock, instant, pause } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import {
  Access,
  accessSchema,
  afterRestore as accessAfterRestore,
  createAudit,
  serveDesk,
} from './access/index.ts';
import {
  afterRestore as alertsAfterRestore,
  type AlertBook,
  AlertTask,
  alertsSchema,
  createRouting,
  openAlertBook,
  StoreAlarm,
} from './alerts/index.ts';
import { backupSchema, settleRestore } from './backup/index.ts';
import { CentreConditions, Leading } from './centre/index.ts';
import { sourceOfRooms, startConsole } from './console/index.ts';
import { addEvent, type Controller, controllerSchema, startController } from './controller/index.ts';
import { startLookupService } from './lookup/index.ts';
import { certificateFigures, createMetrics, storeFigures, watchProcess } from './metrics/index.ts';
import {
  afterRestore as ordersAfterRestore,
  createOrders,
  ordersSchema,
  readOrderKeys,
} from './orders/index.ts';
import { createRepositoryHandler, describeRepositoryIn } from './publisher/index.ts';
import { openCentralDb, openRegistries, type Schema } from './store/index.ts';

/** What the centre is given from outside itself. */
export interface CentralParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly version: string;
  /** Folder of the built operators' page. */
  readonly pageDir: string;
}

export interface Central {
  readonly consoleUrl: string;
  readonly lookupUrl: string;
  close(): Promise<void>;
}

/** The tables of every room. */
export const centralSchemas: readonly Schema[] = [
  controllerSchema,
  alertsSchema,
  ordersSchema,
  accessSchema,
  backupSchema,
];

/** How often it is looked which edition is the newest. */
const editionEvery = ms(60_000);
/** How often it is looked which ways to tell people fail. */
const channelsEvery = ms(10_000);

/**
 * The composition root of the centre: lookups first, since officers wait for them; then the database and what is known
 * of the fleet, which needs no broker to start; then the page that shows it, and the leader's work. `close` stops them in
 * the reverse order.
 */
export async function startCentral(settings: CentralSettings, parts: CentralParts): Promise<Result<Central>> {
  const { clock, random, log } = parts;
  const closers: (() => void | Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  const refuse = async <T extends { readonly ok: false }>(result: T): Promise<T> => {
    await stop();
    return result;
  };
  const room = (name: string): Log => log.with({ room: name });
  const randomBytes = (into: Uint8Array): Uint8Array => randomFillSync(into);
  log.info('Starting', { version: parts.version });

  const metrics = createMetrics({ log: room('metrics') });
  const watched = watchProcess();
  closers.push(() => watched.close());

  // What the settings name must be there before anything is opened.
  const routing = createRouting(settings.notifications);
  if (!routing.ok) return refuse(routing);
  const keys = readOrderKeys(settings.orders);
  if (!keys.ok) return refuse(keys);

  // Lookups.
  const repository = settings.editions?.repository;
  const lookup = await startLookupService(settings, {
    clock,
    log: room('lookup'),
    ...(repository !== undefined && { editions: createRepositoryHandler({ folder: repository }) }),
  });
  if (!lookup.ok) return refuse(lookup);
  closers.push(() => lookup.value.close());

  // Registry and database.
  const registry = await openRegistries(settings, { clock, log: room('registry') });
  if (!registry.ok) return refuse(registry);
  closers.push(() => registry.value.close());
  const opened = await openCentralDb(settings, centralSchemas, { clock, random });
  if (!opened.ok) return refuse(opened);
  const { db, setAside } = opened.value;
  closers.push(() => db.close());
  if (setAside !== undefined)
    log.error('The database was damaged and set aside', { code: 'STORE_CORRUPT', file: setAside });

  const restored = await settleRestore(db, clock, [
    (tx) => ordersAfterRestore(tx, clock),
    alertsAfterRestore,
    accessAfterRestore,
  ]);
  if (!restored.ok) return refuse(restored);
  if (restored.value !== undefined)
    log.warn('The database was restored from a backup', { takenAt: restored.value.takenAt });

  // Who may come in, and the record of what they change.
  const access = Access.create({ settings: settings.console, db, clock, log: room('access') });
  if (!access.ok) return refuse(access);
  const audit = createAudit(clock);
  const desk = await serveDesk({ state: settings.state, db, clock, log: room('access') });
  closers.push(() => desk.close());

  // Alerts, orders, and the controller that both hear of terminals from.
  const alerts = await openAlertBook({
    db,
    clock,
    log: room('alerts'),
    settings: settings.alerts,
    routing: routing.value,
    audit,
  });
  if (!alerts.ok) return refuse(alerts);
  closers.push(() => alerts.value.close());
  let controller: Controller | undefined;
  const orders = await createOrders({
    db,
    registry: registry.value,
    link: {
      publish: (topic, payload, options) => running(controller).link.publish(topic, payload, options),
      onConnected: (listener) => running(controller).link.onConnected(listener),
    },
    session: (terminal) => running(controller).fleet.session(terminal),
    audit,
    addEvent,
    ...keys.value,
    clock,
    random: randomBytes,
    keepDays: settings.controller.timelineDays,
    log: room('orders'),
  });
  if (!orders.ok) return refuse(orders);
  closers.push(() => orders.value.close());
  const started = await startController(settings, {
    db,
    registry: registry.value,
    clock,
    random,
    log: room('controller'),
    consumers: [orders.value.consumer],
    wanted: (terminal) => orders.value.desired.wanted(terminal),
    inMaintenance: (terminal) => {
      const place = registry.value.find(terminal);
      return place !== undefined && alerts.value.inMaintenance(place);
    },
    counts: metrics.counts,
  });
  if (!started.ok) return refuse(started);
  controller = started.value;
  closers.push(() => started.value.close());
  const { fleet, leaderTask } = started.value;
  closers.push(registry.value.onChange(() => orders.value.registryChanged()));

  // The centre's own state.
  const edition = watchEdition(repository, clock);
  closers.push(() => edition.close());
  const conditions = new CentreConditions(clock, settings.staleSeconds);
  const ownConditions = () => {
    const facts = started.value.facts();
    return conditions.of({
      ...facts,
      collectionDate: lookup.value.counts().collectionDate,
      editionDate: edition.date(),
      leads: leading.leads,
      alone: db.kind === 'sqlite',
    });
  };
  const channels = watchChannels(alerts.value, clock);
  closers.push(() => channels.close());
  const centre = (): CentreState => {
    const { instance, brokerConnected, terminals, refused } = started.value.facts();
    return {
      version: parts.version,
      instance,
      leads: leading.leads,
      brokerConnected,
      store: db.kind,
      terminals,
      conditions: [...ownConditions(), ...channels.conditions()],
      refused,
    };
  };

  // What one process does for all.
  const alertTask = new AlertTask({
    db,
    source: { all: () => fleet.troubles(), of: (terminals) => fleet.troubles(terminals) },
    centreTroubles: ownConditions,
    maintenance: alerts.value.maintenance,
    settings: settings.alerts,
    routing: routing.value,
    giveUpHours: settings.notifications.giveUpHours,
    clock,
    random,
    randomBytes,
    log: room('alerts'),
    told: (delivered) => metrics.counts.notified(delivered),
    record: (tx, { terminal, site, severity, text }) =>
      addEvent(tx, {
        at: instant(clock.wall()),
        terminal,
        site,
        bureau: site === null ? null : (registry.value.sites().get(site)?.bureau ?? null),
        kind: 'alert',
        text,
        severity,
      }),
  });
  const storeAlarm = new StoreAlarm({
    db,
    routing: routing.value,
    delay: ms(settings.alerts.errorDelaySeconds * 1000),
    clock,
    randomBytes,
    log: room('alerts'),
  });
  storeAlarm.start();
  closers.push(() => storeAlarm.stop());
  const leading: Leading = new Leading({
    db,
    clock,
    log,
    tasks: [
      (signal) => leaderTask.run(signal),
      ...orders.value.tasks,
      async (signal) => {
        alertTask.start();
        await aborted(signal);
        await alertTask.stop();
      },
    ],
  });
  closers.push(() => leading.close());

  // The page and its API.
  const source = sourceOfRooms({
    db,
    clock,
    controller: started.value,
    alerts: alerts.value,
    orders: orders.value,
    bundles: lookup.value.bundles,
    centre,
    metrics: () =>
      metrics.text({
        version: parts.version,
        terminals: () => fleet.terminals(),
        figures: () => storeFigures(db, clock),
        connected: () => started.value.facts().brokerConnected,
        leads: () => leading.leads,
        store: { kind: db.kind, errors: () => db.errors() },
        lookups: () => lookup.value.counts(),
        editionDate: () => edition.date() ?? undefined,
        certificates: () =>
          certificateFigures({
            lookup: settings.tls.certificate,
            controller: settings.controller.certificate,
            console: settings.console.tls?.certificate,
          }),
        process: () => watched.figures(),
        now: () => clock.wall(),
      }),
  });
  closers.push(() => source.close());
  const console = await startConsole({
    settings: settings.console,
    source,
    access: access.value,
    asked: (route, status) => metrics.counts.request(route, status),
    pageDir: parts.pageDir,
    log: room('console'),
    clock,
  });
  if (!console.ok) return refuse(console);
  closers.push(() => console.value.close());

  return ok({ consoleUrl: console.value.url, lookupUrl: lookup.value.url, close: stop });
}

/** Nothing is asked of the controller before it has started: what it takes part in is built first. */
function running(controller: Controller | undefined): Controller {
  if (controller === undefined) throw new Error('the controller was asked before it was started');
  return controller;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The ways to tell people that fail, looked at now and then. */
function watchChannels(book: AlertBook, clock: Clock) {
  const ending = new AbortController();
  let found: readonly Condition[] = [];
  const look = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const failing = await book.conditions();
      if (failing.ok) found = failing.value;
      await pause(clock, channelsEvery, ending.signal);
    }
  };
  void look();
  return { conditions: () => found, close: () => ending.abort() };
}

/** When the newest edition was published, looked at now and then: undefined without a repository, null where it is empty. */
function watchEdition(folder: string | undefined, clock: Clock) {
  const ending = new AbortController();
  let date: string | null | undefined;
  const look = async (repository: string): Promise<void> => {
    while (!ending.signal.aborted) {
      const found = await describeRepositoryIn(repository);
      date = found.ok ? found.value.date : (date ?? null);
      await pause(clock, editionEvery, ending.signal);
    }
  };
  if (folder !== undefined) void look(folder);
  return { date: () => date, close: () => ending.abort() };
}

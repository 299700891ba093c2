import type { AlertRow, TerminalRow } from '#contracts/console.ts';
import { ok, type Result } from '#contracts/result.ts';
import type { CentralSettings } from '#contracts/settings/central.ts';
import { ms, type Seconds, seconds } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import { openMqttLink } from '#runtime/mqtt-link.ts';
import { readCredentials } from './credentials.ts';
import { Ingest } from './ingest.ts';
import { createMetrics, type LookupCounts } from './metrics.ts';
import { openRegistry } from '../store/index.ts';
import { Session } from './session.ts';
import { openControllerStore } from './store.ts';

export interface ControllerParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** For the metrics. */
  readonly lookups: () => LookupCounts;
  /** A broker that is silent for half as long again is given up; default 15 s. */
  readonly keepAlive?: Seconds;
}

/** Listener of all that changes: each row is a whole view that replaces the one before. */
export interface ControllerListener {
  terminal(row: TerminalRow): void;
  alert(row: AlertRow): void;
}

/** The state of the fleet and what it owed, as it has arrived; the source of the operators' page. */
export interface Controller {
  /** Every registered terminal, by id. */
  terminals(): TerminalRow[];
  /** The latest alerts, newest first. */
  alerts(limit: number): AlertRow[];
  /** Calls back after every change; the answer ends it. */
  subscribe(listener: ControllerListener): () => void;
  /** Metrics in the text format of Prometheus. */
  metrics(): Promise<string>;
  close(): Promise<void>;
}

/**
 * Opens the database, reads the registry and begins to keep a session with the broker; a broker that is out of reach is
 * tried again for ever. Faults: those of the database and the registry, CREDENTIAL_UNREADABLE, CERTIFICATE_EXPIRED.
 */
export async function startController(
  settings: Pick<CentralSettings, 'state' | 'registry' | 'tls' | 'controller'>,
  parts: ControllerParts,
): Promise<Result<Controller>> {
  const { clock, random, log } = parts;
  const { url, certificate, key, retryMillis } = settings.controller;
  const tls = () => readCredentials({ authority: settings.tls.authority, certificate, key }, clock);
  const readable = tls();
  if (!readable.ok) return readable;
  const listeners = new Set<ControllerListener>();
  const tell: ControllerListener = {
    terminal: (row) => listeners.forEach((listener) => listener.terminal(row)),
    alert: (row) => listeners.forEach((listener) => listener.alert(row)),
  };
  const registry = await openRegistry(settings.registry, {
    clock,
    log,
    onChange: () => ingest.rows().forEach((row) => tell.terminal(row)),
  });
  if (!registry.ok) return registry;
  const opened = openControllerStore(settings.state, clock.wall());
  if (!opened.ok) {
    await registry.value.close();
    return opened;
  }
  const { store, setAside } = opened.value;
  if (setAside !== undefined)
    log.error('The database was damaged and set aside', { code: 'STORE_CORRUPT', file: setAside });
  const metrics = createMetrics();
  const ingest: Ingest = new Ingest({
    store,
    registry: registry.value,
    clock,
    log,
    counts: metrics.counts,
    listener: tell,
  });
  const session = new Session({
    open: openMqttLink,
    url,
    tls,
    retry: ms(retryMillis),
    keepAlive: parts.keepAlive ?? seconds(15),
    clock,
    random,
    log,
    take: (topic, payload) => ingest.take(topic, payload),
    onReached: () => ingest.reached(),
    onSettled: () => ingest.sweep(),
  });
  session.start();
  return ok({
    terminals: () => ingest.rows(),
    alerts: (limit) => ingest.alerts.latest(limit),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    metrics: () =>
      metrics.text({
        terminals: () => ingest.rows(),
        unacknowledged: () => ingest.alerts.unacknowledged(),
        storeErrors: () => store.errors(),
        connected: () => session.connected,
        lookups: parts.lookups,
        clock,
      }),
    async close() {
      await session.close();
      await registry.value.close();
      store.close();
    },
  });
}

import { Counter, Gauge, Registry } from 'prom-client';
import type { TerminalRow } from '#contracts/console.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Counts } from './counts.ts';

/** What the lookup service has done since the start, and from how many records. */
export interface LookupCounts {
  readonly lookups: number;
  readonly refused: number;
  readonly collectionVersion: number;
  readonly records: number;
}

/** What is asked for at every scrape. */
export interface MetricSources {
  readonly terminals: () => readonly TerminalRow[];
  readonly unacknowledged: () => number;
  readonly storeErrors: () => number;
  readonly connected: () => boolean;
  readonly lookups: () => LookupCounts;
  readonly clock: Clock;
}

export interface Metrics {
  readonly counts: Counts;
  /** The text format of Prometheus, version 0.0.4. */
  text(sources: MetricSources): Promise<string>;
}

/** The centre's metrics, in a registry of their own. Labels are terminals' ids and fixed words, never personal data. */
export function createMetrics(): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name: `checkpost_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name: `checkpost_${name}`, help, labelNames, registers });

  const received = counter('outbox_items_received_total', 'Items of terminals that were stored');
  const doubled = counter('outbox_items_doubled_total', 'Items that arrived again and were not stored twice');
  const lost = counter(
    'outbox_items_lost_total',
    'Items that never arrived and that their terminal no longer keeps',
  );
  const refused = counter('messages_refused_total', 'Messages that were not acted upon', [
    'channel',
    'reason',
  ]);
  const terminals = gauge('terminals', 'Registered terminals by state', ['state']);
  const seen = gauge('terminal_last_seen_age_seconds', 'Time since the last word of a terminal', [
    'terminal',
  ]);
  const open = gauge(
    'alerts_unacknowledged',
    'Hits that no officer has acknowledged, without those of training',
  );
  const connected = gauge('broker_connected', '1 while the controller has a session with the broker');
  const answered = counter('lookups_answered_total', 'Lookups that were answered');
  const turnedAway = counter(
    'lookups_refused_total',
    'Requests and connections that the lookup service refused',
  );
  const version = gauge('collection_version', 'Version of the collection that answers come from');
  const records = gauge('collection_records', 'Records of the collection that answers come from');
  const storeErrors = counter('store_errors_total', 'Transactions of the controller that failed');

  const collect = (from: MetricSources): void => {
    const rows = from.terminals();
    for (const state of ['online', 'offline', 'never'] as const) {
      terminals.set({ state }, rows.filter((row) => row.state === state).length);
    }
    seen.reset();
    for (const { terminal, lastSeen } of rows) {
      if (lastSeen === null) continue;
      seen.set({ terminal }, Math.max(0, (from.clock.wall() - Date.parse(lastSeen)) / 1000));
    }
    open.set(from.unacknowledged());
    connected.set(from.connected() ? 1 : 0);
    const lookups = from.lookups();
    version.set(lookups.collectionVersion);
    records.set(lookups.records);
    // These are counted elsewhere, from 0 at the start as well.
    for (const [metric, n] of [
      [answered, lookups.lookups],
      [turnedAway, lookups.refused],
      [storeErrors, from.storeErrors()],
    ] as const) {
      metric.reset();
      metric.inc(n);
    }
  };
  return {
    counts: {
      received: (n) => received.inc(n),
      doubled: (n) => doubled.inc(n),
      lost: (n) => lost.inc(n),
      refused: (channel, reason, n = 1) => refused.inc({ channel, reason }, n),
    },
    text(sources) {
      collect(sources);
      return registry.metrics();
    },
  };
}

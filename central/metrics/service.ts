import type { Make } from './make.ts';
import type { CertificateFigure, LookupFigures, MetricSources, ProcessFigures } from './sources.ts';
import type { StoreFigures } from './figures.ts';

/** Seconds from an instant until now; NaN, which Prometheus shows as such, where there is none. */
function age(instant: string | null | undefined, now: number): number {
  return instant === null || instant === undefined
    ? Number.NaN
    : Math.max(0, (now - Date.parse(instant)) / 1000);
}

/** What rooms keep in the database; the answer sets it. */
export function storeMetrics(make: Make): (figures: StoreFigures | undefined, now: number) => void {
  const alerts = make.gauge(
    'alerts_open',
    'Alerts that are open, by severity and whether somebody acknowledged them',
    ['severity', 'acknowledged'],
  );
  const hits = make.gauge(
    'hits_unacknowledged',
    'Hits that no officer has acknowledged, without those of training',
  );
  const oldest = make.gauge(
    'hits_unacknowledged_oldest_seconds',
    'Since when the oldest hit that no officer has acknowledged is here; 0 where there is none',
  );
  const commands = make.gauge('commands', 'Commands of the last 24 hours by state', ['state']);
  const waves = make.gauge('waves_running', 'Bulk actions that are under way');
  const waiting = make.gauge(
    'notifications_waiting',
    'Deliveries of notifications that wait or are tried again',
  );

  return (figures, now) => {
    // What cannot be known is not shown as it was: these go away until the database answers again.
    for (const one of [alerts, hits, oldest, commands, waves, waiting]) one.reset();
    if (figures === undefined) {
      for (const one of [hits, oldest, waves, waiting]) one.set(Number.NaN);
      return;
    }
    for (const severity of ['warning', 'error'])
      for (const acknowledged of ['yes', 'no']) alerts.set({ severity, acknowledged }, 0);
    for (const { severity, acknowledged, n } of figures.alerts)
      alerts.set({ severity, acknowledged: acknowledged === 1 ? 'yes' : 'no' }, n);
    hits.set(figures.hits.n);
    oldest.set(figures.hits.oldest === null ? 0 : age(figures.hits.oldest, now));
    for (const { state, n } of figures.commands) commands.set({ state }, n);
    waves.set(figures.wavesRunning);
    waiting.set(figures.deliveriesWaiting);
  };
}

/** The controller and what it depends on. */
export function controllerMetrics(
  make: Make,
): (from: Pick<MetricSources, 'version' | 'connected' | 'leads' | 'store'>) => void {
  const build = make.gauge('build_info', 'Release of the centre', ['version']);
  const connected = make.gauge('broker_connected', '1 while the controller has a session with the broker');
  const leader = make.gauge('leader', '1 while this process does what one does for all');
  const store = make.gauge('store_info', 'Kind of the database', ['kind']);
  const errors = make.counted('store_errors_total', 'Transactions and reads of the database that failed');
  return (from) => {
    build.set({ version: from.version }, 1);
    connected.set(from.connected() ? 1 : 0);
    leader.set(from.leads() ? 1 : 0);
    store.set({ kind: from.store.kind }, 1);
    errors(from.store.errors());
  };
}

/** Answers to terminals, and how old what they are made from is. */
export function lookupMetrics(
  make: Make,
): (figures: LookupFigures, editionDate: string | null | undefined, now: number) => void {
  const answered = make.counted('lookups_answered_total', 'Lookups that were answered');
  const refused = make.counted(
    'lookups_refused_total',
    'Requests and connections that the lookup service refused',
  );
  const version = make.gauge('collection_version', 'Version of the collection that answers come from');
  const records = make.gauge('collection_records', 'Records of the collection that answers come from');
  const collection = make.gauge('collection_age_seconds', 'Age of the collection that answers come from');
  const edition = make.gauge('edition_age_seconds', 'Age of the newest edition that the centre serves');
  return (figures, editionDate, now) => {
    answered(figures.lookups);
    refused(figures.refused);
    version.set(figures.collectionVersion);
    records.set(figures.records);
    collection.set(age(figures.collectionDate, now));
    edition.set(age(editionDate, now));
  };
}

export function certificateMetrics(make: Make): (figures: readonly CertificateFigure[]) => void {
  const expiry = make.gauge(
    'certificate_expiry_timestamp_seconds',
    'When a certificate of the centre expires, as Unix time',
    ['use'],
  );
  return (figures) => {
    expiry.reset();
    for (const { use, expires } of figures) expiry.set({ use }, expires);
  };
}

export function processMetrics(make: Make): (figures: ProcessFigures) => void {
  const resident = make.gauge('process_resident_memory_bytes', 'Memory of the process');
  const heap = make.gauge('process_heap_used_bytes', 'Memory of JavaScript in use');
  const cpu = make.counted('process_cpu_seconds_total', 'Processor time of the process');
  const lag = make.gauge(
    'event_loop_lag_p99_seconds',
    'By how much the event loop was late since the last scrape: 99 of 100 times at most this',
  );
  const start = make.gauge('process_start_time_seconds', 'When the process began, as Unix time');
  return (figures) => {
    resident.set(figures.residentBytes);
    heap.set(figures.heapUsedBytes);
    cpu(figures.cpuSeconds);
    lag.set(figures.lagP99Seconds);
    start.set(figures.startedAt);
  };
}

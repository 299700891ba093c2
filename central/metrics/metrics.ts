import { Registry } from 'prom-client';
import type { Result } from '#contracts/result.ts';
import { toFault } from '#runtime/errors.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { Words } from './bounded.ts';
import { fleetMetrics } from './fleet.ts';
import { Make } from './make.ts';
import {
  certificateMetrics,
  controllerMetrics,
  lookupMetrics,
  processMetrics,
  storeMetrics,
} from './service.ts';
import type { Counts, MetricSources } from './sources.ts';

export interface Metrics {
  /** For the rooms: what they tell of as it happens. */
  readonly counts: Counts;
  /** The text format of Prometheus, version 0.0.4. Whoever asks while others wait gets their answer. */
  text(sources: MetricSources): Promise<string>;
}

/** From a millisecond to ten seconds: the target for a report is two. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];

/**
 * The centre's metrics, in a registry of their own. Labels are fixed words, codes of conditions and, for one metric,
 * bureaus up to a most: never terminals, sites or what anybody typed, and never personal data.
 */
export function createMetrics({ log }: { readonly log: Log }): Metrics {
  const registry = new Registry();
  const make = new Make(registry);
  const counts = countsOf(make);
  const set = settersOf(make, log);
  let underWay: Promise<string> | undefined;
  const scrape = async (sources: MetricSources): Promise<string> => {
    await set(sources);
    return registry.metrics();
  };
  return {
    counts,
    text(sources) {
      underWay ??= scrape(sources).finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
  };
}

function countsOf(make: Make): Counts {
  const received = make.counter('outbox_items_received_total', 'Items of terminals that were stored');
  const doubled = make.counter(
    'outbox_items_doubled_total',
    'Items that arrived again and were not stored twice',
  );
  const lost = make.counter(
    'outbox_items_lost_total',
    'Items that never arrived and that their terminal no longer keeps',
  );
  const thinned = make.counter(
    'outbox_items_thinned_total',
    'Items that terminals gave up within their budget, and said so',
  );
  const refused = make.counter('messages_refused_total', 'Messages that were not acted upon', [
    'channel',
    'reason',
  ]);
  const ingested = make.histogram(
    'ingest_seconds',
    'From the arrival of a message until it was committed',
    buckets,
  );
  const shown = make.histogram(
    'report_to_console_seconds',
    'From the arrival of a report until the console was told',
    buckets,
  );
  const requests = make.counter(
    'api_requests_total',
    'Requests of the API by route and class of their status',
    ['route', 'status'],
  );
  const sent = make.counter('notifications_sent_total', 'Deliveries of notifications that were accepted');
  const failed = make.counter(
    'notifications_failed_total',
    'Deliveries of notifications that failed, each try',
  );
  const words = { channel: new Words(), reason: new Words(), route: new Words() };
  return {
    received: (n) => received.inc(n),
    doubled: (n) => doubled.inc(n),
    lost: (n) => lost.inc(n),
    thinned: (n) => thinned.inc(n),
    refused: (channel, why, n = 1) =>
      refused.inc({ channel: words.channel.of(channel), reason: words.reason.of(why) }, n),
    ingested: (seconds) => ingested.observe(seconds),
    shown: (seconds) => shown.observe(seconds),
    request: (route, status) =>
      requests.inc({ route: words.route.of(route), status: `${Math.floor(status / 100)}xx` }),
    notified: (delivered) => (delivered ? sent : failed).inc(),
  };
}

const sourceNames = ['store', 'fleet', 'controller', 'lookup', 'certificates', 'process'] as const;
type SourceName = (typeof sourceNames)[number];

/** Sets all that is asked for; a source that fails is counted and logged, and the others are asked all the same. */
function settersOf(make: Make, log: Log): (from: MetricSources) => Promise<void> {
  const fleet = fleetMetrics(make);
  const store = storeMetrics(make);
  const controller = controllerMetrics(make);
  const lookup = lookupMetrics(make);
  const certificates = certificateMetrics(make);
  const process = processMetrics(make);
  const failures = make.counter(
    'metric_sources_failed_total',
    'Times that figures for these metrics failed',
    ['source'],
  );
  // A counter that appears with its first failure would hide it: there is no increase from nothing.
  for (const source of sourceNames) failures.inc({ source }, 0);
  const guarded = (source: SourceName, set: () => void): void => {
    try {
      set();
    } catch (thrown) {
      failures.inc({ source });
      log.error('Figures for the metrics failed', { source, ...faultFields(toFault(thrown)) });
    }
  };
  return async (from) => {
    const figures = await asked(from);
    const now = from.now();
    if (!figures.ok) failures.inc({ source: 'store' });
    guarded('store', () => store(figures.ok ? figures.value : undefined, now));
    guarded('fleet', () => fleet(from.terminals()));
    guarded('controller', () => controller(from));
    guarded('lookup', () => lookup(from.lookups(), from.editionDate(), now));
    guarded('certificates', () => certificates(from.certificates()));
    guarded('process', () => process(from.process()));
  };
}

async function asked(from: MetricSources): ReturnType<MetricSources['figures']> {
  try {
    return await from.figures();
  } catch (thrown) {
    return { ok: false, fault: toFault(thrown) } satisfies Result<never>;
  }
}

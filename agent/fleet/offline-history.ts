import type { HealthReport } from '#contracts/health.ts';
import type { MetricItem, SampleName } from '#contracts/outbox.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Health } from '../health/index.ts';

export interface OfflineHistoryParts {
  readonly health: Health;
  readonly clock: Clock;
  readonly connected: () => boolean;
  readonly keep: (sample: MetricItem) => void;
}

const spanSeconds = 900;

/** Samples of what health measures while no session stands: what the centre cannot see, it gets later. */
export class OfflineHistory {
  readonly #parts: OfflineHistoryParts;
  #before: HealthReport['counts'] | undefined;
  #cancel: () => void;
  #over = false;

  constructor(parts: OfflineHistoryParts) {
    this.#parts = parts;
    this.#cancel = parts.clock.after(ms(spanSeconds * 1000), () => void this.#look());
    // Counts are of a span: they are known from the second look on, or from the start of the agent.
    void parts.health.measure().then((report) => (this.#before ??= report.counts));
  }

  close(): void {
    this.#over = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    const { health, clock, connected, keep } = this.#parts;
    const report = await health.measure();
    if (this.#over) return;
    this.#cancel = clock.after(ms(spanSeconds * 1000), () => void this.#look());
    const samples = samplesOf(report, this.#before);
    this.#before = report.counts;
    if (!connected()) keep({ kind: 'metric', at: health.now(), spanSeconds, samples });
  }
}

/** What the machine does not tell is left out. */
function samplesOf(report: HealthReport, before: HealthReport['counts'] | undefined): MetricItem['samples'] {
  const { uplink, memory, load, temperature, disk, clock, counts } = report;
  const line =
    uplink?.uplinks.find(({ name }) => name === uplink.uplink) ??
    uplink?.uplinks.find(({ delayMillis }) => delayMillis !== null);
  const since = (name: keyof HealthReport['counts']): number | undefined =>
    before === undefined ? undefined : Math.max(0, counts[name] - before[name]);
  const all: Readonly<Record<SampleName, number | null | undefined>> = {
    'uplink-delay': line?.delayMillis,
    'uplink-loss': line?.loss,
    memory: memory.agentBytes,
    'memory-available': memory.availableBytes,
    load: load.one,
    temperature: temperature?.celsius,
    'disk-free': disk.freeBytes,
    'clock-offset': clock.offsetMillis,
    reads: since('frames'),
    hits: since('hit'),
    unresolved: since('unresolved'),
    unreadable: since('unreadable'),
  };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

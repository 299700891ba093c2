import type { HealthReport } from '#contracts/health.ts';

type Section = keyof HealthReport;

/** How long ago a section was sent last, in milliseconds. */
export type SinceSent = (section: Section) => number;

/** How far a figure must move from what was sent before it is worth a message. */
interface Band {
  /** In the unit of the figure; with `times`, as a share of that other figure. */
  readonly step: number;
  readonly times?: string;
  /** As a share of what was sent; the larger one of both counts. */
  readonly share?: number;
  /** Moving away from 0 or back to it counts however small the step. */
  readonly zero?: true;
  /** No sooner than this after the section was sent last, in milliseconds. */
  readonly patience?: number;
  /**
   * A move of just one step waits so long, one of twice the step half as long, and so on, in milliseconds: on a restless
   * line the figures would else cost more than all the rest.
   */
  readonly lazy?: number;
}

const minute = 60_000;
const whole = { step: 1, patience: minute } as const;
/** Moves always and goes with a full report. */
const never = { step: Number.POSITIVE_INFINITY } as const;

/**
 * The dead bands, by section and field (`*`: each of a list). A figure counts when it has moved by a step that somebody
 * would act upon, or that a chart must show; what is not in the table counts whenever it differs.
 */
export const deadBands: Readonly<Record<string, Band>> = {
  'uptime.systemSeconds': never,
  'uptime.agentSeconds': never,
  'load.one': { step: 0.5, times: 'load.cpus' },
  'memory.availableBytes': { step: 0.1, times: 'memory.totalBytes' },
  'memory.agentBytes': { step: 33_554_432 },
  'disk.freeBytes': { step: 0.02, times: 'disk.totalBytes' },
  'temperature.celsius': { step: 5 },
  'clock.offsetMillis': { step: 1000 },
  'outbox.depth': { step: 10, share: 0.1, zero: true, patience: minute },
  'outbox.oldestAt': never,
  'audit.entries': never,
  'uplink.uplinks.*.delayMillis': { step: 20, share: 0.3, patience: minute, lazy: 10 * minute },
  'uplink.uplinks.*.loss': { step: 0.05, patience: minute, lazy: 10 * minute },
  'uplink.uplinks.*.mtu': { step: 20, patience: minute },
  'uplink.uplinks.*.monthBytes': never,
  'traffic.sentBytes': never,
  'traffic.receivedBytes': never,
  'counts.frames': whole,
  'counts.hit': whole,
  'counts.possible': whole,
  'counts.noRecord': whole,
  'counts.unresolved': whole,
  'counts.unreadable': whole,
  'storage.fileSystemErrors': { step: 1, patience: 10 * minute },
  'power.batteryPercent': { step: 5 },
};

/**
 * The sections of `now` that are worth a message to a centre that knows `sent`: on a metered line every message costs.
 * `sinceSent` says how long ago a section was sent last; left out, patience does not hold anything back.
 */
export function changedSections(
  sent: HealthReport,
  now: HealthReport,
  sinceSent: SinceSent = () => Number.POSITIVE_INFINITY,
): Partial<HealthReport> {
  const changed: Partial<HealthReport> = {};
  for (const section of Object.keys(now) as Section[]) {
    if (worth(leaves(section, sent[section]), leaves(section, now[section]), sinceSent(section)))
      Object.assign(changed, { [section]: now[section] });
  }
  return changed;
}

/** A single value, and the name of its dead band. */
interface Leaf {
  readonly value: unknown;
  readonly band: string;
}

function worth(sent: ReadonlyMap<string, Leaf>, now: ReadonlyMap<string, Leaf>, since: number): boolean {
  // A list that is longer, or a section that appears, is a change of its own.
  if (sent.size !== now.size) return true;
  return [...now].some(([path, { value, band: name }]) => {
    const before = sent.get(path);
    if (before === undefined) return true;
    if (before.value === value) return false;
    const band = Object.hasOwn(deadBands, name) ? deadBands[name] : undefined;
    if (band === undefined) return true;
    if (band === never || since < (band.patience ?? 0)) return false;
    if (typeof before.value !== 'number' || typeof value !== 'number') return true;
    if (band.zero === true && (before.value === 0) !== (value === 0)) return true;
    const of = band.times === undefined ? 1 : now.get(band.times)?.value;
    const scale = typeof of === 'number' ? of : 1;
    const step = Math.max(band.step * scale, (band.share ?? 0) * Math.abs(before.value));
    const steps = Math.abs(before.value - value) / step;
    return steps >= 1 && since >= (band.lazy ?? 0) / steps;
  });
}

/** Every single value below `value` by its path; in a list, by the name or id of what it belongs to. */
function leaves(
  path: string,
  value: unknown,
  band = path,
  into = new Map<string, Leaf>(),
): ReadonlyMap<string, Leaf> {
  if (typeof value !== 'object' || value === null) return into.set(path, { value, band });
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    if (Array.isArray(value)) leaves(`${path}.${nameOf(inner) ?? key}`, inner, `${band}.*`, into);
    else leaves(`${path}.${key}`, inner, `${band}.${key}`, into);
  }
  return into;
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('name' in value && typeof value.name === 'string') return value.name;
  return 'id' in value && typeof value.id === 'string' ? value.id : undefined;
}

import type { ConditionCode } from '#contracts/conditions.ts';
import type { HealthReport } from '#contracts/health.ts';

/** Figures of which too much or too little is a condition. */
export interface Figures extends Pick<
  HealthReport,
  'memory' | 'disk' | 'temperature' | 'clock' | 'outbox' | 'power'
> {
  /** Trusted time, in milliseconds since 1970. */
  readonly now: number;
}

/**
 * A condition begins when its figure reaches `on` and ends when it has come back to `off`, so that a figure that wanders
 * about one mark does not make it come and go. `off` below `on`: too much is bad; else too little is.
 */
export interface Threshold {
  readonly code: ConditionCode;
  readonly on: number;
  readonly off: number;
  /** Null where the machine does not tell, which is no condition. */
  readonly figure: (of: Figures) => number | null;
}

const megabyte = 1_048_576;

export const thresholds: readonly Threshold[] = [
  {
    code: 'disk-low',
    on: 1,
    off: 1.25,
    // As a share of what must be free: 256 MiB, on a small disk a tenth.
    figure: ({ disk: { freeBytes, totalBytes } }) =>
      share(freeBytes, Math.min(256 * megabyte, totalBytes / 10)),
  },
  {
    code: 'memory-low',
    on: 0.08,
    off: 0.12,
    figure: ({ memory: { availableBytes, totalBytes } }) => share(availableBytes, totalBytes),
  },
  {
    // The service may have 512 MiB (systemd/checkpost-agent.service).
    code: 'agent-memory-high',
    on: 400 * megabyte,
    off: 320 * megabyte,
    figure: ({ memory }) => memory.agentBytes,
  },
  { code: 'too-hot', on: 85, off: 78, figure: ({ temperature }) => temperature?.celsius ?? null },
  {
    code: 'clock-wrong',
    on: 60_000,
    off: 10_000,
    figure: ({ clock: { offsetMillis } }) => (offsetMillis === null ? null : Math.abs(offsetMillis)),
  },
  {
    code: 'battery-low',
    on: 20,
    off: 30,
    figure: ({ power }) => (power?.source === 'battery' ? power.batteryPercent : null),
  },
  { code: 'outbox-deep', on: 1000, off: 200, figure: ({ outbox }) => outbox.depth },
  {
    // In seconds.
    code: 'outbox-old',
    on: 3600,
    off: 600,
    figure: ({ outbox: { oldestAt }, now }) =>
      oldestAt === null ? null : (now - Date.parse(oldestAt)) / 1000,
  },
];

/** Whether the condition stands; `stood`: whether it did before. */
export function passes({ on, off, figure }: Threshold, of: Figures, stood: boolean): boolean {
  const value = figure(of);
  if (value === null) return false;
  if (off < on) return stood ? value > off : value >= on;
  return stood ? value < off : value <= on;
}

/** Null where nothing was measured yet. */
function share(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

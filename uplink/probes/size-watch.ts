import type { MonotonicTime } from '#contracts/units.ts';
import type { LineRole } from './schedule.ts';

/** What says when the size of packets on a line is worth asking for again, and how many probes may do so. Plain data. */
export interface SizeWatch {
  /** Bytes that had passed the tunnel in all when the size was confirmed; undefined where that is to be done anew. */
  readonly confirmedAtBytes: number | undefined;
  /** Probes of full size that are saved up: `mostSaved` at most. */
  readonly saved: number;
  readonly at: MonotonicTime;
}

/** Bytes of traffic after which the size of packets is worth asking for again. */
const muchTraffic = 4096;
/** How often it is asked for where there is little traffic, or none, in ms. */
const restConfirm = 300_000;
/** Probes of full size that may be saved up for times of much traffic, and how soon there is one more, in ms: 9 MB a day. */
const mostSaved = 300;
const savedEvery = 30_000;
/** While a metered one carries, the size of packets is confirmed so many quiet times apart: 15 minutes (9 MB a month) where it may be quiet for 15 s. */
const quietTimes = 60;
/** How often the size of packets is confirmed on a metered uplink that stands by, in ms: 90 kB a month. */
const standbyConfirm = 86_400_000;

export function startSizeWatch(at: MonotonicTime): SizeWatch {
  return { confirmedAtBytes: undefined, saved: mostSaved, at };
}

/** Time has passed: there is more to spend. */
export function saveUp(watch: SizeWatch, at: MonotonicTime): SizeWatch {
  return { ...watch, saved: Math.min(mostSaved, watch.saved + (at - watch.at) / savedEvery), at };
}

export function fullProbeSpent(watch: SizeWatch): SizeWatch {
  return { ...watch, saved: Math.max(0, watch.saved - 1) };
}

/** The size was confirmed when so much had passed the tunnel; undefined where no tunnel is watched. */
export function sizeConfirmed(watch: SizeWatch, passedBytes: number | undefined): SizeWatch {
  return { ...watch, confirmedAtBytes: passedBytes ?? 0 };
}

/** The line has begun to carry: the size is of more weight now. */
export function sizeInDoubt(watch: SizeWatch): SizeWatch {
  return { ...watch, confirmedAtBytes: undefined };
}

/**
 * How often the size of packets is confirmed (`MtuEvidence.confirmMillis`) on a line in this role, in ms; `passedBytes`
 * in all by the tunnel that it carries, undefined where it carries none. Only traffic can suffer from a line that
 * swallows large packets: without any a probe of 3 kB is not worth its cost.
 */
export function confirmMillis(
  role: LineRole,
  { fullProbeMillis, quietMillis }: { readonly fullProbeMillis: number; readonly quietMillis: number },
  { confirmedAtBytes, saved }: SizeWatch,
  passedBytes: number | undefined,
): number {
  const passed = passedBytes === undefined ? 0 : Math.abs(passedBytes - (confirmedAtBytes ?? -Infinity));
  const carrying = passed < muchTraffic ? restConfirm : saved >= 1 ? 0 : savedEvery;
  const least = {
    carrying,
    standby: restConfirm,
    'metered-carrying': Math.min(quietTimes * quietMillis, standbyConfirm),
    'metered-standby': standbyConfirm,
  }[role];
  return Math.max(fullProbeMillis, least);
}

import type { MonotonicTime } from '#contracts/units.ts';

/** What the traffic of the tunnel itself says about the path that carries it. Plain data. */
export interface Traffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** When the counters were last seen to move. */
  readonly sentAt: MonotonicTime | undefined;
  readonly receivedAt: MonotonicTime | undefined;
  /** When something was first sent after the last sign of life; undefined while all was answered. */
  readonly unansweredSince: MonotonicTime | undefined;
  /** Since when this path carries. */
  readonly since: MonotonicTime;
}

export interface TrafficReading {
  readonly at: MonotonicTime;
  /** Counters of the tunnel's interface of the hub that carries, as bytes. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** Begins to watch: at the start and after every switch, since what came before came by another path. */
export function watchTraffic({ at, sentBytes, receivedBytes }: TrafficReading): Traffic {
  return {
    sentBytes,
    receivedBytes,
    sentAt: undefined,
    receivedAt: undefined,
    unansweredSince: undefined,
    since: at,
  };
}

/** A probe over this path came back: whatever was unanswered until then raises no doubt any more. */
export function pathReplied(traffic: Traffic, at: MonotonicTime): Traffic {
  const { unansweredSince } = traffic;
  return unansweredSince === undefined || unansweredSince > at
    ? traffic
    : { ...traffic, unansweredSince: undefined };
}

/** Counters that begin anew count as moved. */
export function readTraffic(traffic: Traffic, reading: TrafficReading): Traffic {
  const { at, sentBytes, receivedBytes } = reading;
  const sent = sentBytes !== traffic.sentBytes;
  const received = receivedBytes !== traffic.receivedBytes;
  const open = received ? undefined : traffic.unansweredSince;
  return {
    sentBytes,
    receivedBytes,
    sentAt: sent ? at : traffic.sentAt,
    receivedAt: received ? at : traffic.receivedAt,
    unansweredSince: open ?? (sent && !received ? at : undefined),
    since: traffic.since,
  };
}

import type { MonotonicTime } from '#contracts/units.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';

export type ProbeSettings = UplinkSettings['probe'];

/** What is known of one path: one hub over one uplink. */
export interface PathView {
  readonly state: 'untested' | 'up' | 'down';
  /** Since when it has been up without a break; undefined while it is not. */
  readonly upSince: MonotonicTime | undefined;
  /** When it went down last, also where it is up again; undefined where it never was down. */
  readonly downSince: MonotonicTime | undefined;
  /** Share of the last 50 probes that were lost, 0 to 1; undefined where none has ended yet. */
  readonly loss: number | undefined;
  /** Round trip in ms, smoothed, and how much it varies (SRTT and RTTVAR of RFC 6298). */
  readonly delayMillis: number | undefined;
  readonly varianceMillis: number | undefined;
  /** After so many ms a probe counts as lost now. */
  readonly timeoutMillis: number;
  readonly lostInRow: number;
  readonly answeredInRow: number;
  readonly lastSentAt: MonotonicTime | undefined;
  readonly lastReplyAt: MonotonicTime | undefined;
}

interface Waiting {
  readonly sequence: number;
  readonly at: MonotonicTime;
  readonly lost: boolean;
}

/** The view and what stands behind it. Plain data: every event gives a new one. */
export interface PathMeter extends PathView {
  readonly waiting: readonly Waiting[];
  /** The last probes that have ended, the newest last; true for lost. */
  readonly ended: readonly boolean[];
}

const remembered = 50;
/** A line that is slow by nature, such as a satellite, gets so many times its usual delay. */
const patience = 4;
/** But never more than this, or a queue that empties after an outage would hide the next one. In ms. */
const longestTimeout = 6000;
/** A reply that comes even later belongs to no probe any more. In ms. */
const longestLateness = 10_000;
/** Replies in a row that a path which was down must give. */
const repliesUp = 2;

export function untestedPath(settings: Pick<ProbeSettings, 'timeoutMillis'>): PathMeter {
  return {
    state: 'untested',
    upSince: undefined,
    downSince: undefined,
    loss: undefined,
    delayMillis: undefined,
    varianceMillis: undefined,
    timeoutMillis: settings.timeoutMillis,
    lostInRow: 0,
    answeredInRow: 0,
    lastSentAt: undefined,
    lastReplyAt: undefined,
    waiting: [],
    ended: [],
  };
}

/** A small probe went out. One that could not be sent is none: tell `probeFailed`. */
export function probeSent(
  meter: PathMeter,
  { sequence, at }: { readonly sequence: number; readonly at: MonotonicTime },
  settings: ProbeSettings,
): PathMeter {
  const now = timePassed(meter, at, settings);
  return { ...now, lastSentAt: at, waiting: [...now.waiting, { sequence, at, lost: false }] };
}

/** A small probe could not even be sent: it is lost at once, since nothing else would say that the path is dead. */
export function probeFailed(meter: PathMeter, at: MonotonicTime, settings: ProbeSettings): PathMeter {
  return lose({ ...timePassed(meter, at, settings), lastSentAt: at }, at, settings);
}

/** A reply; one to a probe that is not known, or was answered before, changes nothing. */
export function probeReplied(
  meter: PathMeter,
  { sequence, at }: { readonly sequence: number; readonly at: MonotonicTime },
  settings: ProbeSettings,
): PathMeter {
  const now = timePassed(meter, at, settings);
  const probe = now.waiting.find((one) => one.sequence === sequence);
  if (probe === undefined) return now;
  const measured = measure(now, at - probe.at, settings);
  const heard = {
    ...measured,
    lastReplyAt: at,
    lostInRow: 0,
    waiting: now.waiting.filter((one) => one !== probe),
  };
  // It has been counted as lost, and so it stays; but it shows that the line lives, and how slow it is.
  if (probe.lost) return heard.state === 'untested' ? goUp(heard, at) : heard;
  const answeredInRow = heard.answeredInRow + 1;
  const counted = { ...end(heard, false), answeredInRow };
  if (counted.state === 'up' || (counted.state === 'down' && answeredInRow < repliesUp)) return counted;
  return goUp(counted, at);
}

/** Lets time pass: probes without an answer are lost once their time is over. Gives the same object where none is. */
export function timePassed(meter: PathMeter, at: MonotonicTime, settings: ProbeSettings): PathMeter {
  const over = (one: Waiting): boolean => at - one.at >= meter.timeoutMillis;
  const late = meter.waiting.filter((one) => !one.lost && over(one));
  const forgotten = meter.waiting.some((one) => at - one.at >= meter.timeoutMillis + longestLateness);
  if (late.length === 0 && !forgotten) return meter;
  const waiting = meter.waiting
    .filter((one) => at - one.at < meter.timeoutMillis + longestLateness)
    .map((one) => (one.lost || !over(one) ? one : { ...one, lost: true }));
  // Each at the moment at which its time was over, so that the answer does not depend on how often time is looked at.
  return late.reduce<PathMeter>(
    (state, one) => lose(state, (one.at + meter.timeoutMillis) as MonotonicTime, settings),
    { ...meter, waiting },
  );
}

function lose(meter: PathMeter, at: MonotonicTime, settings: ProbeSettings): PathMeter {
  const lost = { ...end(meter, true), lostInRow: meter.lostInRow + 1, answeredInRow: 0 };
  if (lost.state === 'down' || lost.lostInRow < settings.lossesDown) return lost;
  return { ...lost, state: 'down', upSince: undefined, downSince: at };
}

function goUp(meter: PathMeter, at: MonotonicTime): PathMeter {
  return { ...meter, state: 'up', upSince: at };
}

function end(meter: PathMeter, lost: boolean): PathMeter {
  const ended = [...meter.ended, lost].slice(-remembered);
  return { ...meter, ended, loss: ended.filter(Boolean).length / ended.length };
}

/** RFC 6298 section 2: alpha 1/8 and beta 1/4; the first measurement sets both. */
function measure(meter: PathMeter, delay: number, settings: ProbeSettings): PathMeter {
  const { delayMillis, varianceMillis } = meter;
  const first = delayMillis === undefined || varianceMillis === undefined;
  const variance = first ? delay / 2 : (3 * varianceMillis + Math.abs(delayMillis - delay)) / 4;
  const smoothed = first ? delay : (7 * delayMillis + delay) / 8;
  const timeoutMillis = Math.max(settings.timeoutMillis, Math.min(patience * smoothed, longestTimeout));
  return { ...meter, delayMillis: smoothed, varianceMillis: variance, timeoutMillis };
}

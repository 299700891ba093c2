import type { MonotonicTime } from '#contracts/units.ts';
import { fullProbeCost, smallProbeCost } from './budget.ts';
import type { PathView, ProbeSettings } from './path-meter.ts';
import type { Traffic } from './traffic.ts';

export type LineRole = 'carrying' | 'standby' | 'metered-carrying' | 'metered-standby';

export interface ScheduledLine {
  readonly uplink: string;
  readonly role: LineRole;
  /** Whether it has a device, an address and a route; without them nothing is sent. */
  readonly usable: boolean;
  /** The hub that carries, where this uplink does. */
  readonly carries: string | undefined;
  readonly paths: readonly { readonly hub: string; readonly meter: PathView }[];
  /** While it is metered and carries: so long nothing at all may move before it is probed. In ms. */
  readonly quietMillis: number;
  /** Bytes that may be spent while it stands by (`budgetLeft`); without meaning where it is not metered. */
  readonly budgetBytes: number;
}

export interface ScheduleInput {
  readonly now: MonotonicTime;
  /** Always in the same order, those that are not usable too: their places in time depend on it. */
  readonly lines: readonly ScheduledLine[];
  readonly settings: ProbeSettings;
  /** Of the path that carries; undefined where none does. */
  readonly traffic: Traffic | undefined;
  /** Since when no path at all is up; undefined while one is. */
  readonly allDownSince: MonotonicTime | undefined;
  /** When somebody last asked for probes of everything at once. */
  readonly wantedAt: MonotonicTime | undefined;
}

export interface DueProbe {
  readonly uplink: string;
  readonly hub: string;
}

/** A path in doubt is asked so often, so that it is soon clear what it is. In ms. */
const doubtEvery = 250;
/** So often where traffic, or the want of it, is all that raises the doubt. In ms. */
const askEvery = 500;
/** A path that does not carry is probed so many times more seldom: it costs 2 MB a day instead of 10. */
const restTimes = 6;
/** So long after the path that carries went down the others are asked as if they were in doubt. In ms. */
const searchFor = 3000;
/** How often a metered uplink is probed while it stands by, one hub at a time. In ms. */
export const standbyEvery = 600_000;
/** How soon it is probed again after a loss or a first reply, so that the doubt does not last until the next turn. In ms. */
const standbyAgain = 5000;
/** So long traffic may stay unanswered before a metered uplink that carries is probed. In ms. */
const unansweredFor = 1000;
/** When all is down: so long at the full rate, then ever more rarely, at last so often. In ms. */
const burstFor = 30_000;
const backoffMost = 60_000;
/** After this share of the time that all has been down. */
const backoffShare = 10;
/** Which small probes are to be sent now. Call it every 100 ms at the most; a probe that is not sent stays due. */
export function dueProbes(input: ScheduleInput): readonly DueProbe[] {
  const doubted = isCarrierDoubted(input);
  return input.lines.flatMap((line, place) => {
    if (!line.usable) return [];
    return dueOf(line, place, input, doubted).map((hub) => ({ uplink: line.uplink, hub }));
  });
}

function dueOf(
  line: ScheduledLine,
  place: number,
  input: ScheduleInput,
  doubted: boolean,
): readonly string[] {
  const { now, wantedAt, allDownSince } = input;
  const wanted = line.paths.filter(
    ({ meter: { lastSentAt } }) =>
      wantedAt !== undefined && wantedAt <= now && (lastSentAt ?? -Infinity) < wantedAt,
  );
  if (wanted.length > 0) return wanted.map(({ hub }) => hub);
  if (line.role === 'carrying' || line.role === 'standby') return dueUnmetered(line, place, input, doubted);
  if (allDownSince !== undefined) return dueAllDown(line, now - allDownSince, input);
  return line.role === 'metered-carrying' ? dueCarrying(line, input) : dueStandby(line, now);
}

const sinceSent = ({ meter }: ScheduledLine['paths'][number], now: number): number =>
  now - (meter.lastSentAt ?? -Infinity);

/** Whether a probe is out for longer than its reply usually takes by far, though not lost yet. */
const isOverdue = ({ lastSentAt, lastReplyAt, timeoutMillis }: PathView, now: number): boolean =>
  lastSentAt !== undefined &&
  lastSentAt > (lastReplyAt ?? -Infinity) &&
  now - lastSentAt >= timeoutMillis / 2;

function isDoubtful(meter: PathView, now: number): boolean {
  const { state, lostInRow, answeredInRow } = meter;
  if (state === 'up') return lostInRow > 0 || isOverdue(meter, now);
  return state === 'untested' || answeredInRow > 0;
}

/** Whether the path that carries fails: where to go is then asked of every other, so that none is taken that is dead too. */
function isCarrierDoubted({ lines, now }: ScheduleInput): boolean {
  return lines.some(({ carries, paths }) =>
    paths.some(({ hub, meter }) => {
      if (hub !== carries) return false;
      if (meter.state === 'up') return isDoubtful(meter, now);
      return now - (meter.downSince ?? -Infinity) < searchFor;
    }),
  );
}

/**
 * The path that carries is probed at the full pace, but not while its traffic is answered; the others seldom, unless
 * they are in doubt or needed. Each has its own place in every turn, so that probes are spread and none drifts.
 */
function dueUnmetered(
  line: ScheduledLine,
  place: number,
  { now, settings, traffic, lines }: ScheduleInput,
  doubted: boolean,
): readonly string[] {
  const due = (path: ScheduledLine['paths'][number], index: number): boolean => {
    const { meter, hub } = path;
    const since = sinceSent(path, now);
    if (doubted || isDoubtful(meter, now)) return since >= Math.min(doubtEvery, settings.everyMillis);
    const carries = hub === line.carries;
    if (carries && traffic?.unansweredSince !== undefined && since >= askEvery) return true;
    const heard = now - (traffic?.receivedAt ?? -Infinity) < settings.everyMillis;
    if (carries && meter.state === 'up' && heard) return false;
    const rests = !carries && meter.state === 'up';
    const every = settings.everyMillis * (rests ? restTimes : 1);
    // Those that rest have their places between those of the one that carries.
    const between = rests ? settings.everyMillis / 4 : 0;
    const offset = (every / line.paths.length) * (index + place / lines.length) + between;
    const turn = Math.floor((now - offset) / every) * every + offset;
    // A probe that was late, since traffic stood for it, is not followed by the next one at once.
    return (meter.lastSentAt ?? -Infinity) < turn && since >= every / 2;
  };
  return line.paths.filter(due).map(({ hub }) => hub);
}

function dueCarrying(line: ScheduledLine, { now, traffic }: ScheduleInput): readonly string[] {
  const carrying = line.paths.find(({ hub }) => hub === line.carries);
  const others = line.paths.filter((path) => path !== carrying);
  if (carrying === undefined) return dueStandby({ ...line, budgetBytes: Infinity }, now);
  const { state, lostInRow, lastReplyAt } = carrying.meter;
  const lastSign = Math.max(
    traffic?.sentAt ?? -Infinity,
    traffic?.receivedAt ?? -Infinity,
    lastReplyAt ?? -Infinity,
    traffic?.since ?? -Infinity,
  );
  const unanswered = traffic?.unansweredSince !== undefined && now - traffic.unansweredSince >= unansweredFor;
  // What was measured while it stood by may be ten minutes old.
  const heardAt = Math.max(traffic?.receivedAt ?? -Infinity, lastReplyAt ?? -Infinity);
  const unproven = traffic !== undefined && heardAt < traffic.since;
  const silent = now - lastSign >= line.quietMillis;
  const doubtful = state !== 'up' || lostInRow > 0 || unproven || unanswered || silent;
  const due = doubtful && sinceSent(carrying, now) >= askEvery ? [carrying.hub] : [];
  // Whether it is the hub or the line that fails, the other hubs over the same line tell.
  const broken = state !== 'up' || lostInRow > 0;
  const asked = broken
    ? others.filter((path) => sinceSent(path, now) >= askEvery).map(({ hub }) => hub)
    : dueStandby({ ...line, paths: others, budgetBytes: Infinity }, now, line.quietMillis);
  return [...due, ...asked];
}

function dueStandby(
  { paths, budgetBytes }: ScheduledLine,
  now: MonotonicTime,
  quietMillis = 0,
): readonly string[] {
  if (budgetBytes < smallProbeCost || paths.length === 0) return [];
  const again = paths.find(({ meter }) => {
    const half = meter.state === 'down' ? meter.answeredInRow > 0 : meter.lostInRow > 0;
    return half && now - (meter.lastSentAt ?? -Infinity) >= standbyAgain;
  });
  if (again !== undefined) return [again.hub];
  const byAge = paths.toSorted((a, b) => sinceSent(b, now) - sinceSent(a, now));
  const [oldest] = byAge;
  const youngest = byAge.at(-1);
  if (oldest === undefined || youngest === undefined) return [];
  // What was never tested need not wait for a turn.
  const due =
    oldest.meter.lastSentAt === undefined || sinceSent(youngest, now) >= Math.max(standbyEvery, quietMillis);
  return due ? [oldest.hub] : [];
}

function dueAllDown(line: ScheduledLine, downFor: number, input: ScheduleInput): readonly string[] {
  const { now, traffic } = input;
  if (line.role === 'metered-standby' && line.budgetBytes < smallProbeCost) return [];
  // Something has come back through the tunnel: the outage may be over, and this says it at once.
  const heard = line.carries !== undefined && now - (traffic?.receivedAt ?? -Infinity) < 2000;
  const slow = Math.min(backoffMost, Math.max(askEvery, downFor / backoffShare));
  return line.paths
    .filter((path) => {
      const answers = path.meter.answeredInRow > 0;
      const every = downFor < burstFor || heard || answers ? askEvery : slow;
      return sinceSent(path, now) >= every;
    })
    .map(({ hub }) => hub);
}

/** Whether a probe of full size may be sent on a line now. */
export function mayProbeFull({ role, budgetBytes }: Pick<ScheduledLine, 'role' | 'budgetBytes'>): boolean {
  return role !== 'metered-standby' || budgetBytes >= fullProbeCost;
}

/** How long a failure of a line may go unnoticed now, in seconds; `budgetMillis` until the budget allows a probe. */
export function detectSeconds(
  role: LineRole,
  settings: ProbeSettings,
  { timeoutMillis, quietMillis }: Pick<PathView, 'timeoutMillis'> & Pick<ScheduledLine, 'quietMillis'>,
  budgetMillis = 0,
): number {
  const { everyMillis, lossesDown } = settings;
  const untilFirst = {
    carrying: everyMillis,
    standby: restTimes * everyMillis,
    'metered-carrying': quietMillis + askEvery,
    'metered-standby': Math.max(standbyEvery, budgetMillis),
  }[role];
  // The second is sent before the first is lost, and whatever follows then at a quicker pace.
  const unmetered = timeoutMillis / 2 + (lossesDown - 2) * Math.max(timeoutMillis / 2, doubtEvery);
  const untilLast = {
    carrying: unmetered,
    standby: unmetered,
    'metered-carrying': (lossesDown - 1) * askEvery,
    'metered-standby': (lossesDown - 1) * Math.max(standbyAgain, timeoutMillis),
  }[role];
  return Math.ceil((untilFirst + untilLast + timeoutMillis) / 1000);
}

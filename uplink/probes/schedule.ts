import type { MonotonicTime } from '#contracts/units.ts';
import { fullProbeCost, smallProbeCost } from './budget.ts';
import type { PathView, ProbeSettings } from './path-meter.ts';
import type { Traffic } from './traffic.ts';

export type LineRole = 'unmetered' | 'metered-carrying' | 'metered-standby';

export interface ScheduledLine {
  readonly uplink: string;
  readonly role: LineRole;
  /** Whether it has a device, an address and a route; without them nothing is sent. */
  readonly usable: boolean;
  /** The hub that carries, where this uplink does. */
  readonly carries: string | undefined;
  readonly paths: readonly { readonly hub: string; readonly meter: PathView }[];
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

/** How often a metered uplink is probed while it stands by, one hub at a time. In ms. */
export const standbyEvery = 600_000;
/** How soon it is probed again after a loss or a first reply, so that the doubt does not last until the next turn. In ms. */
const standbyAgain = 5000;
/** So long traffic may stay unanswered, and nothing at all move, before a metered uplink that carries is probed. In ms. */
const unansweredFor = 1000;
const silentFor = 15_000;
/** When all is down: so long at the full rate, then ever more rarely, at last so often. In ms. */
const burstFor = 30_000;
const backoffMost = 60_000;
/** After this share of the time that all has been down. */
const backoffShare = 10;
/** How often the size of packets is confirmed on a metered uplink, in ms: 9 MB a month while it carries, 90 kB while it stands by. */
const carryingConfirm = 900_000;
const standbyConfirm = 86_400_000;

/** Which small probes are to be sent now. Call it every 100 ms at the most; a probe that is not sent stays due. */
export function dueProbes(input: ScheduleInput): readonly DueProbe[] {
  return input.lines.flatMap((line, place) => {
    if (!line.usable) return [];
    return dueOf(line, place, input).map((hub) => ({ uplink: line.uplink, hub }));
  });
}

function dueOf(line: ScheduledLine, place: number, input: ScheduleInput): readonly string[] {
  const { now, wantedAt, allDownSince } = input;
  const wanted = line.paths.filter(
    ({ meter: { lastSentAt } }) =>
      wantedAt !== undefined && wantedAt <= now && (lastSentAt ?? -Infinity) < wantedAt,
  );
  if (wanted.length > 0) return wanted.map(({ hub }) => hub);
  if (line.role === 'unmetered') return dueUnmetered(line, place, input);
  if (allDownSince !== undefined) return dueAllDown(line, now - allDownSince, input);
  return line.role === 'metered-carrying' ? dueCarrying(line, input) : dueStandby(line, now);
}

const sinceSent = ({ meter }: ScheduledLine['paths'][number], now: number): number =>
  now - (meter.lastSentAt ?? -Infinity);

/** Each path has its own place in every turn, so that the probes of all are spread evenly and none drifts. */
function dueUnmetered(line: ScheduledLine, place: number, input: ScheduleInput): readonly string[] {
  const { now, settings, traffic, lines } = input;
  const every = settings.everyMillis;
  return line.paths
    .filter((path, index) => {
      const heard = now - (traffic?.receivedAt ?? -Infinity) < every;
      const { state, lostInRow } = path.meter;
      // A loss is followed up all the same: left standing, it would make a row with one much later.
      if (path.hub === line.carries && state === 'up' && lostInRow === 0 && heard) return false;
      const offset = (every / line.paths.length) * (index + place / lines.length);
      const turn = Math.floor((now - offset) / every) * every + offset;
      // A probe that was late, since traffic stood for it, is not followed by the next one at once.
      return (path.meter.lastSentAt ?? -Infinity) < turn && sinceSent(path, now) >= every / 2;
    })
    .map(({ hub }) => hub);
}

function dueCarrying(line: ScheduledLine, { now, settings, traffic }: ScheduleInput): readonly string[] {
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
  const silent = now - lastSign >= silentFor;
  const doubtful = state !== 'up' || lostInRow > 0 || unproven || unanswered || silent;
  const due = doubtful && sinceSent(carrying, now) >= settings.everyMillis ? [carrying.hub] : [];
  // Whether it is the hub or the line that fails, the other hubs over the same line tell.
  const broken = state !== 'up' || lostInRow > 0;
  const asked = broken
    ? others.filter((path) => sinceSent(path, now) >= settings.everyMillis).map(({ hub }) => hub)
    : dueStandby({ ...line, paths: others, budgetBytes: Infinity }, now);
  return [...due, ...asked];
}

function dueStandby({ paths, budgetBytes }: ScheduledLine, now: MonotonicTime): readonly string[] {
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
  const due = oldest.meter.lastSentAt === undefined || sinceSent(youngest, now) >= standbyEvery;
  return due ? [oldest.hub] : [];
}

function dueAllDown(line: ScheduledLine, downFor: number, input: ScheduleInput): readonly string[] {
  const { now, settings, traffic } = input;
  if (line.role === 'metered-standby' && line.budgetBytes < smallProbeCost) return [];
  const full = settings.everyMillis;
  // Something has come back through the tunnel: the outage may be over, and this says it at once.
  const heard = line.carries !== undefined && now - (traffic?.receivedAt ?? -Infinity) < 2000;
  const slow = Math.min(backoffMost, Math.max(full, downFor / backoffShare));
  return line.paths
    .filter((path) => {
      const answers = path.meter.answeredInRow > 0;
      const every = downFor < burstFor || heard || answers ? full : slow;
      return sinceSent(path, now) >= every;
    })
    .map(({ hub }) => hub);
}

/** How often the size of packets is confirmed (`MtuEvidence.confirmMillis`) on a line in this role, in ms. */
export function confirmMillis(role: LineRole, fullProbeMillis: number): number {
  if (role === 'unmetered') return fullProbeMillis;
  return Math.max(fullProbeMillis, role === 'metered-carrying' ? carryingConfirm : standbyConfirm);
}

/** Whether a probe of full size may be sent on a line now. */
export function mayProbeFull({ role, budgetBytes }: Pick<ScheduledLine, 'role' | 'budgetBytes'>): boolean {
  return role !== 'metered-standby' || budgetBytes >= fullProbeCost;
}

/** How long a failure of a line may go unnoticed now, in seconds; `budgetMillis` until the budget allows a probe. */
export function detectSeconds(
  role: LineRole,
  settings: ProbeSettings,
  meter: Pick<PathView, 'timeoutMillis'>,
  budgetMillis = 0,
): number {
  const { everyMillis, lossesDown } = settings;
  const { timeoutMillis } = meter;
  const untilFirst = {
    unmetered: everyMillis,
    'metered-carrying': silentFor + everyMillis,
    'metered-standby': Math.max(standbyEvery, budgetMillis),
  }[role];
  const between = role === 'metered-standby' ? Math.max(standbyAgain, timeoutMillis) : everyMillis;
  return Math.ceil((untilFirst + (lossesDown - 1) * between + timeoutMillis) / 1000);
}

import { monotonic } from '#contracts/units.ts';
import {
  type PathMeter,
  type PathView,
  probeReplied,
  probeSent,
  type ProbeSettings,
  timePassed,
  untestedPath,
} from './path-meter.ts';
import { dueProbes, type LineRole, type ScheduledLine, type ScheduleInput } from './schedule.ts';
import type { Traffic } from './traffic.ts';

export const settings: ProbeSettings = {
  everyMillis: 2000,
  timeoutMillis: 700,
  lossesDown: 3,
  failbackSeconds: 30,
  meteredBytesPerMonth: 5_000_000,
};
/** As a line has them by default. */
export const sizing = { fullProbeMillis: 4000, quietMillis: 15_000 };
export const at = monotonic;
export const start = 1_000_000;

export const view = (changes: Partial<PathView> = {}): PathView => ({
  ...untestedPath(settings),
  state: 'up',
  upSince: at(0),
  lastSentAt: at(0),
  lastReplyAt: at(40),
  ...changes,
});
export const line = (
  role: LineRole,
  meters: readonly PathView[],
  changes: Partial<ScheduledLine> = {},
): ScheduledLine => ({
  uplink: 'line',
  role,
  usable: true,
  carries: undefined,
  paths: meters.map((meter, index) => ({ hub: `hub-${index}`, meter })),
  quietMillis: 15_000,
  budgetBytes: 100_000,
  ...changes,
});
export const input = (
  lines: readonly ScheduledLine[],
  changes: Partial<ScheduleInput> = {},
): ScheduleInput => ({
  now: at(start),
  lines,
  settings,
  traffic: undefined,
  allDownSince: undefined,
  wantedAt: undefined,
  ...changes,
});
export const traffic = (changes: Partial<Traffic> = {}): Traffic => ({
  sentBytes: 0,
  receivedBytes: 0,
  sentAt: undefined,
  receivedAt: undefined,
  unansweredSince: undefined,
  since: at(0),
  ...changes,
});

/** Plays the schedule; each probe is answered after 40 ms, unless it is said that it is not. */
export function play(
  lines: (now: number, meters: readonly (readonly PathMeter[])[]) => readonly ScheduledLine[],
  counts: readonly number[],
  duration: number,
  changes: (now: number) => Partial<ScheduleInput> = () => ({}),
  answers: (now: number) => boolean = () => true,
  step = 50,
): { at: number; place: string }[] {
  const meters = counts.map((count) => Array.from({ length: count }, () => untestedPath(settings)));
  const sent: { at: number; place: string }[] = [];
  const coming: { at: number; row: number; column: number; sequence: number }[] = [];
  for (let now = start; now < start + duration; now += step) {
    const rows = lines(now, meters);
    const change = (row: number, column: number, to: (meter: PathMeter) => PathMeter): void => {
      const meter = meters[row]?.[column];
      if (meter !== undefined) (meters[row] ??= [])[column] = to(meter);
    };
    for (const one of coming.splice(0)) {
      if (one.at > now) coming.push(one);
      else
        change(one.row, one.column, (meter) =>
          probeReplied(meter, { sequence: one.sequence, at: at(one.at) }, settings),
        );
    }
    meters.forEach((row, index) =>
      row.forEach((_, column) => change(index, column, (meter) => timePassed(meter, at(now), settings))),
    );
    for (const { uplink, hub } of dueProbes(input(lines(now, meters), { now: at(now), ...changes(now) }))) {
      const row = rows.findIndex((one) => one.uplink === uplink);
      const column = rows[row]?.paths.findIndex((path) => path.hub === hub) ?? -1;
      sent.push({ at: now - start, place: `${uplink} ${hub}` });
      change(row, column, (meter) => probeSent(meter, { sequence: now, at: at(now) }, settings));
      if (answers(now)) coming.push({ at: now + 40, row, column, sequence: now });
    }
  }
  return sent;
}

import Type, { type Static } from 'typebox';
import type { WallTime } from '#contracts/units.ts';
import { movedSince } from './device-counter.ts';

/** Data of a metered uplink in a calendar month (UTC), whatever it was for. Plain data, kept over a restart. */
export const MonthMeter = Type.Object(
  {
    month: Type.String({ pattern: '^[0-9]{4}-[0-9]{2}$', description: 'Calendar month, UTC' }),
    /** Whether a verified clock has said so. */
    verified: Type.Boolean(),
    bytes: Type.Number({ minimum: 0 }),
    counter: Type.Union([
      Type.Null(),
      Type.Number({ minimum: 0, description: 'Counter of the device, bytes' }),
    ]),
  },
  { additionalProperties: false },
);
export type MonthMeter = Static<typeof MonthMeter>;

export interface MonthReading {
  readonly wall: WallTime;
  /** Whether this clock was verified in this boot; one that was not may be anywhere. */
  readonly verified: boolean;
  readonly counter: number | undefined;
}

/** Of clocks that say less than this nothing is believed: no terminal is older than this software. */
const earliest = '2025-01';

/**
 * Counts on. The month moves forward only, and only then is the count begun anew: a clock that falls back to 1970 gives
 * no new budget. A verified clock may correct a month that an unverified one had run ahead to, or the count would stand
 * until then; the bytes stay.
 */
export function readMonth(
  meter: MonthMeter | undefined,
  { wall, verified, counter }: MonthReading,
): MonthMeter {
  const now = monthOf(wall);
  if (meter === undefined)
    return {
      month: now ?? earliest,
      verified: now !== undefined && verified,
      bytes: 0,
      counter: counter ?? null,
    };
  const moved = counter === undefined ? 0 : movedSince(meter.counter ?? undefined, counter);
  const counted = { ...meter, bytes: meter.bytes + moved, counter: counter ?? meter.counter };
  if (now === undefined) return counted;
  if (now > meter.month) return { ...counted, month: now, verified, bytes: 0 };
  if (verified && !meter.verified) return { ...counted, month: now, verified };
  return counted;
}

function monthOf(wall: WallTime): string | undefined {
  // Beyond the year 9999, ISO 8601 writes a sign and six digits.
  const month = Math.abs(wall) < 8.64e15 ? new Date(wall).toISOString().slice(0, 7) : '';
  return /^\d{4}-\d{2}$/.test(month) && month >= earliest ? month : undefined;
}

/** Whether the budget of the month is used up; 0 is no limit. */
export function isOverBudget(meter: MonthMeter, monthlyMegabytes: number): boolean {
  return monthlyMegabytes > 0 && meter.bytes >= monthlyMegabytes * 1_000_000;
}

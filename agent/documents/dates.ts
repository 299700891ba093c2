import type { MrzDate } from '#contracts/documents.ts';

/** A day of the calendar as the terminal knows it; months and days from 1. */
export interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** What six characters say; at most one of `impossible` and `past` is true. */
export interface DateReading {
  readonly date: MrzDate;
  /** Neither a day of the calendar nor one with unknown parts. */
  readonly impossible: boolean;
  /** Its last possible day lies before today. */
  readonly past: boolean;
}

/** Where a format has no such date. */
export const noDate: DateReading = { date: { raw: '' }, impossible: false, past: false };

/** Two digits, unknown (`<<`), or something else. */
function part(text: string): number | 'unknown' | 'impossible' {
  if (/^\d\d$/.test(text)) return Number(text);
  return text === '<<' ? 'unknown' : 'impossible';
}

/**
 * Reads a date, YYMMDD, in which year, month and day may each be unknown (ICAO Doc 9303 part 3 § 4.8). The two
 * digits of the year leave the century to the reader:
 * - nobody is born tomorrow: a birth is in the last hundred years, today included;
 * - documents are valid for some years, and old ones are shown for some years more: an expiry is within fifty years
 *   before or after this one.
 *
 * @param text the six characters, look-alikes of digits repaired
 * @param raw the six characters as read
 */
export function readDate(
  text: string,
  raw: string,
  kind: 'birth' | 'expiry',
  today: CalendarDay,
): DateReading {
  const nothing = { date: { raw }, impossible: false, past: false };
  const impossible = { ...nothing, impossible: true };
  const twoDigits = part(text.slice(0, 2));
  const month = part(text.slice(2, 4));
  const day = part(text.slice(4, 6));
  if (twoDigits === 'impossible' || month === 'impossible' || day === 'impossible') return impossible;
  const knownMonth = month === 'unknown' ? undefined : month;
  const knownDay = day === 'unknown' ? undefined : day;
  if (twoDigits === 'unknown') {
    // Year 2000 was a leap year: the 29th of February of an unknown year is possible.
    return exists(2000, knownMonth, knownDay) ? nothing : impossible;
  }
  const earliest = { month: knownMonth ?? 1, day: knownDay ?? 1 };
  const year = kind === 'birth' ? yearOfBirth(twoDigits, earliest, today) : yearOfExpiry(twoDigits, today);
  if (!exists(year, knownMonth, knownDay)) return impossible;
  const past = isBefore({ year, month: knownMonth ?? 12, day: knownDay ?? 31 }, today);
  if (knownMonth === undefined || knownDay === undefined) return { ...nothing, past };
  const iso = `${String(year).padStart(4, '0')}-${text.slice(2, 4)}-${text.slice(4, 6)}`;
  return { date: { raw, iso }, impossible: false, past };
}

function yearOfBirth(
  twoDigits: number,
  earliest: { readonly month: number; readonly day: number },
  today: CalendarDay,
): number {
  const year = today.year - (today.year % 100) + twoDigits;
  return isBefore(today, { year, ...earliest }) ? year - 100 : year;
}

function yearOfExpiry(twoDigits: number, today: CalendarDay): number {
  const year = today.year - (today.year % 100) + twoDigits;
  if (year >= today.year + 50) return year - 100;
  return year < today.year - 50 ? year + 100 : year;
}

function isBefore(a: CalendarDay, b: CalendarDay): boolean {
  return (a.year - b.year || a.month - b.month || a.day - b.day) < 0;
}

/** Whether there is such a day in the calendar; what is not known excludes nothing. */
function exists(year: number, month: number | undefined, day: number | undefined): boolean {
  if (month !== undefined && (month < 1 || month > 12)) return false;
  if (day === undefined) return true;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day >= 1 && day <= (month === undefined ? 31 : (days[month - 1] ?? 0));
}
